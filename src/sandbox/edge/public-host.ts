import { once } from 'node:events'
import type { IncomingMessage } from 'node:http'
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { createSecureContext, type SecureContext } from 'node:tls'
import { noteOperation } from '../analytics.ts'
import type { Authority } from '../certificate.ts'
import { type Answer, doorway, type SandboxContext } from '../doorway.ts'
import { headersFromEmulator } from '../r2/body.ts'
import type { EmulatorPool } from '../r2/emulator.ts'
import type { SandboxBucket, SandboxDomain, World } from '../world.ts'
import { fromCache, keep, kept, secondsOf } from './cache.ts'
import { corsHeaders, preflight } from './cors.ts'
import { RuleLanguageError } from './language.ts'
import {
  answerAtEdge,
  type CacheSettings,
  cacheSettings,
  refusedToStrangers,
  responseHeaders,
} from './rules.ts'

/** Extensions that Cloudflare caches by default (docs, cache: Default cache behavior). */
const cached = new Set(
  (
    '7z avi avif apk bin bmp bz2 class css csv dmg doc docx ejs eot eps exe flac gif gz ico iso ' +
    'jar jpeg jpg js mid midi mkv mp3 mp4 ogg otf pdf pict pls png ppt pptx ps rar svg svgz swf ' +
    'tar tif tiff ttf webm webp woff woff2 xls xlsx zip zst'
  ).split(' '),
)

/**
 * `cf-cache-status` of what did not come out of the cache. `cache` is what the zone's cache rules say,
 * undefined where they say nothing.
 */
function cacheStatus(path: string, cache?: boolean): 'MISS' | 'DYNAMIC' | 'BYPASS' {
  if (cache !== undefined) return cache ? 'MISS' : 'BYPASS'
  const extension = /\.([a-z0-9]+)$/i.exec(path)?.[1]?.toLowerCase() ?? ''
  return cached.has(extension) ? 'MISS' : 'DYNAMIC'
}

/** Addresses that were not found, as Cloudflare's cache keeps them. */
export interface MissingMemory {
  has(address: string): boolean
  /** Kept for 3 minutes unless told; not at all for 0 or less. */
  add(address: string, seconds?: number): void
}

/** Cloudflare keeps a 404 without cache headers for 3 minutes (docs, cache: Edge Cache TTL). */
const KEEP_SECONDS = 3 * 60

/** `clock` in milliseconds; `until` is what is kept. */
function createMissingMemory(clock: () => number, until: Map<string, number>): MissingMemory {
  return {
    has(address) {
      const end = until.get(address)
      if (end !== undefined && end <= clock()) until.delete(address)
      return until.has(address)
    },
    add(address, seconds = KEEP_SECONDS) {
      if (seconds > 0) until.set(address, clock() + seconds * 1000)
    },
  }
}

/**
 * One request on its way through Cloudflare's rules to `origin` and back. A rule that the sandbox
 * does not evaluate makes every answer a 500 that says which one.
 */
