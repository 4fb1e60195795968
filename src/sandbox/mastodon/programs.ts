import { type ChildProcess, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { text } from 'node:stream/consumers'
import { shellWord } from '../../core/shell-word.ts'
import { readTemplate, render } from '../../template.ts'
import { type EnvValues, envValues, type Uploads } from './uploads.ts'

/** One call of a program that the sandbox stands in for. */
export interface ProgramCall {
  readonly args: readonly string[]
  readonly cwd: string
  /** What it was given to read, where it reads. */
  readonly input?: string
  out(line: string): void
  err(line: string): void
  /** Aborted when the program was ended. */
  readonly signal: AbortSignal
}

/** Does what the real program would in effect; gives its exit code. */
export type Program = (call: ProgramCall) => Promise<number>

/** Programs on disk that are carried out here. */
export interface Programs {
  /** Puts `name` into a folder; each call of it is noted and handed to `program`. */
  install(folder: string, name: string, program: Program): Promise<void>
  close(): Promise<void>
}

/** One line of the log: what was asked of which program. */
export interface NotedCall {
  readonly at: string
  readonly program: string
  readonly args: readonly string[]
  readonly cwd: string
  /** Those few that matter to the program, none of them secret. */
  readonly env: Readonly<Record<string, string>>
}

export interface ProgramsOptions {
  /** A folder of its own for what the programs need. */
  readonly dir: string
  /** Node's program. */
  readonly node: string
  /** Gets one line of JSON for each call. */
  readonly log: string
}

/** Only who can read the programs can call them: they hold a password. */
export async function openPrograms({ dir, node, log }: ProgramsOptions): Promise<Programs> {
  const known = new Map<string, Program>()
  const password = randomBytes(16).toString('hex')
  const server = createServer((message, response) => {
    serve({ known, password, log }, message, response).catch(() => response.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  await mkdir(dir, { recursive: true })
  const caller = join(dir, 'call.mjs')
  await writeFile(caller, await readTemplate('sandbox-call.mjs'))
  writeFileSync(log, '')
  const { port } = server.address() as AddressInfo
  const template = await readTemplate('sandbox-program.sh')
  return {
    async install(folder, name, program) {
      known.set(name, program)
      const url = `http://127.0.0.1:${port}/${password}/${name}`
      const values = { NAME: name, URL: url, NODE: shellWord(node), CALLER: shellWord(caller) }
      await mkdir(folder, { recursive: true })
      await writeFile(join(folder, name), render(template, values))
      await chmod(join(folder, name), 0o755)
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

interface Desk {
  readonly known: ReadonlyMap<string, Program>
  readonly password: string
  readonly log: string
}

/** Answers `1 line` for standard output, `2 line` for errors, and at the end `exit code`. */
async function serve(
  { known, password, log }: Desk,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [, word, name = ''] = (message.url ?? '').split('/')
  const program = known.get(name)
  if (word !== password || !program) {
    response.writeHead(404).end()
    return
  }
  const {
    args,
    cwd,
    env,
    input = '',
  } = JSON.parse(await text(message)) as Omit<NotedCall, 'at' | 'program'> & { input?: string }
  const at = new Date().toISOString()
  const noted: NotedCall = { at, program: name, args, cwd, env }
  appendFileSync(log, `${JSON.stringify(noted)}\n`)
  const ended = new AbortController()
  response.on('close', () => ended.abort())
  const tell = (stream: string) => (line: string) => void response.write(`${stream} ${line}\n`)
  const code = await program({
    args,
    cwd,
    input,
    out: tell('1'),
    err: tell('2'),
    signal: ended.signal,
  })
  response.end(`exit ${code}\n`)
}

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
