import { createHash, randomBytes } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { RunClock } from '../../src/core/clock.ts'
import { parseConnectTo } from '../../src/core/connect-to.ts'
import type { Host } from '../../src/host.ts'
import { type Applied, apply } from '../../src/plan/apply.ts'
import type { MintingWorld, World } from '../../src/plan/step.ts'
import { prepareRotation } from '../../src/rotate/prepare.ts'
import { rotateSteps } from '../../src/rotate/rotate.ts'
import { rotateCatalog } from '../../src/rotate/settings.ts'
import { startSandbox } from '../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../src/services/cloudflare/client.ts'
import { connectPublicWeb } from '../../src/services/public-web/client.ts'
import { connectS3 as connectBucket } from '../../src/services/s3/client.ts'
import { Settings } from '../../src/settings/resolve.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { lendEmulator } from '../fakes/lent-emulator.ts'
import { smallParts } from '../survival/small-parts.ts'

const HOST = 'files.example.com'
const BUCKET = 'media'
const IMPATIENCE_MS = 500

/** Called around every call that leaves the program: what it is, and the call itself. */
export type Around = <T>(name: string, call: () => Promise<T>) => Promise<T>

/**
 * A server that is set up on a sandbox, with processes that hold the key they were started with.
 * Uploads are small. `impatient`: what hangs is given up after half a second.
 */
