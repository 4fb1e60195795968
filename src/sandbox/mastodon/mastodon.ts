import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { dirname, join } from 'node:path'
import { Readable } from 'node:stream'
import { readTemplate, render } from '../../template.ts'
import type { Answer } from '../doorway.ts'
import { type MediaTree, makeMediaTree } from './media-tree.ts'
import { createService, openPrograms, type Program } from './programs.ts'
import { publicApi } from './public-api.ts'
import { systemctl } from './systemctl.ts'
import { tootctl } from './tootctl.ts'
import { contentType, createUploads, type EnvValues, mediaFolder } from './uploads.ts'

export interface InstanceOptions {
  /** Host of the instance. */
  readonly host: string
  readonly version: string
  /** Mastodon's folder. */
  readonly live: string
  /** Settings that the web part runs with; undefined while it does not serve. */
  settings(): EnvValues | undefined
  /** Keys of its media. */
  readonly keys: readonly string[]
}

/**
 * What a browser gets from the instance: pages with the Content-Security-Policy of the running web
 * part, and, from the web server in front of it, the files of the media folder below /system.
 */
function instanceAnswer(options: InstanceOptions) {
  return async ({ method = 'GET', url = '/' }: IncomingMessage): Promise<Answer> => {
    const path = url.split('?')[0] ?? '/'
    const settings = options.settings()
    const folder = mediaFolder(options.live, settings ?? new Map())
    if (method !== 'GET' && method !== 'HEAD') return answer(404, 'text/plain', 'Not here.\n')
    if (path.startsWith('/system/')) return media(folder, path.slice('/system/'.length))
    if (path === '/sw.js') return answer(200, 'text/javascript', 'self.addEventListener\n')
    if (!settings) return answer(502, 'text/html', '<h1>502 Bad Gateway</h1>\n')
    const policy = { 'content-security-policy': contentSecurityPolicy(options.host, settings) }
    if (path === '/api/v2/instance') {
      const { host: domain, version } = options
      const told = { domain, title: 'Mastodon in a sandbox', version }
      return answer(200, 'application/json; charset=utf-8', JSON.stringify(told), policy)
    }
    const told = publicApi(url, { host: options.host, keys: options.keys, settings })
    if (told) return answer(told.status, 'application/json', JSON.stringify(told.body), policy)
    if (path !== '/') return answer(404, 'text/html', '<h1>404</h1>\n', policy)
    return answer(200, 'text/html; charset=utf-8', '<h1>Mastodon in a sandbox</h1>\n', policy)
  }
}

/** As Mastodon builds it (app/lib/content_security_policy.rb); the alias counts while S3 is off, too. */
function contentSecurityPolicy(host: string, settings: EnvValues): string {
  const value = (name: string) => settings.get(name) ?? ''
  const own = `https://${host}`
  const alias = value('S3_ALIAS_HOST') || value('S3_CLOUDFRONT_HOST')
  const provider = value('S3_ENABLED') === 'true' ? value('S3_HOSTNAME') : ''
  const extra = value('EXTRA_MEDIA_HOSTS').split(/[,\s]+/)
  const hosts = [own, hostUrl(alias || provider), value('CDN_HOST'), ...extra]
  const media = [...new Set(hosts.filter((one) => one !== ''))].join(' ')
  return [
    "default-src 'none'",
    "frame-ancestors 'none'",
    `font-src 'self' ${own}`,
    `img-src 'self' data: blob: ${media}`,
    `media-src 'self' data: ${media}`,
    `connect-src 'self' data: blob: ${media} wss://${host}`,
    `script-src 'self' ${own}`,
    `style-src 'self' ${own}`,
  ].join('; ')
}

function hostUrl(host: string): string {
  return host === '' || /^https?:/.test(host) ? host : `https://${host}`
}

async function media(folder: string, path: string): Promise<Answer> {
  const key = decoded(path)
  const parts = key?.split('/') ?? []
  const isFine = key !== undefined && !parts.some((part) => /^\.|^$|\0/.test(part))
  const body = isFine ? await readFile(join(folder, key)).catch(() => undefined) : undefined
  if (!body) return answer(404, 'text/html', '<h1>404</h1>\n')
  const headers = {
    'content-type': contentType(path),
    'content-length': body.length,
    'cache-control': 'public, max-age=2419200, immutable',
    'x-content-type-options': 'nosniff',
  }
  return { status: 200, headers, body: Readable.from([body], { objectMode: false }) }
}

function decoded(path: string): string | undefined {
  try {
    return decodeURIComponent(path)
  } catch {
    return undefined
  }
}

function answer(
  status: number,
  type: string,
  body: string,
  headers: Answer['headers'] = {},
): Answer {
  const own = { 'content-type': type, 'content-length': Buffer.byteLength(body) }
  return { status, headers: { ...own, ...headers }, body }
}

/** The newest release line whose settings the sandbox knows. */
const MASTODON_VERSION = '4.5.2'

/** Classes of Mastodon that have files. */
const CLASSES = /^(cache\/)?(accounts|custom_emojis|media_attachments|preview_cards|site_uploads)\//

/**
 * `rails runner`, as far as it is asked whose media is hidden (it tells keys, as it does with S3), and
 * which of the keys on standard input its database names.
 */
