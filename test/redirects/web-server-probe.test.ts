import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import type { WebServer } from '../../src/redirects/web-server.ts'
import {
  connectWebServer,
  webServerTemplate,
  webServerText,
} from '../../src/redirects/web-server.ts'
import type { Command } from '../../src/services/process/port.ts'
import { run } from '../../src/services/process/run.ts'
import { readTemplate } from '../../src/template.ts'
import { isRequired } from '../requirement.ts'

const really = (command: Command) => run(command, { environment: process.env, timeoutMs: 10_000 })
const HOST = 'social.example.com'
const kinds = ['nginx', 'caddy'] as const

function isMissing(kind: WebServer): boolean {
  try {
    execFileSync(kind, [kind === 'nginx' ? '-v' : 'version'], { timeout: 10_000, stdio: 'ignore' })
    return false
  } catch (cause) {
    if (isRequired(kind)) throw new Error(`There is no ${kind}.`, { cause })
    return true
  }
}

async function blockOf(
  kind: WebServer,
  path: string,
  publicFolder: string | undefined,
  status: 301 | 302 = 302,
  hsts?: string,
): Promise<string> {
  const template = await readTemplate(webServerTemplate(kind, publicFolder !== undefined))
  const prefix = { host: HOST, path }
  return webServerText(template, {
    kind,
    prefix,
    mediaHost: 'files.example.com',
    status,
    publicFolder,
    hsts,
  })
}

const ends: (() => unknown)[] = []
afterEach(async () => {
  for (const end of ends.splice(0).reverse()) await end()
})

/** A socket is a file from its bind on, and answers from its listen on. */
function answers(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const tried = connect(socket, () => {
      tried.destroy()
      resolve(true)
    })
    tried.on('error', () => resolve(false))
  })
}

/** The real program with these blocks, on a socket in a folder of its own. */
async function serve(kind: WebServer, folder: string, blocks: readonly string[]) {
  const [socket, file] = [join(folder, 's'), join(folder, 'whole.conf')]
  const piece = blocks.join('\n')
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi']
  const whole = {
    nginx: `daemon off; master_process off; pid ${folder}/pid; error_log stderr; events {}
http { access_log off; ${temporary.map((name) => `${name}_temp_path ${folder}/${name};`).join(' ')}
server { listen unix:${socket}; ${piece} } }`,
    caddy: `{\n\tadmin off\n\tauto_https off\n}\nhttp://${HOST} {\n\tbind unix/${socket}\n${piece}\n}\n`,
  }
  writeFileSync(file, whole[kind])
  const args = {
    nginx: ['-e', 'stderr', '-p', folder, '-c', file],
    caddy: ['run', '--adapter', 'caddyfile', '--config', file],
  }
  const said: string[] = []
  const home = { HOME: folder, XDG_DATA_HOME: folder, XDG_CONFIG_HOME: folder }
  const child: ChildProcess = spawn(kind, args[kind], { env: { ...process.env, ...home } })
  child.stderr?.on('data', (chunk) => said.push(String(chunk)))
  const ended = new Promise((resolve) => child.on('close', resolve))
  const limit = setTimeout(() => child.kill('SIGKILL'), 20_000)
  ends.push(() => {
    clearTimeout(limit)
    child.kill('SIGKILL')
    return ended
  })
  while (!(await answers(socket))) {
    if (child.exitCode !== null || child.signalCode !== null) throw new Error(said.join(''))
    await sleep(20)
  }
  return (path: string, name = 'x-content-type-options') =>
    new Promise<string>((resolve, reject) => {
      const asking = request({ socketPath: socket, path, headers: { host: HOST } }, (response) => {
        const { location, [name]: sent = '-' } = response.headers
        response.resume()
        resolve(
          `${response.statusCode} ${(name === 'cache-control' ? undefined : location) ?? sent}`,
        )
      })
      asking.setTimeout(5_000, () => asking.destroy(new Error('No answer.')))
      asking.on('error', reject)
      asking.end()
    })
}

