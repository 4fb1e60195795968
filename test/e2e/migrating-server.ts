import { execFileSync } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { Secret } from '../../src/core/secret.ts'
import type { Mastodon } from '../../src/sandbox/mastodon/mastodon.ts'
import type { Upload } from '../../src/sandbox/mastodon/uploads.ts'
import { connectS3 } from '../../src/services/s3/client.ts'
import { isRequired } from '../requirement.ts'
import { call } from '../sandbox/mastodon/running.ts'
import { visitInstance } from '../sandbox/mastodon/visit-instance.ts'
import { ENV, type Machine } from './machine.ts'
import type { Ended, Running, RunOptions } from './program.ts'
import { remember } from './remembered.ts'
import { HOST, keysOf, openStage, type Stage } from './stage.ts'

/** What `init` calls it. */
export const BUCKET = 'social-example-com-media'

/** The reason why nothing can be copied here; undefined when it can. */
export const rcloneMissing = whyNoRclone()

function whyNoRclone(): string | undefined {
  try {
    execFileSync('rclone', ['version'], { timeout: 10_000 })
    return undefined
  } catch (cause) {
    if (isRequired('rclone')) throw new Error('There is no rclone.', { cause })
    return '(there is no rclone here)'
  }
}

/** What happens when a program is called with such arguments (a pattern of sh). */
export interface Trap {
  readonly program: string
  readonly args: string
  /** It does nothing and fails; or our program is gone or gets Ctrl-C, before or after it did its work. */
  readonly then: 'fail' | 'fail-once' | 'kill-before' | 'kill-after' | 'interrupt-once'
}

/** A Mastodon that runs, people who upload to it, and a bucket that `init` prepared for it. */
export interface MigratingServer {
  readonly stage: Stage
  readonly mastodon: Mastodon
  readonly at: Machine
  /** What is put in front of PATH; empty. */
  readonly traps: string
  readonly env: Readonly<Record<'PATH' | 'XDG_STATE_HOME', string>>
  migrate(args: readonly string[], extra?: Partial<RunOptions>): Promise<Ended>
  /** The same inside this process: for what has to be done before a test begins. */
  migrateHere(args: readonly string[]): Promise<Ended>
  start(args: readonly string[], extra?: Partial<RunOptions>): Running
  trap(trap: Trap): void
  /** The env file as it was after `init`, and all services at work; notes of copies stay. */
  back(): Promise<void>
  /** As `back`, with Cloudflare as it was then: no notes of copies, an empty bucket, no uploads. */
  anew(): Promise<void>
  uploads(): Upload[]
  /** Waits until both parts have stored something there from now on. */
  storesIn(where: Upload['where']): Promise<void>
  /** Of the uploads, those whose bytes are not in the bucket. */
  lost(): Promise<Upload[]>
  /** ETag by key. */
  stored(): Promise<Map<string, string>>
  /** Calls of systemctl and tootctl, one line each. */
  calls(): string[]
  close(): Promise<void>
}

interface Options {
  readonly media?: number
  readonly uploadsPerSecond?: number
  /** What Mastodon's env file holds besides, before `init`. */
  readonly settings?: (stage: Stage) => Promise<string>
  /** Flags of `init` besides the host. */
  readonly init?: readonly string[]
}

