import { readFile } from 'node:fs/promises'
import type { IncomingMessage } from 'node:http'
import { join } from 'node:path'
import { Readable } from 'node:stream'
import type { Answer } from '../doorway.ts'
import { contentType } from './content-type.ts'
import type { EnvValues } from './env-values.ts'
import { mediaFolder } from './uploads.ts'

export interface InstanceOptions {
  /** Host of the instance. */
  readonly host: string
  readonly version: string
  /** Mastodon's folder. */
  readonly live: string
  /** Settings that the web part runs with; undefined while it does not serve. */
  settings(): EnvValues | undefined
}

/**
 * What a browser gets from the instance: pages with the Content-Security-Policy of the running web
 * part, and, from the web server in front of it, the files of the media folder below /system.
 */
export function instanceAnswer(options: InstanceOptions) {
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
