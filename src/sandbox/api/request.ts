import type { IncomingHttpHeaders } from 'node:http'
import type { Bucket } from 'cloudflare/resources/r2/buckets/buckets'
import type { SandboxBucket, SandboxToken, World } from '../world.ts'
import { type Answer, ok, Refusal } from './refusal.ts'
import type { Slurper } from './slurper.ts'

/** What handlers work with. */
export interface ApiContext {
  readonly world: World
  /** Milliseconds since the epoch. */
  now(): number
  readonly listObjects: ListObjects
  /** How many buckets an account may have. */
  readonly maxBuckets: number
  readonly slurper: Slurper
}

/** Objects of a bucket by key, those after `startAfter`, at most `perPage` (1 to 1,001). */
export type ListObjects = (
  bucket: SandboxBucket,
  query: { prefix: string; perPage: number; startAfter?: string },
) => Promise<readonly ListedObject[]>

export interface ListedObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly uploadedAt: number
}

export interface ApiRequest {
  readonly params: Readonly<Record<string, string>>
  readonly query: URLSearchParams
  readonly headers: IncomingHttpHeaders
  /** The JSON body; undefined when there was none. */
  readonly body: unknown
  /** The token that asks. */
  readonly actor: SandboxToken
}

export type Handler = (context: ApiContext, request: ApiRequest) => Answer | Promise<Answer>

/** A part of the path by the name it has in the route. */
export function param(request: ApiRequest, name: string): string {
  const value = request.params[name]
  if (value === undefined) throw new Error(`The route has no parameter ${name}.`)
  return value
}

export type JsonObject = Readonly<Record<string, unknown>>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** The body as an object; anything else is refused. */
export function bodyObject(request: ApiRequest): JsonObject {
  if (!isObject(request.body)) throw new Refusal('bad-body', 'An object is needed.')
  return request.body
}

/** A whole number from the query; `fallback` when absent, refused outside of min to max. */
export function queryNumber(
  request: ApiRequest,
  name: string,
  fallback: number,
  min: number,
  max: number,
): number {
  const text = request.query.get(name)
  if (text === null) return fallback
  const value = Number(text)
  if (!Number.isInteger(value) || value < min || value > max) {
    throw new Refusal('bad-query', `${name} must be ${min} to ${max}.`)
  }
  return value
}

export interface PageLimits {
  readonly fallback: number
  readonly min: number
  readonly max: number
}

/** One numbered page of a list, with Cloudflare's `result_info`. */
export function page<T>(request: ApiRequest, all: readonly T[], limits: PageLimits): Answer {
  const number = queryNumber(request, 'page', 1, 1, Number.MAX_SAFE_INTEGER)
  const size = queryNumber(request, 'per_page', limits.fallback, limits.min, limits.max)
  const result = all.slice((number - 1) * size, number * size)
  const info = { page: number, per_page: size, count: result.length, total_count: all.length }
  return ok(result, { info })
}

/** A cursor is opaque to clients: here the name of the last item, encoded. */
export function cursorAfter(name: string): string {
  return Buffer.from(name).toString('base64url')
}

/** Where a list by name goes on: after the cursor's item, else after `start_after`. */
export function startAfter(request: ApiRequest): string | undefined {
  const cursor = request.query.get('cursor')
  if (cursor !== null) return Buffer.from(cursor, 'base64url').toString()
  return request.query.get('start_after') ?? undefined
}

export type Jurisdiction = NonNullable<Bucket['jurisdiction']>

const jurisdictions: readonly Jurisdiction[] = ['default', 'eu', 'us', 'fedramp', 'fedramp-high']

/** The jurisdiction of a bucket call, from its header; `default` when absent. */
export function jurisdictionOf(request: ApiRequest): Jurisdiction {
  const asked = request.headers['cf-r2-jurisdiction'] ?? 'default'
  const known = jurisdictions.find((name) => name === asked)
  if (known === undefined) throw new Refusal('jurisdiction')
  return known
}

/** The bucket of a path and its jurisdiction header; refused when its name is bad or unknown. */
export function findBucket(context: ApiContext, request: ApiRequest): SandboxBucket {
  const name = param(request, 'bucket')
  if (!isBucketName(name)) throw new Refusal('bucket-name')
  const found = bucketsOf(context, request).find((bucket) => bucket.name === name)
  if (found === undefined) throw new Refusal('no-bucket')
  return found
}

/** Every bucket of the account in the jurisdiction that the request names. */
export function bucketsOf({ world }: ApiContext, request: ApiRequest): SandboxBucket[] {
  const jurisdiction = jurisdictionOf(request)
  const accountId = param(request, 'account')
  return world.buckets.filter(
    (bucket) => bucket.accountId === accountId && bucket.jurisdiction === jurisdiction,
  )
}

/** As wrangler checks it: 3 to 63 of a-z, 0-9 and `-`, with no `-` at the ends. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)
}

/** What a token must hold: one of the permission groups, for the account, zone or user. */
export interface Need {
  readonly groups: readonly string[]
  readonly on: 'account' | 'zone' | 'user'
}

export interface Route {
  readonly method: string
  /** Below `/client/v4`; `:name` is one segment. */
  readonly path: string
  /** `own`: any active token gets in, the handler looks at what it may see. */
  readonly need: Need | 'own'
  readonly handle: Handler
}
