import type { IncomingHttpHeaders } from 'node:http'
import type { SandboxBucket, SandboxToken, World } from '../world.ts'
import type { Answer } from './envelope.ts'
import { Refusal } from './refusal.ts'
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
