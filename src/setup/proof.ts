import { Problem } from '../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../flow/mastodon-here.ts'
import { type Finding, learned, type Step, type World } from '../plan/step.ts'
import type { S3Object, S3Port } from '../services/s3/port.ts'

type Needs = 'connectS3' | 'place' | 'clock' | 'facts'
type At = Pick<World, Needs>

const MIB = 1_048_576

/** Does through the S3 endpoint what Mastodon's uploader does, and removes it again. */
export const uploadProbe: Step<Needs> = {
  id: 'upload-probe',
  title: 'Test upload',

  async look({ facts }): Promise<Finding> {
    if (!facts.accessKey) {
      return {
        is: 'waiting',
        on: 'accessKey',
        will: 'upload, read and delete test files as Mastodon does',
      }
    }
    if (facts.keyProven) return proven('upload, multipart, read, list and delete all work')
    if (!facts.accessKey.minted) return proven('the key opens the bucket')
    const what = 'upload, read and delete test files as Mastodon does'
    return { is: 'change', changes: [{ what, risk: 'safe' }] }
  },

  async change(at) {
    const key = learned(at.facts, 'accessKey')
    const s3 = at.connectS3(key)
    await onceKeyWorks(at, () => probeUploads(s3, at.clock.randomHex(16)))
    return { keyProven: true }
  },
}

function proven(note: string): Finding {
  return { is: 'ready', note, facts: { keyProven: true } }
}

/** A new key may be refused for up to a minute (Cloudflare docs, r2/reference/consistency). */
async function onceKeyWorks({ clock, place }: At, attempt: () => Promise<void>): Promise<void> {
  const start = clock.now().getTime()
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const refused = error instanceof Problem && /^s3-(401|403)$/.test(error.code)
      if (!refused || clock.now().getTime() - start >= place.waitKeyMs) throw error
      await clock.sleep(1_000)
    }
  }
}

/**
 * Writes, reads, lists and deletes under `mastodon-r2-probe/<name>`. Throws the first Problem
 * (`s3-…`), once nothing of it is left.
 */
export async function probeUploads(s3: S3Port, name: string): Promise<void> {
  await s3.headBucket()
  const prefix = `mastodon-r2-probe/${name}`
  const keys = ['plain.txt', 'checksum.txt', 'parts.bin'].map((end) => `${prefix}-${end}`)
  const [plain = '', checksum = '', parts = ''] = keys
  const text = new TextEncoder().encode(`mastodon-r2 ${name}\n`.repeat(8))
  const large = twoParts(text)
  const options = { contentType: 'text/plain', cacheControl: MEDIA_CACHE_CONTROL }
  const removed = () => all([s3.delete(plain), s3.deleteMany([checksum, parts])])
  try {
    await all([
      s3.put(plain, text, options),
      s3.put(checksum, text, { ...options, checksum: 'CRC32' }),
      s3.putMultipart(parts, large, { ...options, contentType: 'video/mp4' }),
    ])
    await all([
      readsBack(s3.get(plain), text),
      readsBack(s3.get(checksum, undefined, 'ENABLED'), text),
      readsPart(s3, plain, text, 4, 19),
      readsPart(s3, parts, large, 5 * MIB - 8, 5 * MIB + 1023),
      lists(s3, prefix, keys),
    ])
  } catch (error) {
    await removed().catch(() => undefined)
    throw error
  }
  await removed()
  await isEmpty(s3, prefix)
}

/** Waits for every one, so that nothing is written after the clean-up; then throws the first fault. */
async function all(work: Promise<unknown>[]): Promise<void> {
  const results = await Promise.allSettled(work)
  for (const result of results) if (result.status === 'rejected') throw result.reason
}

function twoParts(filling: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(5 * MIB + 1024)
  for (let at = 0; at < bytes.length; at += filling.length) {
    bytes.set(filling.subarray(0, Math.min(filling.length, bytes.length - at)), at)
  }
  return bytes
}

async function readsBack(reading: Promise<S3Object>, sent: Uint8Array): Promise<void> {
  const object = await reading
  if (Buffer.compare(object.body, sent) !== 0) {
    throw damaged('A test file came back with other bytes than were sent.')
  }
  if (object.contentType !== 'text/plain' || object.cacheControl !== MEDIA_CACHE_CONTROL) {
    throw damaged(
      `A test file came back as ${object.contentType}, ${object.cacheControl}; sent were text/plain and ${MEDIA_CACHE_CONTROL}.`,
    )
  }
}

/** A range of bytes, both ends included; players ask so for video and audio. */
async function readsPart(
  s3: S3Port,
  key: string,
  sent: Uint8Array,
  first: number,
  last: number,
): Promise<void> {
  const object = await s3.get(key, `bytes=${first}-${last}`)
  if (object.status !== 206 || Buffer.compare(object.body, sent.subarray(first, last + 1)) !== 0) {
    throw damaged(`Reading bytes ${first} to ${last} gave status ${object.status} or other bytes.`)
  }
}

async function lists(s3: S3Port, prefix: string, keys: readonly string[]): Promise<void> {
  const listed = await s3.list(prefix, 10)
  const missing = keys.filter((key) => !listed.includes(key))
  if (missing.length > 0) throw damaged(`Listed without ${missing.join(', ')}.`)
}

async function isEmpty(s3: S3Port, prefix: string): Promise<void> {
  const left = await s3.list(prefix, 10)
  if (left.length > 0) throw damaged(`Deleted, and still listed: ${left.join(', ')}.`)
}

function damaged(what: string): Problem {
  return new Problem({
    code: 's3-damaged',
    what,
    why: 'The bucket does not do what Mastodon relies on, so it must not be used yet.',
    next: 'Run this again; if it says the same, look at https://www.cloudflarestatus.com.',
  })
}
