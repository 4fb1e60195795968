import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Problem } from '../core/problem.ts'
import type { Command } from '../services/process/command.ts'
import type { Opinion, WebServer, WebServerPort } from './port.ts'

/** Runs a program to its end; one that can't be started is a Problem. */
type Run = (
  command: Command,
) => Promise<{ readonly exitCode: number | undefined; readonly stderr: string }>

const PIECE = 'mastodon-r2-redirect.conf'

/** Asks `nginx -t` or `caddy adapt` about a configuration in a scratch folder. */
export function connectWebServer(run: Run): WebServerPort {
  return {
    async check(kind, piece) {
      const folder = await mkdtemp(join(tmpdir(), `mastodon-r2-${kind}-`))
      try {
        await writeFile(join(folder, PIECE), piece)
        await writeFile(join(folder, 'whole.conf'), wholes[kind](folder))
        return await ask(run, commands[kind](folder))
      } finally {
        await rm(folder, { recursive: true, force: true })
      }
    },
  }
}

/** A user other than root may not write to the folders that nginx was built with. */
const TEMPORARY = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']

const wholes: Record<WebServer, (folder: string) => string> = {
  nginx: (folder) => `pid ${folder}/pid;
error_log stderr;
events {}
http {
  access_log off;
${TEMPORARY.map((name) => `  ${name}_temp_path ${folder}/${name};\n`).join('')}  server {
    listen unix:${folder}/socket;
    include ${folder}/${PIECE};
  }
}
`,
  caddy: (folder) => `:8080 {
	import ${folder}/${PIECE}
}
`,
}

const commands: Record<WebServer, (folder: string) => Command> = {
  nginx: (folder) => ({
    program: 'nginx',
    args: ['-t', '-q', '-e', 'stderr', '-p', folder, '-c', `${folder}/whole.conf`],
    env: {},
  }),
  caddy: (folder) => ({
    program: 'caddy',
    args: ['adapt', '--adapter', 'caddyfile', '--config', `${folder}/whole.conf`],
    env: {},
  }),
}

/** Only what it says about our piece is held against the piece. */
async function ask(run: Run, command: Command): Promise<Opinion> {
  try {
    const { exitCode, stderr } = await run(command)
    if (exitCode === 0) return { is: 'good' }
    const lines = stderr.split('\n').filter((line) => line.trim() !== '')
    const said = lines.find((line) => line.includes(PIECE))
    if (said !== undefined) return { is: 'bad', said }
    return { is: 'unknown', why: lines[0] ?? `${command.program} ended with ${exitCode}` }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { is: 'unknown', why: error.what }
  }
}
