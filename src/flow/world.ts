import type { ConnectTo } from '../core/connect-to.ts'
import { proxiesOf } from '../core/proxy.ts'
import type { Secret } from '../core/secret.ts'
import type { WayOut } from '../core/through-proxy.ts'
import type { Host } from '../host.ts'
import type { EnvWriter, PlaceWorld, World } from '../plan/step.ts'
import type { ApiCall, CloudflarePort } from '../services/cloudflare/port.ts'
import type { WriteEnvFile } from '../services/mastodon/env-write.ts'
import type {
  EnvFileOnDisk,
  Installation,
  ProcessesPort,
  ServicesPort,
} from '../services/mastodon/port.ts'
import type { RunnerPort } from '../services/process/port.ts'
import type { PublicWebPort } from '../services/public-web/port.ts'
import type { PaceOptions } from '../services/s3/pace.ts'
import type { ConnectS3, S3Port } from '../services/s3/port.ts'
import type { S3Service } from '../services/s3/service.ts'
import type { catalog, SetupCatalog } from '../settings/catalog.ts'
import type { Catalog } from '../settings/setting.ts'
import { readTemplate, render } from '../template.ts'
import type { Ui } from '../ui/port.ts'
import type { Run } from './run.ts'
import { chooseToken, type TokenChoice, type TokenWords } from './token.ts'

type OnCall = (call: ApiCall) => void

/** Every request as one line, for --verbose and the log; and for --timings. */
export function callListener({ ui, timings }: Pick<Connecting, 'ui' | 'timings'>): OnCall {
  return (call) => {
    timings?.add(call)
    const { method, path, status, ms, rayId } = call
    const ray = rayId === undefined ? '' : ` ray ${rayId}`
    ui.call(`${method} ${path} ${status} ${Math.round(ms)} ms${ray}`)
  }
}

/** Every command's settings that a connection depends on. */
type Asked = Pick<
  typeof catalog,
  'apiToken' | 'accountId' | 'cloudflareApiUrl' | 'connectTo' | 'verbose'
> &
  Catalog
type Connecting = Pick<Run<Asked>, 'host' | 'ui' | 'settings' | 'clock' | 'timings'>

/**
 * What a run has to work with: each part is connected, and its SDK loaded, when a step first uses it.
 * `given` stands in the place of what would be connected; Cloudflare is there where the token had to
 * be known before the plan. Only the env file's editor and its template are read at once.
 */
export async function connectWorld<Where extends Pick<World, 'place'>>(
  run: Connecting,
  /** What the command knows: a place alone, or `inMinting` or `inSetup` of it. */
  where: Where,
  /** `ca`: PEM of a certificate authority to trust besides the usual ones. */
  {
    ca,
    scratchOf,
    ...given
  }: Partial<Omit<PlaceWorld, 'place'>> & {
    readonly ca?: string | undefined
    /** The env file that a rehearsal's copy stands for. */
    readonly scratchOf?: EnvFileOnDisk | undefined
  } = {},
): Promise<Omit<PlaceWorld, 'place'> & Where> {
  const { host, clock } = run
  const { at, s3Endpoint, installation } = where.place
  return {
    cloudflare: lazyCloudflare(run),
    connectS3: lazyS3(run, { endpoint: s3Endpoint, bucket: at.bucket }),
    web: lazyWeb(run, ca),
    envWriter: await envWriterOf(run, scratchOf),
    processes: processesOf(host, installation),
    runner: runnerOf(host, (line) => run.ui.say(line)),
    clock,
    facts: {},
    ...given,
    ...where,
  }
}

/** How this run gets out of the machine; undefined without a proxy. Throws Problem `proxy-not-usable`. */
export async function wayOutOf({ environment }: Host): Promise<WayOut | undefined> {
  const find = proxiesOf(environment)
  if (find === undefined) return undefined
  const { connectWayOut } = await import('../core/through-proxy.ts')
  return connectWayOut(find)
}