export async function openMigratingServer(options: Options = {}): Promise<MigratingServer> {
  const { media = 60, uploadsPerSecond = 0 } = options
  const node = process.execPath
  const stage = await openStage({
    emulator: 'eager',
    mastodon: { media, uploadsPerSecond, bootMs: 50, node },
  })
  const { mastodon } = stage.sandbox
  if (!mastodon) throw new Error('The sandbox has no Mastodon.')
  const at = inFolder(stage.machine(), mastodon.dir)
  const traps = join(at.home, 'traps')
  const stateHome = join(at.home, 'state')
  for (const folder of [traps, stateHome]) mkdirSync(folder)
  const env = { PATH: `${traps}:${mastodon.bin}:${process.env.PATH}`, XDG_STATE_HOME: stateHome }
  const restart = async () => {
    const units = 'mastodon-web mastodon-sidekiq'
    const { code, stderr } = await call(mastodon, `systemctl restart ${units}`)
    expect(code, stderr).toBe(0)
    // Rails boots: until then the web server in front of it has nobody to ask.
    for (let tries = 0; (await visitInstance(stage.sandbox, '/')).status !== 200; tries += 1) {
      expect(tries).toBeLessThan(500)
      await sleep(20)
    }
  }
  if (options.settings) {
    at.write(ENV, `${at.read()}${await options.settings(stage)}`)
    await restart()
  }
  const given = ['--media-host', HOST, '--existing-media', 'prepare', ...(options.init ?? [])]
  const ended = await stage.initHere(at, given, { env })
  expect(ended.code, ended.stdout + ended.stderr).toBe(0)
  const prepared = at.read()
  const cloudflareBack = remember(stage.sandbox)
  const lines = <T>(path: string) =>
    readFileSync(path, 'utf8')
      .split('\n')
      .filter(Boolean)
      .map((line) => JSON.parse(line) as T)
  let forgotten = 0
  const uploads = () => lines<Upload>(mastodon.uploads).slice(forgotten)
  const launched = (extra: Partial<RunOptions>) => ({ ...extra, env: { ...env, ...extra.env } })
  const bucket = () => {
    const [key] = keysOf(stage.sandbox, BUCKET)
    if (!key) throw new Error('There is no key.')
    const s3Key = { accessKeyId: key.id, secretAccessKey: new Secret(key.secret) }
    return connectS3({ endpoint: stage.sandbox.s3Url(), bucket: BUCKET, key: s3Key })
  }
  const back = async () => {
    stage.sandbox.faults.clear()
    for (const name of readdirSync(traps)) rmSync(join(traps, name))
    at.write(ENV, prepared)
    await restart()
  }
  const stored = async () => {
    const s3 = bucket()
    const found = new Map<string, string>()
    for await (const page of s3.pages()) for (const { key, etag } of page) found.set(key, etag)
    return found
  }
  return {
    stage,
    mastodon,
    at,
    traps,
    env,
    migrate: (args, extra = {}) => stage.init(at, ['migrate', ...args], launched(extra)),
    migrateHere: (args) => stage.initHere(at, ['migrate', ...args], { env }),
    start: (args, extra = {}) => stage.start(at, ['migrate', ...args], launched(extra)),
    trap(trap) {
      const path = join(traps, trap.program)
      rmSync(`${path}.struck`, { force: true })
      writeFileSync(path, trapText(trap, mastodon.bin), { mode: 0o755 })
    },
    back,
    async anew() {
      cloudflareBack()
      await back()
      for (const name of readdirSync(stateHome)) rmSync(join(stateHome, name), { recursive: true })
      const keys = [...(await stored()).keys()]
      if (keys.length > 0) await bucket().deleteMany(keys)
      forgotten += uploads().length
    },
    uploads,
    async storesIn(where) {
      const since = new Date().toISOString()
      for (const end = Date.now() + 15_000; Date.now() < end; await sleep(50)) {
        const fresh = uploads().filter((one) => one.at > since && one.where === where)
        if (new Set(fresh.map(({ by }) => by)).size === 2) return
      }
      throw new Error(`Nobody stores in the ${where}. ${JSON.stringify(uploads().slice(-6))}`)
    },
    async lost() {
      const all = uploads().filter(({ error }) => error === undefined)
      const there = await stored()
      return all.filter(({ key, md5 }) => there.get(key) !== md5)
    },
    stored,
    calls: () =>
      lines<{ program: string; args: string[] }>(mastodon.calls).map(({ program, args }) =>
        [program, ...args].join(' '),
      ),
    close: () => stage.close(),
  }
}

/** The Mastodon of the sandbox as a machine of the tests; its home is elsewhere. */
function inFolder(machine: Machine, dir: string): Machine {
  const path = (name: string) => join(dir, name)
  return {
    ...machine,
    dir,
    path,
    read: (name = ENV) => readFileSync(path(name), 'utf8'),
    write: (name, text) => writeFileSync(path(name), text, { mode: 0o600 }),
  }
}

function trapText({ program, args, then }: Trap, bin: string): string {
  const real = `'${join(bin, program)}' "$@"`
  const acts: Record<Trap['then'], string> = {
    fail: 'echo "Job failed." >&2; exit 1',
    'fail-once': `[ -e "$0.struck" ] || { touch "$0.struck"; echo "Job failed." >&2; exit 1; }`,
    'interrupt-once': `[ -e "$0.struck" ] || { touch "$0.struck"; ${real}; kill -INT $PPID; exit 0; }`,
    'kill-before': 'kill -9 $PPID; exit 1',
    'kill-after': `${real}; kill -9 $PPID; exit 1`,
  }
  return `#!/bin/sh\ncase "$*" in\n  ${args}) ${acts[then]} ;;\nesac\nexec ${real}\n`
}
