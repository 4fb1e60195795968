import type { ConnectTo } from '../core/connect-to.ts'
import type { Secret } from '../core/secret.ts'
import type { Host } from '../host.ts'
import type { ApiCall, CloudflarePort } from '../services/cloudflare/port.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { ProcessesPort } from '../services/mastodon/processes-port.ts'
import type { RunnerPort } from '../services/process/port.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'
import type { ConnectS3 } from '../services/s3/port.ts'
import type { Ui } from '../ui/port.ts'

type OnCall = (call: ApiCall) => void

/** Every request as one line for --verbose; undefined when nobody wants to see them. */
export function callListener(ui: Ui, verbose: boolean): OnCall | undefined {
  if (!verbose) return undefined
  return ({ method, path, status, ms, rayId }) => {
    const ray = rayId === undefined ? '' : ` ray ${rayId}`
    ui.call(`${method} ${path} ${status} ${Math.round(ms)} ms${ray}`)
  }
}

/** The SDKs are loaded here, when they are first needed. */
export async function connectTo(options: {
  readonly token: Secret
  readonly baseUrl: string
  readonly ui: Ui
  readonly onCall: OnCall | undefined
  /** Between repeated requests, milliseconds. */
  readonly sleep: (ms: number) => Promise<void>
}): Promise<CloudflarePort> {
  const { token, baseUrl, ui, onCall, sleep } = options
  const { connectCloudflare } = await import('../services/cloudflare/client.ts')
  return connectCloudflare({
    token,
    baseUrl,
    sleep,
    ...(onCall && { onCall }),
    onWait: (seconds, reason) => ui.warn(`${reason}; waiting ${seconds} s.`),
  })
}

export async function s3Connector(options: {
  readonly endpoint: string
  readonly bucket: string
  readonly onCall: OnCall | undefined
  readonly region?: string | undefined
  readonly virtualHost?: boolean | undefined
}): Promise<ConnectS3> {
  const { connectS3 } = await import('../services/s3/client.ts')
  return (key) => connectS3({ ...options, key })
}

export async function webConnector(options: {
  readonly connectTo: readonly ConnectTo[]
  /** PEM of a certificate authority to trust besides the usual ones. */
  readonly ca: string | undefined
  readonly onCall: OnCall | undefined
}): Promise<PublicWebPort> {
  const { connectTo, ca, onCall } = options
  const { connectPublicWeb } = await import('../services/public-web/client.ts')
  return connectPublicWeb({
    connectTo,
    ...(ca !== undefined && { ca }),
    ...(onCall && { onCall }),
  })
}

/** Long enough for images to be pulled and services to stop, milliseconds. */
const PROGRAM_MS = 600_000

/** Runs programs; each line that they write is told. */
export function runnerOf(host: Host, onLine?: (line: string) => void): RunnerPort {
  return {
    async run(command, cwd) {
      const { run } = await import('../services/process/run.ts')
      return run(command, {
        environment: host.environment,
        timeoutMs: PROGRAM_MS,
        ...(cwd === undefined ? {} : { cwd }),
        ...(onLine && { onLine }),
      })
    },
  }
}

/** Mastodon's processes as this machine shows them; loaded when first asked. */
export function processesOf(host: Host, installation: Installation): ProcessesPort {
  const runner = runnerOf(host)
  const connect = async () => {
    const { connectProcesses } = await import('../services/mastodon/processes.ts')
    return connectProcesses({
      installation,
      ask: (command, cwd) => runner.run(command, cwd),
      now: () => new Date(),
    })
  }
  return {
    running: async () => (await connect()).running(),
    changedAt: async (path) => (await connect()).changedAt(path),
  }
}
