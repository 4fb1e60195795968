import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { counted } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import type { Command } from '../services/process/port.ts'
import { render } from '../template.ts'
import { follow } from './known-media.ts'
import { type OldPrefix, prefixName, type Redirecting } from './redirecting.ts'

/** The web server's own opinion about a piece of its configuration, in a scratch one; nothing live is touched. */
export interface WebServerPort {
  check(kind: WebServer, piece: string): Promise<Opinion>
}

export type WebServer = 'nginx' | 'caddy'

export type Opinion =
  | { readonly is: 'good' }
  /** Its words, one line. */
  | { readonly is: 'bad'; readonly said: string }
  /** Not on this machine, or it could not say. */
  | { readonly is: 'unknown'; readonly why: string }

type Needs = 'web' | 'connectS3' | 'place' | 'clock'

export interface WebServerBlock {
  readonly kind: WebServer
  readonly prefix: OldPrefix
  /** An address of the instance itself: files of this machine come first. */
  readonly isHere: boolean
  /** Why the web server, and not Cloudflare; undefined when it was asked for. */
  readonly why: string | undefined
  /** The block with this status; `hsts` is the Strict-Transport-Security header to keep. */
  text(status: 301 | 302, hsts?: string): string
  readonly webServer: WebServerPort
  /** Called with what the person has to put in place. */
  readonly told: (block: { readonly title: string; readonly text: string }) => void
}

/**
 * The web server's files belong to the person: the block is shown, checked and, once it is in place,
 * proven. Permanent is only shown once temporary was seen to work.
 */
export function webServerBlock(redirecting: Redirecting, block: WebServerBlock): Step<Needs> {
  const { kind, prefix, isHere, why, webServer } = block
  const { mediaHost, status } = redirecting

  async function later(at: Pick<World, 'web'>, code: 301 | 302, note: string): Promise<Finding> {
    const text = block.text(code, kind === 'nginx' ? await hstsOf(at, prefix) : undefined)
    const opinion = await webServer.check(kind, text)
    if (opinion.is === 'bad') throw refused(kind, opinion.said)
    const checked =
      opinion.is === 'good' ? `checked by ${kind} on this machine` : `not checked: ${opinion.why}`
    const title = `For ${kind}, in the block of ${prefix.host} (${checked})`
    block.told({ title, text })
    return { is: 'later', note, next: `${title}:\n${text}` }
  }

  return {
    id: `web-server:${prefixName(prefix)}`,
    title: `Redirect ${prefixName(prefix)} (${kind})`,

    async look(at): Promise<Finding> {
      const key = await keyNotHere(at)
      const led = await follow(at, prefix, key, mediaHost)
      if ('fault' in led) {
        // Where files of this machine come first, nothing new is out of sight.
        const problem = isHere ? undefined : await redirecting.notYet?.()
        if (problem) return { is: 'later', note: problem.what, next: problem.next }
        const reason = why === undefined ? '' : `${why}; `
        return later(
          at,
          302,
          `${reason}put the block below in place, reload ${kind}, run this again`,
        )
      }
      if (led.status === status) {
        const kept = status === 302 ? keptNote(led.keptFor) : ''
        return { is: 'ready', note: `leads to https://${mediaHost}/ with ${status}, seen${kept}` }
      }
      const now = `works with ${led.status}, seen`
      const word = status === 301 ? 'make it permanent' : 'make it temporary'
      return later(at, status, `${now}; ${word} with the block below`)
    },
  }

  /** A file that is on this disk is served, not redirected; nothing is asked of the media host here. */
  async function keyNotHere(at: Pick<World, Needs>): Promise<string> {
    const unused = `mastodon-r2-probe/${at.clock.randomHex(32)}.txt`
    for (const key of await redirecting.known.keys(at)) {
      if ((await redirecting.local?.find(key)) === undefined) return key
    }
    return unused
  }
}

const DAY_S = 86_400

