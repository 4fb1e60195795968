import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as after } from 'node:timers/promises'
import { parseConnectTo } from '../../src/core/connect-to.ts'
import { toType } from '../../src/core/to-type.ts'
import { flow } from '../../src/flow/flow.ts'
import { remember } from '../../src/flow/mastodon-here.ts'
import type { Run } from '../../src/flow/run.ts'
import { chooseToken } from '../../src/flow/token.ts'
import { envWriter } from '../../src/flow/world.ts'
import type { Report } from '../../src/plan/report.ts'
import { type Clock, inSetup, type World } from '../../src/plan/step.ts'
import { flags, type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../src/services/cloudflare/client.ts'
import { readEnvFile } from '../../src/services/mastodon/env-read.ts'
import { findMastodon } from '../../src/services/mastodon/find.ts'
import { connectPublicWeb } from '../../src/services/public-web/client.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { catalog, type SetupCatalog } from '../../src/settings/catalog.ts'
import { chooseSetup } from '../../src/setup/choose.ts'
import { initSteps } from '../../src/setup/steps.ts'
import { fakeHost } from '../fakes/fake-host.ts'
import { lendEmulator } from '../fakes/lent-emulator.ts'
import { smallParts } from './small-parts.ts'
import { type Strike, strikeAt } from './strike.ts'

export const BEFORE = '# mine\r\nLOCAL_DOMAIN=social.example.com\nDB_PASS="a b"\nS3_BUCKET=old\n'
export const HOST = 'files.example.com'
export const BUCKET = 'example-media'

export interface Ended {
  readonly code: number
  readonly report: Report
  /** Both streams. */
  readonly said: string
}

/**
 * A sandbox and a server that `init` is run on inside this process. A run that is struck has short time
 * limits; in all others nothing hangs, and the machine may be busy.
 */
export interface Trial {
  readonly sandbox: Sandbox
  init(strike?: Strike): Promise<Ended>
  envText(): string
  /** Names of the files beside the env file. */
  files(): string[]
  /** A server and an account without anything, as at the start. */
  reset(): void
  close(): Promise<void>
}

/** Milliseconds; what hangs is given up then. */
export interface Limits {
  readonly api: number
  readonly s3: number
  readonly web: number
  /** Whole uploads take most of a run's time; false: small ones, where S3 is not what is tested. */
  readonly parts: boolean
}

const PATIENT_MS = 20_000
/** How much faster than the wall's the program's clock goes; what it sleeps is skipped. */
const SPEED = 60

export async function openTrial(limits: Limits): Promise<Trial> {
  const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-trial-'))
  const path = join(folder, '.env.production')
  const sandbox = await startSandbox({
    domainMs: 0,
    keyMs: 0,
    dir: folder,
    emulator: 'eager',
    startEmulator: () => lendEmulator(4),
  })
  const calm: Limits = { api: PATIENT_MS, s3: PATIENT_MS, web: PATIENT_MS, parts: limits.parts }
  const webFor = ({ web: timeoutMs }: Limits) => {
    const connectTo = sandbox.connectTo.flatMap((text) => parseConnectTo(text) ?? [])
    return connectPublicWeb({ connectTo, ca: sandbox.caPem, timeoutMs })
  }
  const trial: Trial = {
    sandbox,
    async init(strike) {
      strikeAt(sandbox, strike)
      const own = strike ? limits : calm
      const said: string[] = []
      const report: string[] = []
      const host = fakeHost({
        argv: ['init'],
        environment: {
          CLOUDFLARE_API_TOKEN: sandbox.bootstrapToken.reveal(),
          CLOUDFLARE_BASE_URL: sandbox.apiUrl,
        },
        cwd: folder,
        stdout: (text) => {
          report.push(text)
          said.push(text)
        },
        stderr: (text) => void said.push(text),
      })
      const argv = ['--yes', '--json', '--media-host', HOST, '--bucket', BUCKET, ...flags(sandbox)]
      const code = await flow(host, [...argv, '--mastodon-env', path], {
        name: 'init',
        catalog,
        prepare: async (run) => ({
          world: { ...(await worldOf(run, own)), web: webFor(own) } as World,
          steps: initSteps,
          planTitle: 'Plan',
          shown: [],
          again: toType('init'),
          closing: () => ({ headline: '', sections: [] }),
        }),
      })
      return { code, report: JSON.parse(report.join('')) as Report, said: said.join('') }
    },
    envText: () => readFileSync(path, 'utf8'),
    files: () => readdirSync(folder).filter((name) => name.startsWith('.env')),
    reset() {
      const { world, log } = sandbox
      world.buckets.length = 0
      world.dnsRecords.length = 0
      world.tokens.length = 1
      ;(log as unknown[]).length = 0
      strikeAt(sandbox, undefined)
      for (const name of trial.files()) rmSync(join(folder, name))
      writeFileSync(path, BEFORE, { mode: 0o600 })
    },
    async close() {
      await sandbox.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
  trial.reset()
  return trial
}

/** As prepareSetup does it, but for the time limits and the clock; what init's steps need. */
async function worldOf(
  { host, ui, settings, clock }: Run<SetupCatalog>,
  limits: Limits,
): Promise<Partial<World>> {
  const installation = await findMastodon({
    cwd: host.cwd,
    mastodonDir: undefined,
    envFile: settings.get('mastodonEnv'),
    environment: host.environment,
  })
  const remembered = remember(installation, settings.get('s3EndpointUrl'))
  const fast = { ...clock, ...fastClock(host.interrupted) }
  const baseUrl = settings.need('cloudflareApiUrl')
  const { cloudflare, token } = await chooseToken(settings, ui, async (secret) =>
    connectCloudflare({ token: secret, baseUrl, sleep: fast.sleep, timeoutMs: limits.api }),
  )
  const setup = await chooseSetup({
    settings,
    ui,
    installation,
    remembered,
    cloudflare,
    token,
    readEnvFile,
    lookOnly: false,
  })
  const place = {
    endpoint: setup.s3Endpoint,
    bucket: setup.at.bucket,
    timeoutMs: limits.s3,
    pace: { sleep: fast.sleep },
  }
  return {
    cloudflare,
    connectS3: (key) =>
      limits.parts ? connectS3({ ...place, key }) : smallParts(connectS3({ ...place, key })),
    envWriter: await envWriter(),
    clock: fast,
    ...inSetup(setup),
    facts: {},
  }
}

function fastClock(interrupted: AbortSignal): Pick<Clock, 'now' | 'sleep'> {
  const start = Date.now()
  let skipped = 0
  const now = () => start + (Date.now() - start) * SPEED + skipped
  return {
    now: () => new Date(now()),
    sleep: async (ms, signal) => {
      const end = now() + ms
      const either = signal ? AbortSignal.any([interrupted, signal]) : interrupted
      const slept = await after(1, true, { signal: either }).catch(() => false)
      // Who sleeps side by side wakes side by side.
      if (slept) skipped += Math.max(0, end - now())
    },
  }
}