export async function rotatingServer({ impatient = false } = {}) {
  const sandbox = await startSandbox({
    domainMs: 0,
    keyMs: 0,
    emulator: 'eager',
    startEmulator: () => lendEmulator(4),
  })
  const dir = mkdtempSync(join(tmpdir(), 'mastodon-r2-rotating-'))
  const env = join(dir, '.env.production')
  mkdirSync(join(dir, 'lib/mastodon'), { recursive: true })
  mkdirSync(join(dir, 'public/packs'), { recursive: true })
  writeFileSync(join(dir, 'lib/mastodon/version.rb'), '')
  await setUp()
  let offset = 0
  let started = new Date(Date.now() - 60_000)
  let held = keyInFile()

  async function setUp() {
    const cloudflare = connectCloudflare({
      token: sandbox.bootstrapToken,
      baseUrl: sandbox.apiUrl,
      sleep: async () => undefined,
    })
    const at = { accountId: sandbox.accountId, bucket: BUCKET, jurisdiction: 'default' } as const
    await cloudflare.createBucket(at)
    await cloudflare.putCors(at, [{ allowed: { origins: ['*'], methods: ['GET', 'HEAD'] } }])
    const zone = await cloudflare.findZone(HOST)
    await cloudflare.attachCustomDomain(at, HOST, zone?.id ?? '')
    const owner = { kind: 'account', accountId: sandbox.accountId } as const
    const name = `mastodon-r2 ${BUCKET} ${HOST} 2026-01-01 000000`
    const key = await cloudflare.mintKey(owner, { name, at, allowIps: ['127.0.0.0/8'] })
    const lines = {
      S3_ENABLED: 'true',
      S3_BUCKET: BUCKET,
      S3_ENDPOINT: sandbox.s3Url(),
      S3_ALIAS_HOST: HOST,
      AWS_ACCESS_KEY_ID: key.id,
      AWS_SECRET_ACCESS_KEY: key.secretAccessKey.reveal(),
    }
    const text = Object.entries(lines).map(([name, value]) => `${name}=${value}\n`)
    writeFileSync(env, text.join(''))
  }

  function line(name: string): string {
    return new RegExp(`^${name}=(.*)$`, 'm').exec(readFileSync(env, 'utf8'))?.[1] ?? ''
  }

  function keyInFile() {
    return { id: line('AWS_ACCESS_KEY_ID'), secret: line('AWS_SECRET_ACCESS_KEY') }
  }

  function works({ id, secret }: ReturnType<typeof keyInFile>): boolean {
    const token = sandbox.world.tokens.find((token) => token.id === id)
    const own = createHash('sha256')
      .update(token?.value ?? '')
      .digest('hex')
    return token?.status === 'active' && own === secret
  }

  const clock: RunClock = {
    now: () => new Date(Date.now() + offset),
    randomHex: (length) => randomBytes(length).toString('hex').slice(0, length),
    sleep: async (ms) => {
      offset += ms
    },
    sleepOrTidy: async (ms) => {
      offset += ms
    },
  }

  async function world(ends: (() => Promise<void>)[]): Promise<MintingWorld> {
    const settings = await Settings.resolve(rotateCatalog, {
      flags: new Map<string, string | string[]>([
        ['mastodonDir', dir],
        ['cloudflareApiUrl', sandbox.apiUrl],
        ['s3EndpointUrl', sandbox.s3Url()],
        ['connectTo', [...sandbox.connectTo]],
      ]),
      environment: { CLOUDFLARE_API_TOKEN: sandbox.bootstrapToken.reveal() },
      answers: new Map(),
      readFile: () => Promise.reject(new Error('nothing to read')),
    })
    const silent = { write: () => true } as unknown as NodeJS.WritableStream
    const ui = plainUi({ words: silent, stdout: silent, stderr: silent, quiet: true })
    const host = { cwd: dir, environment: {}, argv: ['rotate'], pid: process.pid, userId: 0 }
    const stopping = { hold: () => () => undefined, close: () => undefined }
    const run = { host: host as unknown as Host, ui, render: String, settings, clock, stopping }
    return prepareRotation({
      ...run,
      timings: undefined,
      atEnd: ends,
      beginLog: async () => undefined,
    })
  }

  function hurried(timeoutMs: number): Pick<World, 'cloudflare' | 'connectS3'> {
    const { bootstrapToken: token, apiUrl: baseUrl } = sandbox
    const cloudflare = connectCloudflare({ token, baseUrl, sleep: clock.sleep, timeoutMs })
    const connectS3: World['connectS3'] = (key) => {
      const place = { endpoint: sandbox.s3Url(), bucket: BUCKET }
      return connectBucket({ ...place, key, timeoutMs, pace: { sleep: clock.sleep } })
    }
    return { cloudflare, connectS3 }
  }

  /**
   * The whole of `rotate`, with every outgoing call led through `around`; `prepared` is called
   * between the questions and the first step. `timeoutMs`: of a request, where the server is impatient.
   */
  async function rotate(
    around: Around = (_, call) => call(),
    prepared: () => void = () => undefined,
    timeoutMs = IMPATIENCE_MS,
  ): Promise<Applied> {
    const ends: (() => Promise<void>)[] = []
    const real = { ...(await world(ends)), ...(impatient ? hurried(timeoutMs) : {}) }
    prepared()
    const connectTo = sandbox.connectTo.flatMap((route) => parseConnectTo(route) ?? [])
    const web = connectPublicWeb({
      connectTo,
      ca: sandbox.caPem,
      ...(impatient && { timeoutMs }),
    })
    const led: MintingWorld = {
      ...real,
      cloudflare: through(real.cloudflare, 'cloudflare', around),
      connectS3: (key) => through(smallParts(real.connectS3(key)), 's3', around),
      web: through(web, 'web', around),
      envWriter: {
        ...real.envWriter,
        write: (file, text) =>
          around('env.write', async () => {
            const written = await real.envWriter.write(file, text)
            utimesSync(env, clock.now(), clock.now())
            return written
          }),
      },
      processes: {
        changedAt: async () => statSync(env).mtime,
        running: async () =>
          (['web', 'sidekiq'] as const).map((role) => ({ role, name: role, startedAt: started })),
      },
      runner: {
        run: () =>
          around('runner.run', async () => {
            held = keyInFile()
            started = new Date(Math.max(statSync(env).mtimeMs + 1, clock.now().getTime()))
            return { exitCode: 0, stdout: '', stderr: '' }
          }),
      },
    }
    const command = { program: 'systemctl', args: ['restart', 'all'], env: {} }
    const steps = rotateSteps({
      mode: 'run',
      commands: [{ command, line: 'systemctl restart all' }],
      assumeRestarted: false,
      graceMs: 3_600_000,
    })
    try {
      const quiet = { started: () => undefined, told: () => undefined, ended: () => undefined }
      return await apply(steps, led, quiet)
    } finally {
      for (const end of ends) await end()
    }
  }

  return {
    sandbox,
    rotate,
    /** What must be true at every moment. */
    faults: () => [
      ...(works(keyInFile()) ? [] : ['the key in the env file does not work']),
      ...(works(held) ? [] : ['a process holds a key that does not work']),
    ],
    /** Names and states of the keys, without the bootstrap token. */
    keys: () => sandbox.world.tokens.slice(1).map(({ name, status }) => `${status} ${name}`),
    keyInFile,
    held: () => held,
    /** Whether the processes were started after the env file was written. */
    isFresh: () => started.getTime() > statSync(env).mtimeMs,
    files: () => readdirSync(dir),
    /** What is returned brings back everything as it is now. */
    save() {
      const tokens = structuredClone(sandbox.world.tokens)
      const kept = { offset, started, held, text: readFileSync(env), mtime: statSync(env).mtime }
      const files = readdirSync(dir)
      return () => {
        sandbox.world.tokens.splice(0, Number.POSITIVE_INFINITY, ...structuredClone(tokens))
        ;({ offset, started, held } = kept)
        for (const name of readdirSync(dir)) if (!files.includes(name)) rmSync(join(dir, name))
        writeFileSync(env, kept.text)
        utimesSync(env, kept.mtime, kept.mtime)
      }
    },
    /** As after a power cut: the lock of a run that is gone goes with it. */
    unlock: () => rmSync(`${env}.mastodon-r2.lock`, { force: true }),
    async close() {
      await sandbox.close()
      rmSync(dir, { recursive: true, force: true })
    },
  }
}

/** The same port, every call of it led through `around`. */
function through<P extends object>(port: P, name: string, around: Around): P {
  return new Proxy(port, {
    get(target, verb) {
      const call = Reflect.get(target, verb)
      if (typeof call !== 'function') return call
      const told = `${name}.${String(verb)}`
      if (verb === 'pages')
        return (...args: unknown[]) => each(call.apply(target, args), told, around)
      return (...args: unknown[]) =>
        around(told, () => call.apply(target, args) as Promise<unknown>)
    },
  })
}

/** Pages come one by one: each is a call. */
async function* each<T>(pages: AsyncIterable<T>, told: string, around: Around) {
  const all = pages[Symbol.asyncIterator]()
  for (;;) {
    const { done, value } = await around(told, () => all.next())
    if (done) return
    yield value
  }
}