/** The token, asked for where none was given (in the words of the setup unless told), and Cloudflare as it sees it. */
export function chooseCloudflare(run: Connecting, words?: TokenWords): Promise<TokenChoice> {
  const { host, ui, settings, clock } = run
  const baseUrl = settings.need('cloudflareApiUrl') as string
  const onCall = callListener(run)
  const { sleepOrTidy: sleep } = clock
  const connect = async (token: Secret) =>
    connectTo({ token, baseUrl, ui, onCall, sleep, wayOut: await wayOutOf(host) })
  return chooseToken(settings, ui, connect, words)
}

/** Cloudflare for who does nothing before it knows whose the token is. */
export async function identified(run: Connecting) {
  const { cloudflare, token } = await chooseCloudflare(run)
  await token()
  return cloudflare
}

async function connectTo(options: {
  readonly token: Secret
  readonly baseUrl: string
  readonly ui: Ui
  readonly onCall: OnCall
  /** Between repeated requests, milliseconds. */
  readonly sleep: (ms: number) => Promise<void>
  readonly wayOut: WayOut | undefined
}): Promise<CloudflarePort> {
  const { token, baseUrl, ui, onCall, sleep, wayOut } = options
  const { connectCloudflare } = await import('../services/cloudflare/client.ts')
  return connectCloudflare({
    token,
    baseUrl,
    sleep,
    wayOut,
    onCall,
    onWait: (seconds, reason) => ui.warn(`${reason}; waiting ${seconds} s.`),
  })
}

export async function s3Connector(options: {
  readonly endpoint: string
  readonly bucket: string
  readonly onCall: OnCall | undefined
  readonly region?: string | undefined
  readonly virtualHost?: boolean | undefined
  readonly service?: S3Service | undefined
  readonly pace?: PaceOptions | undefined
  readonly host: Host
}): Promise<ConnectS3> {
  const { host, ...place } = options
  const { connectS3 } = await import('../services/s3/client.ts')
  const wayOut = await wayOutOf(host)
  return (key) => connectS3({ ...place, wayOut, key })
}

/** The web as a visitor sees it, but where `--connect-to` says otherwise. */
export function lazyWeb(
  run: Pick<Connecting, 'host' | 'ui' | 'settings' | 'timings'>,
  ca: string | undefined,
): PublicWebPort {
  const connectTo = (run.settings.get('connectTo') ?? []) as readonly ConnectTo[]
  const trusted = ca ?? run.host.standIn?.ca.pem
  const onCall = callListener(run)
  const connected = once(async () => {
    const { connectPublicWeb } = await import('../services/public-web/client.ts')
    return connectPublicWeb({
      connectTo,
      wayOut: await wayOutOf(run.host),
      ...(trusted !== undefined && { ca: trusted }),
      onCall,
    })
  })
  return lazyPort(connected)
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
    // None of them reads a scratch copy.
    running: async () => (host.standIn ? undefined : (await connect()).running()),
    changedAt: async (path) => (await connect()).changedAt(path),
  }
}

const SECRETS = ['AWS_SECRET_ACCESS_KEY', 'AWS_ACCESS_KEY_ID']

/** Mastodon is looked for anew; a scratch copy is taken for the file that it stands for. */
function preview(
  run: Pick<Connecting, 'host' | 'settings'>,
  scratchOf: EnvFileOnDisk | undefined,
): EnvWriter['preview'] {
  return async (file, text) => {
    const { findMastodonHere } = await import('./mastodon-here.ts')
    const settings = run.settings as unknown as Run<SetupCatalog>['settings']
    const { realPath } = scratchOf ?? file
    return findMastodonHere({ host: run.host, settings }, { files: 0, ms: 0 }, { realPath, text })
  }
}

/** The env file's editor, which finds Mastodon anew for a preview. `scratchOf`: see `connectWorld`. */
export function envWriterOf(
  run: Pick<Connecting, 'host' | 'ui' | 'settings'>,
  scratchOf?: EnvFileOnDisk,
): Promise<EnvWriter> {
  const warn = (line: string) => run.ui.warn(line)
  return envWriter(preview(run, scratchOf), { runner: runnerOf(run.host), warn })
}