describe.each(kinds)('%s', (kind) => {
  const missing = isMissing(kind)
  const folders: string[] = []
  const scratch = () => {
    const folder = mkdtempSync(join(tmpdir(), 'r2-web-'))
    folders.push(folder)
    ends.push(() => rmSync(folder, { recursive: true, force: true }))
    return folder
  }

  test.skipIf(missing)('takes each block, permanent or not', { timeout: 30_000 }, async () => {
    for (const path of ['/system/', '/', '/a.b/c-d_e~f/']) {
      for (const folder of ['/home/mastodon/live/public', '/srv/my "media"', undefined]) {
        for (const status of [301, 302] as const) {
          const hsts = status === 301 ? 'max-age=63072000; includeSubDomains' : undefined
          const block = await blockOf(kind, path, folder, status, hsts)
          expect(block.includes('Strict-Transport-Security')).toBe(
            kind === 'nginx' && status === 301,
          )
          expect(await connectWebServer(really).check(kind, block)).toEqual({ is: 'good' })
        }
      }
    }
  })

  test.skipIf(missing)('says what is wrong with a block', { timeout: 20_000 }, async () => {
    const opinion = await connectWebServer(really).check(kind, 'nonsense {\n')
    expect(opinion).toMatchObject({
      is: 'bad',
      said: expect.stringMatching(/mastodon-r2-redirect/),
    })
  })

  test.skipIf(missing)('does with it what is promised', { timeout: 30_000 }, async () => {
    const folder = scratch()
    mkdirSync(join(folder, 'public/system/accounts'), { recursive: true })
    writeFileSync(join(folder, 'public/system/accounts/here.png'), 'x')
    const visit = await serve(kind, folder, [
      await blockOf(kind, '/system/', join(folder, 'public')),
      await blockOf(kind, '/old/media/', undefined, 301),
    ])
    const target = 'https://files.example.com'
    expect(await visit('/system/accounts/here.png')).toBe('200 nosniff')
    expect(await visit('/system/accounts/gone.png')).toBe(`302 ${target}/accounts/gone.png`)
    expect(await visit('/system/a/b.png?x=1&y=2')).toBe(`302 ${target}/a/b.png?x=1&y=2`)
    expect(await visit('/old/media/a/b.png')).toBe(`301 ${target}/a/b.png`)
    expect(await visit('/system/a%20b/%C3%A4.png')).toBe(`302 ${target}/a%20b/%C3%A4.png`)
    const broken = await visit('/system/a%0d%0aset-cookie:x')
    expect(broken).toMatch(/^(404 -|302 https:\S+%0[dD]%0[aA]set-cookie:x)$/)
    expect(await visit('/other')).not.toContain('files.example.com')
  })

  test.skipIf(missing)('a redirect to try is kept by nobody', { timeout: 30_000 }, async () => {
    const folder = scratch()
    // As many Caddyfiles for Mastodon have it; in nginx a location with a header inherits none.
    const year = 'public, max-age=31536000, immutable'
    const site = { nginx: '', caddy: `header /system/* Cache-Control "${year}"` }
    for (const publicFolder of [join(folder, 'public'), undefined]) {
      for (const status of [301, 302] as const) {
        const block = await blockOf(kind, '/system/', publicFolder, status)
        const visit = await serve(kind, mkdtempSync(join(folder, 's')), [site[kind], block])
        const kept = { nginx: '-', caddy: status === 302 ? 'no-cache' : year }
        expect(await visit('/system/gone.png', 'cache-control')).toBe(`${status} ${kept[kind]}`)
      }
    }
  })

  test.skipIf(missing)('a whole old host', { timeout: 30_000 }, async () => {
    const visit = await serve(kind, scratch(), [await blockOf(kind, '/', undefined)])
    expect(await visit('/media/a.png')).toBe('302 https://files.example.com/media/a.png')
  })

  test('is not asked where it is missing, and what it says of others is no fault', async () => {
    const says = (stderr: string) =>
      connectWebServer(async () => ({ exitCode: 1, stderr })).check(kind, 'x')
    expect(await says('[emerg] mkdir() "/var/lib/x" failed\n')).toEqual({
      is: 'unknown',
      why: '[emerg] mkdir() "/var/lib/x" failed',
    })
    const absent = connectWebServer((command) =>
      really({ ...command, program: 'no-such-web-server' }),
    )
    expect((await absent.check(kind, 'x')).is).toBe('unknown')
  })
})

test.each<[WebServer, string]>([
  ['nginx', '/srv/a\nb'],
  ['nginx', '/srv/$host'],
  ['caddy', '/srv/a\nb'],
  ['caddy', '/srv/{host}'],
])('%s has no way to write the folder %j, which is said', async (kind, folder) => {
  await expect(blockOf(kind, '/system/', folder)).rejects.toMatchObject({
    code: 'folder-unwritable',
  })
})
