import type { ListObjectsV2CommandOutput } from '@aws-sdk/client-s3'
import { Cancelled } from '../../core/problem.ts'
import type { Entry } from './list-entries.ts'
import type { ListedObject } from './port.ts'

/** An answer of ListObjectsV2 with the entries that were read without the SDK. */
export interface ListPage {
  readonly answer: ListObjectsV2CommandOutput
  /** Names still as they were sent. */
  readonly entries: readonly Entry[]
}

/** One page of ListObjectsV2; `token` of the page before, undefined for the first. */
type Ask = (token: string | undefined, signal: AbortSignal) => Promise<ListPage>

/** `damaged` makes the error for a listing that would never end. */
export interface ReadPages {
  readonly signal?: AbortSignal | undefined
  damaged(): Error
}

/**
 * Every page in turn. The next one is asked for while its predecessor is worked on, and no more than
 * that. Whoever stops early ends the request under way. Throws what `ask` throws; Cancelled when the
 * signal is aborted.
 */
export async function* readPages(
  ask: Ask,
  { signal, damaged }: ReadPages,
): AsyncGenerator<readonly ListedObject[], void, undefined> {
  const end = new AbortController()
  const asked = signal ? AbortSignal.any([signal, end.signal]) : end.signal
  const begin = (token: string | undefined) => {
    const page = ask(token, asked)
    page.catch(() => undefined)
    return page
  }
  try {
    let token: string | undefined
    let coming: ReturnType<Ask> | undefined = begin(token)
    while (coming) {
      const page: ListPage = await coming
      if (signal?.aborted) throw new Cancelled()
      const { IsTruncated, NextContinuationToken } = page.answer
      const next = IsTruncated === true ? NextContinuationToken : undefined
      if (IsTruncated === true && (next === undefined || next === token)) throw damaged()
      token = next
      coming = next === undefined ? undefined : begin(next)
      const objects = objectsOf(page)
      if (objects.length > 0) yield objects
    }
  } catch (error) {
    throw signal?.aborted ? new Cancelled() : error
  } finally {
    end.abort()
  }
}

/** Keys are decoded where the server says that it encoded them, which it may leave undone. */
function objectsOf({ answer, entries }: ListPage): readonly ListedObject[] {
  const { Contents = [], EncodingType } = answer
  const decode = EncodingType === 'url' ? decodeKey : (key: string) => key
  if (entries.length > 0) {
    for (const entry of entries) entry.key = decode(entry.key)
    return entries
  }
  return Contents.map(({ Key = '', Size = 0, ETag = '', LastModified }) => ({
    key: decode(Key),
    size: Size,
    etag: ETag.replaceAll('"', ''),
    lastModified: LastModified?.getTime() ?? 0,
  }))
}

/** As forms are encoded: `+` is a space (S3 does so), a real plus sign is `%2B`. */
function decodeKey(key: string): string {
  if (!/[%+]/.test(key)) return key
  try {
    return decodeURIComponent(key.replaceAll('+', ' '))
  } catch {
    return key
  }
}