function rails({ suspended }: MediaTree, isKnown: (key: string) => boolean): Program {
  return async ({ args: [command, code = ''], input = '', out, err }) => {
    const asks = command === 'runner' ? code : ''
    if (!asks.includes('Account.suspended') && !asks.includes('.variant?')) {
      err('The sandbox knows two questions of "rails runner" only.')
      return 1
    }
    out('I, [2026-11-29T10:00:00.000000 #1]  INFO -- : [dotenv] Loaded .env.production')
    if (asks.includes('Account.suspended')) {
      for (const key of suspended) out(key)
      return 0
    }
    const keys = input.split('\n').filter((key) => key !== '')
    for (const key of keys) {
      if (!CLASSES.test(key)) out(`mastodon-r2 unclear ${key}`)
      else if (isKnown(key)) out(`mastodon-r2 knows ${key}`)
    }
    out(`mastodon-r2 asked ${keys.length}`)
    return 0
  }
}

/** Lays out what a Mastodon run from source has, as far as it is looked at; media comes on top. */
async function makeMastodonFolder(live: string, host: string): Promise<void> {
  const [major, minor, patch] = MASTODON_VERSION.split('.')
  const put = async (path: string, text: string, mode = 0o644) => {
    await mkdir(dirname(join(live, path)), { recursive: true })
    await writeFile(join(live, path), text, { mode })
  }
  const env = render(await readTemplate('sandbox-mastodon.txt'), {
    HOST: host,
    SECRET: randomBytes(64).toString('hex'),
    PASSWORD: randomBytes(12).toString('hex'),
  })
  await put('.env.production', env, 0o600)
  await put(
    'lib/mastodon/version.rb',
    `# frozen_string_literal: true

module Mastodon
  module Version
    module_function

    def major
      ${major}
    end

    def minor
      ${minor}
    end

    def patch
      ${patch}
    end

    def default_prerelease
      ''
    end
  end
end
`,
  )
  await put('public/packs/manifest.json', '{}\n')
}

export interface MastodonOptions {
  /** How many media files it has. */
  readonly media: number
  /** Of the media; 1 unless told. */
  readonly seed?: number
  /** `social.example.com` unless told. */
  readonly host?: string
  /** New media a second while it runs, half of it by each part; none unless told. */
  readonly uploadsPerSecond?: number
  /** From a start until a service serves, milliseconds; 300 unless told. */
  readonly bootMs?: number
  /** Node's program; the one in PATH unless told. */
  readonly node?: string
}

/** A Mastodon that runs on this machine, as far as its media is concerned. */
export interface Mastodon {
  /** For --mastodon-dir. */
  readonly dir: string
  /** To be put in front of PATH: systemctl, tootctl, sudo. */
  readonly bin: string
  /** One line of JSON for each call of these; see NotedCall. */
  readonly calls: string
  /** One line of JSON for each file that it stored; see Upload. */
  readonly uploads: string
  readonly host: string
  readonly tree: MediaTree
  /** Files of the tree whose rows are gone from its database, as when a post is deleted. */
  readonly deleted: Set<string>
  /** What its web address answers. */
  answer(message: IncomingMessage): Promise<Answer>
  /** Its processes end. */
  close(): Promise<void>
}

/** `dir`: an empty folder; `reach`: where an S3_ENDPOINT is found on this machine. */
export async function startMastodon(
  dir: string,
  reach: (endpoint: string) => string,
  options: MastodonOptions,
): Promise<Mastodon> {
  const { media, seed = 1, host = 'social.example.com', uploadsPerSecond = 0 } = options
  const { bootMs = 300, node = 'node' } = options
  const [live, bin, calls, uploadLog] = ['live', 'bin', 'calls.jsonl', 'uploads.jsonl'].map(
    (name) => join(dir, name),
  ) as [string, string, string, string]
  await makeMastodonFolder(live, host)
  const tree = await makeMediaTree(join(live, 'public/system'), { files: media, seed })
  const known = new Set(tree.files.map(({ key }) => key))
  const deleted = new Set<string>()
  const programs = await openPrograms({ dir: join(dir, 'programs'), node, log: calls })
  const uploads = createUploads({ live, log: uploadLog, reach })
  const script = join(dir, 'programs/service.mjs')
  await writeFile(script, await readTemplate('sandbox-service.mjs'))
  const everyMs = uploadsPerSecond === 0 ? 0 : Math.round(2000 / uploadsPerSecond)
  const own = { node, script, live, bootMs, everyMs, uploads }
  const [web, sidekiq] = [
    createService({ ...own, role: 'web' }),
    createService({ ...own, role: 'sidekiq' }),
  ]
  const close = async () => {
    await Promise.all([web.stop(), sidekiq.stop()])
    await programs.close()
  }
  try {
    const units = new Map([
      ['mastodon-web', web],
      ['mastodon-sidekiq', sidekiq],
    ])
    await programs.install(bin, 'systemctl', systemctl(units))
    await programs.install(bin, 'tootctl', tootctl(live))
    await programs.install(join(live, 'bin'), 'tootctl', tootctl(live))
    const isKnown = (key: string) => known.has(key) && !deleted.has(key)
    await programs.install(join(live, 'bin'), 'rails', rails(tree, isKnown))
    await writeFile(join(bin, 'sudo'), await readTemplate('sandbox-sudo.sh'), { mode: 0o755 })
    await Promise.all([web.start(), sidekiq.start()])
  } catch (error) {
    await close()
    throw error
  }
  const settings = () => web.settings()
  const keys = tree.files.map(({ key }) => key)
  const answer = instanceAnswer({ host, version: MASTODON_VERSION, live, settings, keys })
  return { dir: live, bin, calls, uploads: uploadLog, host, tree, deleted, answer, close }
}
