import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createInterface } from 'node:readline'
import { type EnvValues, envValues } from './env-values.ts'
import type { Uploads } from './uploads.ts'

export interface ServiceOptions {
  readonly role: 'web' | 'sidekiq'
  /** Node's program, and the text of templates/sandbox-service.mjs on disk. */
  readonly node: string
  readonly script: string
  /** Mastodon's folder. */
  readonly live: string
  /** From the start until it serves, milliseconds. */
  readonly bootMs: number
  /** Between two uploads, milliseconds; 0 for none. */
  readonly everyMs: number
  readonly uploads: Uploads
}

/** Mastodon's web part or its Sidekiq, as a process that `ps` shows. */
export interface Service {
  readonly role: 'web' | 'sidekiq'
  readonly pid: number | undefined
  /** The settings of what serves now; undefined while nothing does. */
  settings(): EnvValues | undefined
  /** Resolves before it serves, as systemd does for a simple unit. */
  start(): Promise<void>
  /** Work that was begun is finished first. */
  stop(): Promise<void>
  /** Web only: new workers take over once they serve. Resolves at once. */
  reload(): void
  kill(signal: NodeJS.Signals): void
}

/** systemd's patience with Mastodon's units, milliseconds. */
const STOP_MS = 15_000

export function createService(options: ServiceOptions): Service {
  const { role, node, script, live, bootMs, everyMs, uploads } = options
  let child: ChildProcess | undefined
  const begun = new Map<string, EnvValues>()
  let serving: string | undefined

  const hear = (of: ChildProcess, line: string) => {
    const [word, pid = ''] = line.split(' ')
    if (word === 'begin') begun.set(pid, envValues(live))
    if (word === 'ready') serving = pid
    if (word === 'end') begun.delete(pid)
    if (word !== 'tick') return
    const settings = begun.get(pid) ?? envValues(live)
    void uploads.store(role, settings).then(() => {
      if (role === 'sidekiq' && of.stdin?.writable) of.stdin.write('done\n')
    })
  }
  return {
    role,
    get pid() {
      return child?.pid
    },
    settings: () => (serving === undefined ? undefined : begun.get(serving)),
    async start() {
      if (child) return
      const args = [script, role, String(bootMs), String(everyMs)]
      const started = spawn(node, args, { cwd: live, stdio: ['pipe', 'pipe', 'ignore'] })
      child = started
      started.stdin.on('error', () => undefined)
      createInterface({ input: started.stdout }).on('line', (line) => hear(started, line))
      started.on('close', () => {
        child = undefined
        serving = undefined
        begun.clear()
      })
      await once(started, 'spawn')
    },
    async stop() {
      if (!child) return
      const ended = once(child, 'close')
      const late = setTimeout(() => child?.kill('SIGKILL'), STOP_MS)
      child.kill()
      await ended
      clearTimeout(late)
      await uploads.settled(role)
    },
    reload: () => void child?.stdin?.write('reload\n'),
    kill: (signal) => void child?.kill(signal),
  }
}
