import { type Answer, ok } from './envelope.ts'
import { type ApiRequest, queryNumber } from './request.ts'

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
