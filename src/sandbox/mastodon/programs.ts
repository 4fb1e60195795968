import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { appendFileSync, writeFileSync } from 'node:fs'
import { chmod, mkdir, writeFile } from 'node:fs/promises'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { readTemplate } from '../../read-template.ts'
import { render } from '../../template.ts'
import type { Program } from './program-call.ts'

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
      const values = { NAME: name, URL: url, NODE: quoted(node), CALLER: quoted(caller) }
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
  const { args, cwd, env } = JSON.parse(await text(message)) as Omit<NotedCall, 'at' | 'program'>
  const at = new Date().toISOString()
  const noted: NotedCall = { at, program: name, args, cwd, env }
  appendFileSync(log, `${JSON.stringify(noted)}\n`)
  const ended = new AbortController()
  response.on('close', () => ended.abort())
  const tell = (stream: string) => (line: string) => void response.write(`${stream} ${line}\n`)
  const code = await program({ args, cwd, out: tell('1'), err: tell('2'), signal: ended.signal })
  response.end(`exit ${code}\n`)
}

function quoted(path: string): string {
  return `'${path.replaceAll("'", `'\\''`)}'`
}
