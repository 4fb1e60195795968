import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import { SINGLE_REQUEST } from '../flow/mastodon-here.ts'
import type { S3Object, S3Port } from '../services/s3/port.ts'

/** From this size on the SDK fetches a file in pieces (aws-sdk-s3, FileDownloader::MIN_CHUNK_SIZE). */
const PIECE = 5 * 1_048_576

/** What becomes of media where reads by part number are refused; seen on Mastodon 4.6.5. */
export const NO_DOWNLOADS =
  'Mastodon begins every download with one: videos would stay "failed" and archives would hold empty files, without a word on its pages.'

/** An object that was uploaded just now. */
export interface Uploaded {
  readonly key: string
  /** How many parts it was uploaded in, and the ETag that came of them; 1 and none of a single PUT. */
  readonly parts: number
  readonly etag?: string
}

/**
 * Fetches an object with the requests that Mastodon sends for every video, audio file, thumbnail and
 * archive: `HEAD ?partNumber=1`, and what aws-sdk-s3's FileDownloader makes of the answer. What that
 * answer will be is known of what was just uploaded, so all are sent at the same time; where it is
 * another one, what Mastodon makes of that follows. `single`: the one GET of
 * S3_FORCE_SINGLE_REQUEST=true. Throws Problem `s3-part-number` where reads by part number are refused.
 */
export async function download(s3: S3Port, sent: Uploaded, single: boolean): Promise<S3Object> {
  const { key } = sent
  const whole = () => s3.get(key, { checksumMode: 'ENABLED' })
  if (single) return whole()
  const inParts = async (parts: number, ifMatch: string | undefined) => {
    const heading = s3.head(key).then(there)
    const pieces = joined(parts, (at) =>
      byPart(s3.get(key, { ifMatch, checksumMode: 'ENABLED', part: at + 1 })),
    )
    return (await Promise.all([pieces, heading]))[0]
  }
  const heading = byPart(s3.head(key, 1))
  const expected = sent.parts > 1 ? inParts(sent.parts, sent.etag) : whole()
  expected.catch(() => undefined)
  const { parts = 1, size, etag } = there(await heading)
  const isAsExpected = parts === sent.parts && etag === (sent.etag ?? etag)
  if (parts > 1) return isAsExpected ? expected : inParts(parts, etag)
  if (size <= PIECE) return isAsExpected ? expected : whole()
  const count = Math.ceil(size / PIECE)
  return joined(count, (at) => {
    const last = Math.min(size, (at + 1) * PIECE) - 1
    const range = `bytes=${at * PIECE}-${last}`
    return s3.get(key, { ifMatch: etag, checksumMode: 'ENABLED', range })
  })
}

/** The first part alone, with the length that it should have. Throws what `download` throws. */
export async function firstPart(s3: S3Port, key: string): Promise<S3Object> {
  return byPart(s3.get(key, { part: 1, checksumMode: 'ENABLED' }))
}

/** Whether reads by part number are known, asked about an object that is not there: one HEAD. */
export async function knowsParts(s3: S3Port, key: string): Promise<boolean> {
  try {
    await byPart(s3.head(key, 1))
    return true
  } catch (error) {
    if (isPartRefused(error)) return false
    throw error
  }
}

/** The Problem of `download` and `firstPart`, which S3_FORCE_SINGLE_REQUEST=true is the answer to. */
export function isPartRefused(error: unknown): error is Problem {
  return error instanceof Problem && error.code === 's3-part-number'
}

async function byPart<T>(work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!(error instanceof Problem) || error.code !== 's3-501') throw error
    throw new Problem({
      code: 's3-part-number',
      what: 'The S3 endpoint refuses reads by part number (HTTP 501).',
      why: NO_DOWNLOADS,
      next: prose`Put ${SINGLE_REQUEST}=true into the env file (${toType('init')} does), and restart Mastodon.`,
    })
  }
}

/** The bucket answered, and not as Mastodon needs it; `what` was seen, a sentence. */
export function notProven(what: string): Problem {
  return new Problem({
    code: 'storage-not-proven',
    what,
    why: 'The bucket does not do what Mastodon relies on, so it must not be used yet.',
    next: 'Run this again; if it says the same, look at https://www.cloudflarestatus.com.',
  })
}

function there<T>(found: T | undefined): T {
  if (found !== undefined) return found
  throw notProven('A test file that was just uploaded is not there.')
}

async function joined(count: number, read: (at: number) => Promise<S3Object>): Promise<S3Object> {
  const pieces = await Promise.all(Array.from({ length: count }, (_, at) => read(at)))
  const [first] = pieces
  if (first === undefined) throw new Error('A file of no pieces.')
  return { ...first, body: Buffer.concat(pieces.map((piece) => piece.body)) }
}
