import { Problem } from '../../core/problem.ts'
import type { Sdk } from './sdk.ts'
import {
  isCertificateTrouble,
  listOfObjects,
  WireFailure,
  type WireFailureDetails,
} from './wire.ts'

/**
 * `repeatable`: reads, and writes that give the same result twice. `query`: a read that is sent as a
 * POST. `create`: sent again only when Cloudflare surely did nothing. `once`: never sent again.
 */
export type Sending = 'repeatable' | 'query' | 'create' | 'once'

export interface RetryOptions {
  readonly sleep: (ms: number) => Promise<void>
  readonly onWait?: ((seconds: number, reason: string) => void) | undefined
}

const RETRIES = 3
/** Cloudflare's lock lasts 5 minutes (its page on API rate limits); whoever asks for more is wrong. */
const LONGEST_WAIT_SECONDS = 310

/** Sends, and sends again as `sending` allows. Throws the last WireFailure. */
export async function withRetries<T>(
  sending: Sending,
  send: () => PromiseLike<T>,
  { sleep, onWait }: RetryOptions,
): Promise<T> {
  for (let retry = 0; ; retry += 1) {
    try {
      return await send()
    } catch (thrown) {
      const failure = findFailure(thrown)
      if (!failure || retry === RETRIES || !mayRepeat(sending, failure.details)) {
        throw failure ?? causeOf(thrown)
      }
      const wait = waitSeconds(failure.details, retry)
      onWait?.(wait, reasonOf(failure.details))
      await sleep(wait * 1000)
    }
  }
}

function mayRepeat(sending: Sending, { reason, status = 0, detail }: WireFailureDetails): boolean {
  if (sending === 'once' || isCertificateTrouble(detail)) return false
  if (reason === 'unreached' || status === 429) return true
  if (sending === 'create' || reason === 'garbled') return false
  return reason === 'lost' || status >= 500 || status === 408
}

function waitSeconds({ retryAfterSeconds }: WireFailureDetails, retry: number): number {
  if (retryAfterSeconds === undefined) return 2 ** retry
  return Math.min(retryAfterSeconds, LONGEST_WAIT_SECONDS)
}

function reasonOf({ status, detail = 'the connection broke' }: WireFailureDetails): string {
  if (status === 429) return 'Cloudflare asks for a pause (too many calls)'
  if (status !== undefined) return `Cloudflare has trouble of its own (HTTP ${status})`
  return `Cloudflare did not answer (${detail})`
}

/** The SDK wraps what its `fetch` throws. */
function findFailure(thrown: unknown): WireFailure | undefined {
  const cause = causeOf(thrown)
  return cause instanceof WireFailure ? cause : undefined
}

function causeOf(thrown: unknown): unknown {
  return thrown instanceof Error && thrown.cause instanceof Error ? thrown.cause : thrown
}

interface Page<T> {
  readonly result?: readonly T[] | null
  readonly result_info?: unknown
}

const MOST_PAGES = 1000

/**
 * Every item of a list with numbered pages, asked one page after the other. Ends at the announced
 * total, at a page that isn't full, at an empty one, or when a server repeats itself.
 */
export async function allPages<T extends { id?: string | undefined }>(
  load: (page: number) => PromiseLike<Page<T>>,
): Promise<T[]> {
  const items: T[] = []
  const seen = new Set<string | undefined>()
  for (let number = 1; number <= MOST_PAGES; number += 1) {
    const { result, result_info } = await load(number)
    listOfObjects(result)
    const fresh = (result ?? []).filter(({ id }) => !seen.has(id))
    if (fresh.length === 0) break
    items.push(...fresh)
    for (const { id } of fresh) seen.add(id)
    if (isLast(result?.length ?? 0, items.length, result_info)) break
  }
  return items
}

function isLast(length: number, soFar: number, resultInfo: unknown): boolean {
  const info = (resultInfo ?? {}) as { per_page?: unknown; total_count?: unknown }
  if (typeof info.total_count === 'number') return soFar >= info.total_count
  return typeof info.per_page === 'number' && length < info.per_page
}

const TRIES = 3

/**
 * Creates something that must not be made twice. When the answer is lost, looks whether it is there
 * before sending again.
 */
export async function createAndLook(thing: {
  create: () => Promise<unknown>
  isThere: () => Promise<boolean>
}): Promise<'created' | 'exists'> {
  for (let attempt = 1; ; attempt += 1) {
    try {
      await thing.create()
      return 'created'
    } catch (error) {
      if (!(error instanceof Problem) || error.code !== 'cloudflare-answer-lost') throw error
      if (await thing.isThere()) return 'exists'
      if (attempt === TRIES) throw error
    }
  }
}

/** One call, sent as its kind allows; throws Problem or Cancelled. */
export type Call = <T>(sending: Sending, send: (sdk: Sdk) => PromiseLike<T>) => Promise<T>
