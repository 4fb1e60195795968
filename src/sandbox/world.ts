import type { EdgeState } from './edge/state.ts'

/**
 * Everything the sandbox knows, in memory. Its API writes it; the S3 front and the public host read
 * it. Times are milliseconds since the epoch by the sandbox's clock.
 */
export interface World {
  readonly accounts: { readonly id: string; readonly name: string; r2Enabled: boolean }[]
  readonly zones: SandboxZone[]
  readonly dnsRecords: SandboxDnsRecord[]
  readonly buckets: SandboxBucket[]
  readonly tokens: SandboxToken[]
  readonly delays: Delays
  /** Rules, redirect lists, cache switches. */
  readonly edge: EdgeState
  /** What Cloudflare's analytics tell of R2, besides what the buckets hold at the moment. */
  readonly analytics: { readonly operations: CountedOperation[]; readonly storage: StoredSample[] }
}

/**
 * Milliseconds for which a server keeps a connection that nobody uses. A program that a busy machine
 * held up must not send into one that is just being closed, as after Node's 5 s.
 */
export const IDLE_MS = 60_000

/** Requests of one hour. */
export interface CountedOperation {
  readonly accountId: string
  /** As analytics call it: `eu_media`. */
  readonly bucket: string
  readonly action: string
  readonly status: number
  readonly at: number
  requests: number
}

/** What a bucket held at a time. */
export interface StoredSample {
  readonly accountId: string
  readonly bucket: string
  readonly at: number
  readonly objects: number
  readonly bytes: number
}

export interface Delays {
  /** Until an attached custom domain is active, milliseconds. */
  domainMs: number
  /** Until a new API token works at the S3 endpoint, milliseconds. */
  keyMs: number
  /** Added to every request (API, S3, public host), milliseconds. */
  requestMs: number
}

export interface SandboxZone {
  readonly id: string
  readonly name: string
  readonly accountId: string
  status: 'active' | 'pending' | 'moved' | 'initializing'
  type: 'full' | 'partial' | 'secondary'
  paused: boolean
}

export interface SandboxDnsRecord {
  readonly id: string
  readonly zoneId: string
  readonly name: string
  readonly type: string
  readonly content: string
  readonly proxied: boolean
}

export interface SandboxBucket {
  readonly accountId: string
  readonly jurisdiction: string
  readonly name: string
  readonly location: string
  /** Standard unless told. */
  readonly storageClass?: 'Standard' | 'InfrequentAccess'
  readonly createdAt: number
  /** Name of the emulator's bucket that holds the objects. */
  readonly slot: string
  devUrlEnabled: boolean
  /** Rules as sent; undefined when never put. */
  cors: unknown[] | undefined
  lifecycle: unknown[]
  readonly domains: SandboxDomain[]
}

export interface SandboxDomain {
  readonly host: string
  readonly zoneId: string
  enabled: boolean
  readonly attachedAt: number
  minTLS: string
}

export interface SandboxToken {
  readonly id: string
  name: string
  /** Never logged. */
  readonly value: string
  readonly kind: 'user' | 'account'
  /** Owner account of an account-owned token. */
  readonly accountId: string | undefined
  status: 'active' | 'disabled' | 'expired'
  policies: unknown[]
  condition: unknown
  expiresOn: string | undefined
  /** RFC 3339: not accepted before. */
  notBefore?: string | undefined
  readonly issuedAt: number
}

/** One request as the log keeps it; headers and bodies are left out, they may hold secrets. */
export interface LoggedRequest {
  readonly at: number
  readonly side: 'api' | 's3' | 'public'
  readonly method: string
  readonly path: string
  readonly status: number | 'reset' | 'hang'
}

/**
 * A fault waiting for a request. `applied-then-reset` carries the change out and drops the answer.
 */
export interface Fault {
  readonly side: 'api' | 's3' | 'public'
  readonly method?: string
  /** Matches anywhere in the path. */
  readonly path?: string
  /** How many matching requests pass before it strikes. */
  readonly after?: number
  /** How many it strikes; 1 unless told, with `above` all. */
  readonly times?: number
  /** Strikes only what comes faster than so many a second; a tenth of that may come at once. */
  readonly above?: number
  readonly kind: 'status' | 'reset' | 'hang' | 'applied-then-reset' | 'malformed' | 'unsuccessful'
  /** With `status`: the HTTP status, and optional headers such as retry-after. */
  readonly status?: number
  readonly headers?: Readonly<Record<string, string>>
  /** With `status`: the error code in the answer; a usual one for that status unless told. */
  readonly code?: number
}

export interface Faults {
  add(fault: Fault): void
  /** The faults that have not struck as often as they should, oldest first. */
  list(): readonly Fault[]
  clear(): void
  /** The fault for this request, if any. Asking counts: `after` and `times` run down. */
  take(side: Fault['side'], method: string, path: string): Fault | undefined
}

/** Faults waiting for requests. Where several match, the oldest one that is due strikes. */
export function createFaults(now: () => number = Date.now): Faults {
  let waiting: { fault: Fault; passes: number; strikes: number; grants: () => boolean }[] = []
  return {
    add(fault) {
      const { after = 0, above, times = above === undefined ? 1 : Number.POSITIVE_INFINITY } = fault
      const grants = above === undefined ? () => false : bucketOf(above, now)
      waiting.push({ fault, passes: after, strikes: times, grants })
    },
    list: () => waiting.map((entry) => entry.fault),
    clear() {
      waiting = []
    },
    take(side, method, path) {
      for (const entry of waiting) {
        if (!matches(entry.fault, side, method, path)) continue
        if (entry.passes > 0) {
          entry.passes -= 1
          continue
        }
        if (entry.grants()) continue
        entry.strikes -= 1
        waiting = waiting.filter(({ strikes }) => strikes > 0)
        return entry.fault
      }
      return undefined
    },
  }
}

/** A token bucket: grants so many a second, and a tenth of that at once. */
function bucketOf(perSecond: number, now: () => number): () => boolean {
  const most = Math.max(1, perSecond / 10)
  let [tokens, at] = [most, now()]
  return () => {
    const ms = now()
    tokens = Math.min(most, tokens + ((ms - at) * perSecond) / 1000)
    at = ms
    if (tokens < 1) return false
    tokens -= 1
    return true
  }
}

function matches(fault: Fault, side: Fault['side'], method: string, path: string): boolean {
  return (
    fault.side === side &&
    (fault.method === undefined || fault.method.toUpperCase() === method.toUpperCase()) &&
    (fault.path === undefined || path.includes(fault.path))
  )
}
