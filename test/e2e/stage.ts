import { createHash } from 'node:crypto'
import { chmodSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { Secret } from '../../src/core/secret.ts'
import { exports, flags, type Sandbox, startSandbox } from '../../src/sandbox/sandbox.ts'
import type { LoggedRequest } from '../../src/sandbox/world.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import type { S3Port } from '../../src/services/s3/port.ts'
import { lendEmulator } from '../fakes/lent-emulator.ts'
import { runHere } from './in-process.ts'
import { ENV, LOCAL_DOMAIN, type Machine, machine } from './machine.ts'
import { type Ended, PROGRAM_GIVEN, type Running, type RunOptions, run, start } from './program.ts'

type Extra = Partial<RunOptions>
type ExtraHere = Pick<Extra, 'cwd' | 'env' | 'input'>

/** A Cloudflare and the machines that are set up with it. */
export interface Stage {
  readonly sandbox: Sandbox
  /** A machine with this env file and these other files. */
  machine(envFile?: string, files?: Readonly<Record<string, string>>): Machine
  /** What a person would have exported. */
  environment(machine: Machine): Record<string, string>
  /** Runs `init --yes` (or another command, when `args` starts with its name). */
  init(machine: Machine, args?: readonly string[], extra?: Extra): Promise<Ended>
  /** The same inside this process, in a fraction of the time (see runHere), unless one is to be tried. */
  initHere(machine: Machine, args?: readonly string[], extra?: ExtraHere): Promise<Ended>
  start(machine: Machine, args?: readonly string[], extra?: Extra): Running
  /** The requests since the last call of `forget` that change something. */
  writes(): LoggedRequest[]
  forget(): void
  close(): Promise<void>
}

export const HOST = 'files.example.com'
const COMMANDS = [
  'init',
  'check',
  'rotate',
  'undo',
  'leave',
  'migrate',
  'redirects',
  'sandbox',
  'purge',
  'help',
]

export async function openStage(options: Parameters<typeof startSandbox>[0] = {}): Promise<Stage> {
  const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-e2e-'))
  chmodSync(folder, 0o755)
  const own = { domainMs: 0, keyMs: 0, dir: folder, startEmulator: lendEmulator }
  const sandbox = await startSandbox({ ...own, ...options })
  let seen = 0
  const environment = ({ home, tmp }: Machine) => ({
    HOME: home,
    TMPDIR: tmp,
    ...exports(sandbox),
  })
  const launch = <T>(
    how: (args: readonly string[], options: RunOptions) => T,
    at: Machine,
    args: readonly string[],
    extra: Extra,
  ): T => {
    const [first = '', ...rest] = args
    const command = COMMANDS.includes(first) ? [first, ...rest] : ['init', '--yes', ...args]
    return how([...command, ...(first === 'help' ? [] : flags(sandbox))], {
      cwd: at.dir,
      ...extra,
      env: { ...environment(at), ...extra.env },
    })
  }
  return {
    sandbox,
    machine: (text = LOCAL_DOMAIN, files = {}) => machine(folder, { [ENV]: text, ...files }),
    environment,
    init: (at, args = ['--media-host', HOST], extra = {}) => launch(run, at, args, extra),
    initHere: (at, args = ['--media-host', HOST], extra = {}) =>
      launch(PROGRAM_GIVEN ? run : runHere, at, args, extra),
    start: (at, args = ['--media-host', HOST], extra = {}) => launch(start, at, args, extra),
    writes: () => sandbox.log.slice(seen).filter(({ method }) => !isRead(method)),
    forget() {
      seen = sandbox.log.length
    },
    async close() {
      await sandbox.close()
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

function isRead(method: string): boolean {
  return method === 'GET' || method === 'HEAD' || method === 'OPTIONS'
}

/** The keys that were made for a bucket (all keys unless told), as Mastodon would have them. */
export function keysOf({ world }: Sandbox, bucket = ''): { id: string; secret: string }[] {
  return world.tokens
    .slice(1)
    .filter(({ name }) => name.includes(`${bucket} `))
    .map(({ id, value }) => ({ id, secret: createHash('sha256').update(value).digest('hex') }))
}

/** Waits until something is so; fails with the words after 45 s. */
export async function until(what: string, isSo: () => boolean): Promise<void> {
  for (const end = Date.now() + 45_000; Date.now() < end; await sleep(5)) if (isSo()) return
  throw new Error(`It never came to pass: ${what}.`)
}

/** The first bucket of a stage that is set up, with the first key that was made. */
export function storeOf({ sandbox }: Pick<Stage, 'sandbox'>): S3Port {
  const [key] = keysOf(sandbox)
  if (!key) throw new Error('There is no key.')
  return connectS3({
    endpoint: sandbox.s3Url(),
    bucket: sandbox.world.buckets[0]?.name ?? '',
    key: { accessKeyId: key.id, secretAccessKey: new Secret(key.secret) },
  })
}

/** Puts files of so many bytes into it, as Mastodon does. */
export async function filledBucket(
  stage: Pick<Stage, 'sandbox'>,
  files: Readonly<Record<string, number>>,
): Promise<void> {
  const options = { contentType: 'image/png', cacheControl: 'public, max-age=315576000, immutable' }
  for (const [name, bytes] of Object.entries(files)) {
    await storeOf(stage).put(name, new Uint8Array(bytes), options)
  }
}
