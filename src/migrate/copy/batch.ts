import { counted } from '../../core/amounts.ts'
import { Cancelled, Problem } from '../../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/mastodon-here.ts'
import type { MediaFile } from '../../services/media/port.ts'
import { NAME_REFUSED, unreadable } from '../../services/rclone/port.ts'
import type { S3Port } from '../../services/s3/port.ts'
import { isOfObject } from '../../services/s3/refusal.ts'
import type { Migration } from '../migration.ts'
import type { CopyTally } from './tally.ts'

/** Bytes above which an object is sent in parts. */
const ONE_PUT = 5 * 1_048_576
const AT_ONCE = 16

export interface BatchWishes {
  /** Files that are sent in parts. */
  readonly isLarge?: boolean
  /** Milliseconds of a small request to the bucket, where it was measured. */
  readonly latencyMs?: number | undefined
}

/**
 * Copies one batch: rclone takes what it can be told of, the rest is sent one by one. Every file of
 * it is accounted for in the end: copied, failed, or gone from the source. Rejects with the Problems
 * of rclone that stop everything, and with Cancelled.
 */
export async function copyBatch(
  migration: Migration,
  batch: readonly MediaFile[],
  tally: CopyTally,
  signal: AbortSignal,
  { isLarge = false, latencyMs }: BatchWishes = {},
): Promise<void> {
  const { rclone, from, to, wishes } = migration
  const waiting = new Map<string, MediaFile>()
  const alone: MediaFile[] = []
  for (const file of batch) {
    if (rclone.canCarry(file.key)) waiting.set(file.key, file)
    else alone.push(file)
  }
  const failed = new Map<string, string>()
  if (waiting.size > 0) {
    const sizes = new Map([...waiting].map(([key, { size }]) => [key, size]))
    const moving = tally.beginBatch()
    const listener = {
      copied(key: string) {
        const file = waiting.get(key)
        if (!file) return
        waiting.delete(key)
        failed.delete(key)
        tally.copied(file, moving)
      },
      failed(key: string, reason: string) {
        if (!waiting.has(key)) return
        failed.set(key, reason)
        tally.fail(key, reason)
      },
      vanished(key: string) {
        // A bucket may list what it does not find: looked up below.
        if (from.kind === 'bucket') failed.set(key, unreadable('404, though it is listed'))
        else if (waiting.delete(key)) tally.vanish(key)
      },
      moving: (bytes: number) => tally.moving(moving, bytes),
      slower: (...told: readonly [string, number, number]) => migration.say(slowerLine(...told)),
    }
    const keys = [...waiting.keys()]
    const { hasCopied: hasRead } = tally
    const size = (key: string) => sizes.get(key) ?? 0
    const asked = { from, to, keys, hasRead, isLarge, latencyMs, size, ...wishes }
    try {
      await rclone.copy(asked, listener, signal)
    } finally {
      tally.endBatch(moving)
    }
    await account(migration, [...waiting.keys()], failed, tally, signal)
  }
  for (const file of alone) {
    if (signal.aborted) throw new Cancelled()
    await sendAlone(migration, file, tally)
  }
}

function slowerLine(service: string, seconds: number, perSecond: number): string {
  const then = `${counted(perSecond, 'request')} a second`
  return seconds > 0
    ? `${service} asks to go on more slowly: waiting ${seconds} s, then ${then}.`
    : `${service} asks to go on more slowly: looking for what it takes, from ${then}.`
}

/** What was asked for and not copied: gone, failed, or never mentioned. */
async function account(
  { source }: Migration,
  keys: readonly string[],
  failed: ReadonlyMap<string, string>,
  tally: CopyTally,
  signal: AbortSignal,
): Promise<void> {
  const left = [...keys].reverse()
  const worker = async () => {
    for (let key = left.pop(); key !== undefined; key = left.pop()) {
      if (signal.aborted) throw new Cancelled()
      const reason = failed.get(key) ?? 'rclone did not say that it copied it'
      if (await isThere(source, key)) tally.fail(key, reason)
      else tally.vanish(key)
    }
  }
  await Promise.all(Array.from({ length: AT_ONCE }, worker))
}

/** Where it can't be known it counts as there, so that it is tried again. */
async function isThere(source: Migration['source'], key: string): Promise<boolean> {
  try {
    return (await source.find(key)) !== undefined
  } catch (error) {
    if (error instanceof Cancelled) throw error
    return true
  }
}

async function sendAlone(
  { source, rclone, bucket }: Migration,
  file: MediaFile,
  tally: CopyTally,
): Promise<void> {
  try {
    const body = await readAlone(source, file.key)
    const contentType = rclone.contentType(file.key)
    const options = { contentType, cacheControl: MEDIA_CACHE_CONTROL }
    if (body.length <= ONE_PUT) await bucket().put(file.key, body, options)
    else await bucket().putMultipart(file.key, body, options)
    tally.copied(file)
  } catch (error) {
    if (error instanceof Cancelled) throw error
    if (error instanceof Problem && isRefusal(error)) throw error
    const reason = await reasonOf(error, bucket())
    if (await isThere(source, file.key)) tally.fail(file.key, reason)
    else tally.vanish(file.key)
  }
}

/** A refusal that is about this object becomes its reason; the bucket's own goes up. */
async function readAlone(source: Migration['source'], key: string): Promise<Uint8Array> {
  try {
    return await source.read(key)
  } catch (error) {
    if (source.kind === 's3' && isOfObject(error)) throw new Error(unreadable(error.what))
    throw error
  }
}

/** A key that does not work, or no bucket: the next file would fare no better. */
function isRefusal({ code }: Problem): boolean {
  return /^s3-(401|403)$/.test(code)
}

/** Not there, or a bad request: as long as the bucket itself is there, that is about the name. */
async function reasonOf(error: unknown, bucket: Pick<S3Port, 'headBucket'>): Promise<string> {
  if (!(error instanceof Problem)) return error instanceof Error ? error.message : String(error)
  if (!/^s3-(400|404)$/.test(error.code)) return error.what
  const isOpen = await bucket.headBucket().then(
    () => true,
    () => false,
  )
  return isOpen ? NAME_REFUSED : error.what
}