/** Where only the editor is wanted. */
const nowhere: EnvWriter['preview'] = () => Promise.reject(new Error('Mastodon is not looked for.'))

/** The env file's editor with the block's template. */
export async function envWriter(
  preview: EnvWriter['preview'] = nowhere,
  how: Pick<WriteEnvFile, 'runner' | 'warn'> = {},
): Promise<EnvWriter> {
  const [{ editEnvFile }, { diffEnvFile }, { writeEnvFile }, block] = await Promise.all([
    import('../services/mastodon/env-edit.ts'),
    import('../services/mastodon/env-edit.ts'),
    import('../services/mastodon/env-write.ts'),
    readTemplate('env-production.txt'),
  ])
  const renderBlock = (values: ReadonlyMap<string, string>) =>
    render(block, Object.fromEntries(values))
  return {
    edit: (text, set, retire) => {
      const whole = set.has('S3_ENABLED') ? { block: renderBlock(set) } : {}
      return editEnvFile(text, { set, retire, ...whole })
    },
    diff: (before, after) => diffEnvFile(before, after, SECRETS),
    write: (file, text) => writeEnvFile(file, text, how),
    async putBack(file, text) {
      await writeEnvFile(file, text, { ...how, keepsOld: false })
    },
    preview,
    render: renderBlock,
  }
}

/** The same answer to everyone who asks; asked for with the first. */
export function once<Answer>(ask: () => Promise<Answer>): () => Promise<Answer> {
  let answer: Promise<Answer> | undefined
  return () => (answer ??= ask())
}

/**
 * A port that is connected, and its SDK loaded, with the first call of a method. Every method has to
 * give a promise; what is anything else stands in `own`.
 */
export function lazyPort<Port extends object>(
  connected: () => Promise<Port>,
  own: Partial<Port> = {},
): Port {
  return new Proxy({} as Port, {
    get: (_, name) => {
      // Looked for by whoever awaits the port itself.
      if (name === 'then') return undefined
      if (Object.hasOwn(own, name)) return Reflect.get(own, name)
      return async (...args: unknown[]) => {
        const port = await connected()
        const method = Reflect.get(port, name) as (...given: unknown[]) => unknown
        return method.apply(port, args)
      }
    },
  })
}

/**
 * Cloudflare for a command that seldom needs it: the token is asked for with the first call, and
 * whoever only copies with rclone never gives one.
 */
function lazyCloudflare(run: Connecting): CloudflarePort {
  const { ui, settings } = run
  const connected = once(async () => {
    const problem = ui.canAsk ? undefined : settings.missing(['apiToken'])
    if (problem) throw problem
    return await identified(run)
  })
  const slurper = lazyPort(async () => (await connected()).slurper)
  const analytics = lazyPort(async () => (await connected()).analytics)
  return lazyPort(connected, { slurper, analytics })
}

/** A bucket whose SDK is loaded with the first request: a copy of nothing new never asks for one. */
function lazyS3(
  run: Pick<Connecting, 'host' | 'ui' | 'settings' | 'timings'>,
  at: { readonly endpoint: string; readonly bucket: string },
): ConnectS3 {
  const { host } = run
  const connected = once(() => s3Connector({ ...at, host, onCall: callListener(run) }))
  return (key) => {
    const port = once(async () => (await connected())(key))
    const pages: S3Port['pages'] = async function* (...args) {
      yield* (await port()).pages(...args)
    }
    return lazyPort(port, { pages })
  }
}

/** Mastodon's services as this user can reach them. */
export async function servicesOf(
  { host }: { readonly host: Host },
  installation: Installation,
): Promise<ServicesPort> {
  const { connectServices } = await import('../services/mastodon/service-control.ts')
  const runner = runnerOf(host)
  return connectServices({
    installation,
    asRoot: host.userId === 0,
    ask: (command, cwd) => runner.run(command, cwd),
    now: () => new Date(),
  })
}