/** A redirect that is kept is there for as long, also after the block was taken out. */
function keptNote(seconds: number): string {
  const days = Math.floor(seconds / DAY_S)
  if (days < 1) return ''
  return `; browsers keep it for ${counted(days, 'day')}, as the web server's Cache-Control says`
}

/**
 * The header as the old address sends it now: a location that sets any header inherits none in nginx, so
 * that the block would take it away. Undefined where there is none, or nothing answers.
 */
async function hstsOf({ web }: Pick<World, 'web'>, { host, path }: OldPrefix) {
  try {
    const { header } = await web.fetch(`https://${host}${path}`, { method: 'HEAD' })
    const [value = ''] = header('strict-transport-security')
    return /^max-age="?\d+"?(\s*;\s*[A-Za-z]+)*\s*;?$/.test(value)
      ? value.replaceAll('"', '')
      : undefined
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  }
}

function refused(kind: WebServer, said: string): Problem {
  return new Problem({
    code: 'web-server-block-refused',
    what: `${kind} on this machine does not take the block that was made for it.`,
    why: said,
    next: 'The web server is as it was. Use --via single where Cloudflare is in front, and please report this.',
  })
}

/** Names below templates/. `here`: files of this machine come first. */
export function webServerTemplate(kind: WebServer, here: boolean): string {
  const ending = { nginx: 'conf', caddy: 'txt' } as const
  return `redirect-${kind}${here ? '' : '-away'}.${ending[kind]}`
}

export interface WebServerWish {
  readonly kind: WebServer
  readonly prefix: OldPrefix
  readonly mediaHost: string
  readonly status: 301 | 302
  /** Folder that the web server serves files from, where there are any at the old address. */
  readonly publicFolder: string | undefined
  /** The Strict-Transport-Security header that nginx goes on sending. */
  readonly hsts?: string | undefined
}

/** The block for the web server's configuration. */
export function webServerText(template: string, wish: WebServerWish): string {
  const { kind, prefix, mediaHost, status, publicFolder, hsts } = wish
  const names = {
    PREFIX: `https://${prefixName(prefix)}`,
    MEDIA_HOST: mediaHost,
    HOST: prefix.host,
    PATH: prefix.path,
  }
  const how =
    kind === 'nginx'
      ? {
          PATTERN: prefix.path.replaceAll('.', '\\.'),
          FLAG: status === 301 ? 'permanent' : 'redirect',
        }
      : { STATUS: String(status), ...(status === 302 ? { FRESH: 'no-cache' } : {}) }
  const root = publicFolder === undefined ? {} : { ROOT: rootOf(wish, publicFolder) }
  const named = kind === 'nginx' && publicFolder !== undefined ? { NAME: locationName(prefix) } : {}
  const kept = kind === 'nginx' && hsts !== undefined ? { HSTS: hsts } : {}
  return render(template, { ...names, ...how, ...root, ...named, ...kept })
}

/** Of nginx's second location; a server block may have one for each path. */
function locationName({ path }: OldPrefix): string {
  return `mastodon_r2${path.replaceAll(/\W+/g, '_').replace(/_$/, '')}`
}

/** nginx looks for the whole path below its root, Caddy for what follows the prefix. */
function rootOf({ kind, prefix }: WebServerWish, folder: string): string {
  const path = kind === 'nginx' ? folder : `${folder.replace(/\/$/, '')}${prefix.path}`
  if ((kind === 'nginx' ? /[\p{Cc}$]/u : /[\p{Cc}{}]/u).test(path)) throw unwritable(kind, path)
  return /^[\w./@+-]+$/.test(path) ? path : `"${path.replaceAll(/["\\]/g, '\\$&')}"`
}

/** Neither has a way to write its own signs of variables so that they stand for themselves. */
function unwritable(kind: WebServer, path: string): Problem {
  return new Problem({
    code: 'folder-unwritable',
    what: `The folder ${path} can't be written into the configuration of ${kind}.`,
    why: `Its name has a character that ends a line, that can not be seen, or that ${kind} takes for a variable.`,
    next: 'Use --via single where Cloudflare is in front, or write the redirect by hand.',
    exit: 2,
  })
}

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