export async function throughEdge(
  { world, clock }: Pick<SandboxContext, 'world' | 'clock'>,
  message: IncomingMessage,
  origin: (cache: CacheSettings) => Promise<Answer>,
): Promise<Answer> {
  const at = { world, now: clock() }
  const [path = '/', ...query] = (message.url ?? '/').split('?')
  const host = (message.headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
  const visit = { host, method: message.method ?? 'GET', path, query: query.join('?') }
  const refused = refusedToStrangers(at, visit, message.headers)
  if (refused === 'bots') return text(403, 'Just a moment...', { 'cf-mitigated': 'challenge' })
  if (refused === 'hotlinks') return text(403, 'error code: 1011')
  try {
    const early = answerAtEdge(at, visit)
    if (early?.is === 'blocked') return text(403, 'Sorry, you have been blocked')
    if (early?.is === 'redirect') {
      return text(early.status, '', { location: early.location })
    }
    const answer = await origin(cacheSettings(at, visit))
    const headers = responseHeaders(at, { ...visit, code: answer.status }, answer.headers)
    return { ...answer, headers }
  } catch (error) {
    if (!(error instanceof RuleLanguageError)) throw error
    return text(500, `The sandbox does not evaluate ${error.message}`)
  }
}

function text(status: number, body: string, headers: Answer['headers'] = {}): Answer {
  const own = { 'content-type': 'text/html', 'content-length': Buffer.byteLength(body) }
  return { status, headers: { ...own, ...headers }, body }
}

/** Cloudflare's edge for every custom domain: HTTPS on one port, the host taken from SNI. */
export interface PublicHost {
  readonly port: number
  close(): Promise<void>
}

export interface PublicHostOptions {
  readonly pool: EmulatorPool
  readonly authority: Authority
  /** A web server behind this edge, besides the buckets. */
  readonly instance?: Instance | undefined
}

interface Instance {
  readonly host: string
  answer(message: IncomingMessage): Promise<Answer>
}

interface LiveDomain {
  readonly domain: SandboxDomain
  readonly bucket: SandboxBucket
}

/**
 * Starts it on a free port of 127.0.0.1. A host that isn't attached and active yet fails in the TLS
 * handshake, as at Cloudflare, where it has no certificate; a disabled one answers 404.
 */
export async function startPublicHost(
  context: SandboxContext,
  { pool, authority, instance }: PublicHostOptions,
): Promise<PublicHost> {
  const missing = createMissingMemory(context.clock, context.world.edge.missing)
  const certificates = new Map<string, SecureContext>()
  const server = createServer(
    {
      // Without a certificate the handshake ends with the alert handshake_failure.
      SNICallback(host, done) {
        const name = host.toLowerCase()
        if (name !== instance?.host && !findDomain(context, name)) return done(null, undefined)
        const known = certificates.get(name) ?? createSecureContext(authority.issue(name))
        certificates.set(name, known)
        done(null, known)
      },
    },
    doorway(
      {
        name: 'public',
        answer: (message) =>
          throughEdge(context, message, (cache) =>
            instance?.host === hostOf(message)
              ? instance.answer(message)
              : answer(context, pool, missing, message, cache),
          ),
        refuse: (status) => page(status, `error code: ${status}`),
      },
      context,
    ),
  )
  server.on('tlsClientError', (_error, socket) => socket.destroy())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  context: SandboxContext,
  pool: EmulatorPool,
  missing: MissingMemory,
  message: IncomingMessage,
  settings: CacheSettings,
): Promise<Answer> {
  const { method = 'GET', headers, url = '/' } = message
  const host = hostOf(message)
  const live = findDomain(context, host)
  // Reached over a connection that was opened while the host was still attached.
  if (!live) return page(530, 'error code: 1001')
  if (!live.domain.enabled) return page(404, 'This host is disabled.')
  const rules = live.bucket.cors
  if (method === 'OPTIONS') return preflight(rules, headers)
  if (method !== 'GET' && method !== 'HEAD') return page(401, 'Unauthorized')
  const cors = corsHeaders(rules, headers.origin, method)
  const path = url.split('?')[0] ?? '/'
  const key = keyOf(path)
  const address = `${host}${url}`
  const { edge } = context.world
  const where = { host, url, origin: headers.origin }
  // Parts of files and conditions pass the cache by here: it holds whole files.
  const isWhole = !Object.keys(headers).some((name) => /^(range|if-.*)$/.test(name))
  const isEligible = isWhole && cacheStatus(path, settings.cache) === 'MISS'
  const copy = isEligible ? kept(edge, where, context.clock()) : undefined
  if (copy) return fromCache(copy, context.clock())
  const cached = missing.has(address)
  if (key === undefined || cached) {
    const status = key === undefined ? 'DYNAMIC' : 'HIT'
    return page(404, 'Object not found', { ...cors, 'cf-cache-status': status })
  }
  const object = await fetchObject(pool, live.bucket, method, key, headers)
  noteOperation(context.world, live.bucket, {
    action: method === 'HEAD' ? 'HeadObject' : 'GetObject',
    status: object.statusCode ?? 500,
    at: context.clock(),
  })
  if (object.statusCode === 404) {
    object.resume()
    const keepSeconds = settings.cache === false ? 0 : settings.keepSeconds(404)
    missing.add(address, keepSeconds)
    const bypassed = keepSeconds !== undefined && keepSeconds < 0
    const status = bypassed ? 'BYPASS' : cacheStatus(path, settings.cache ?? true)
    return page(404, 'Object not found', { ...cors, 'cf-cache-status': status })
  }
  const status = object.statusCode ?? 500
  const cache = { 'cf-cache-status': cacheStatus(path, settings.cache) }
  // The emulator words its refusals for S3 clients.
  if (status >= 400) {
    object.resume()
    return page(status, `error code: ${status}`, { ...cors, ...cache })
  }
  const all = Object.entries(headersFromEmulator(object.headers))
  const own = Object.fromEntries(all.filter(([name]) => !name.startsWith('x-amz-')))
  const told = { ...own, ...cors, ...cache }
  const seconds = isEligible ? secondsOf(own, settings) : 0
  if (status !== 200 || method !== 'GET' || seconds <= 0) {
    return { status, headers: told, body: object }
  }
  const body = await buffer(object)
  const since = context.clock()
  keep(edge, { ...where, status, headers: told, body, since, until: since + seconds * 1000 })
  return { status, headers: told, body: Readable.from([body], { objectMode: false }) }
}

function hostOf({ headers }: IncomingMessage): string {
  return (headers.host ?? '').replace(/:\d+$/, '').toLowerCase()
}

async function fetchObject(
  pool: EmulatorPool,
  bucket: SandboxBucket,
  method: string,
  key: string,
  headers: IncomingMessage['headers'],
): Promise<IncomingMessage> {
  const passed = Object.entries(headers).flatMap(([name, value]) =>
    /^(range|if-.*)$/.test(name) && typeof value === 'string' ? [[name, value]] : [],
  )
  const request = { method, key, query: [], headers: Object.fromEntries(passed) }
  const upstream = await pool.s3(await pool.slotOf(bucket), request)
  const [object] = (await once(upstream.end(), 'response')) as [IncomingMessage]
  return object
}

/** Encoded as it came; undefined for the root and for what climbs out of the bucket. */
function keyOf(path: string): string | undefined {
  const climbs = path.split('/').some((part) => /^(\.|%2e){1,2}$/i.test(part))
  return path === '/' || !path.startsWith('/') || climbs ? undefined : path.slice(1)
}

function findDomain(
  { world, clock }: { world: World; clock: () => number },
  host: string,
): LiveDomain | undefined {
  const found = world.buckets
    .flatMap((bucket) => bucket.domains.map((domain) => ({ bucket, domain })))
    .find(({ domain }) => domain.host === host)
  return found && found.domain.attachedAt + world.delays.domainMs <= clock() ? found : undefined
}

function page(status: number, text: string, headers: Answer['headers'] = {}): Answer {
  const body = `<!doctype html><title>${status}</title><p>${text}</p>\n`
  const own = {
    'content-type': 'text/html; charset=utf-8',
    'content-length': Buffer.byteLength(body),
  }
  return { status, headers: { ...own, ...headers }, body }
}
