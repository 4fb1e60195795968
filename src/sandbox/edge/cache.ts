import type { OutgoingHttpHeaders } from 'node:http'
import { Readable } from 'node:stream'
import type { Answer } from '../doorway.ts'
import type { CacheSettings } from './rules.ts'
import type { EdgeState, KeptAnswer } from './state.ts'

type Address = Pick<KeptAnswer, 'host' | 'url' | 'origin'>

/** Bytes; larger answers are passed on and not kept, which keeps the sandbox small. */
const MOST = 1_000_000
/** Seconds for an answer without cache headers (Cloudflare docs, cache: Edge Cache TTL). */
const USUAL = 120 * 60

function nameOf({ host, url, origin = '' }: Address): string {
  return `${host}${url} ${origin}`
}

/** What the edge has of an address and still may give out. */
export function kept({ cached }: EdgeState, address: Address, now: number): KeptAnswer | undefined {
  const found = cached.get(nameOf(address))
  return found && found.until > now ? found : undefined
}

export function keep({ cached }: EdgeState, answer: KeptAnswer): void {
  cached.set(nameOf(answer), answer)
}

/** Seconds that a 200 is kept: by a rule, else by its own headers; 0 for not at all. */
export function secondsOf(headers: OutgoingHttpHeaders, settings: CacheSettings): number {
  if (Number(headers['content-length'] ?? MOST) >= MOST) return 0
  const ruled = settings.keepSeconds(200)
  if (ruled !== undefined) return Math.max(0, ruled)
  const control = String(headers['cache-control'] ?? '')
  if (/no-store|private|no-cache/.test(control)) return 0
  const [, seconds] = /(?:s-maxage|max-age)=(\d+)/.exec(control) ?? []
  return seconds === undefined ? USUAL : Number(seconds)
}

/** As it is given out of the cache. */
export function fromCache({ status, headers, body, since }: KeptAnswer, now: number): Answer {
  const age = String(Math.floor((now - since) / 1000))
  return {
    status,
    headers: { ...headers, 'cf-cache-status': 'HIT', age },
    body: Readable.from([body], { objectMode: false }),
  }
}

/** What goes out of a cache: exact addresses, or all that begins so. */
export interface PurgeWish {
  /** Whole addresses; with `origin` the copies for pages of that origin, without it those for none. */
  readonly files: readonly { readonly url: string; readonly origin: string | undefined }[]
  /** Without a scheme: `files.example.com/folder`. */
  readonly prefixes: readonly string[]
}

/** Files and misses alike. */
export function purge({ cached, missing }: EdgeState, { files, prefixes }: PurgeWish): void {
  const exact = new Set(
    files.map(({ url, origin }) => {
      const { host, pathname, search } = new URL(url)
      return nameOf({ host, url: `${pathname}${search}`, origin })
    }),
  )
  const below = (address: string) => prefixes.some((prefix) => address.startsWith(prefix))
  for (const [name, one] of cached) {
    if (exact.has(name) || below(`${one.host}${one.url}`)) cached.delete(name)
  }
  for (const address of missing.keys()) {
    if (exact.has(`${address} `) || below(address)) missing.delete(address)
  }
}
