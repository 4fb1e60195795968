import { Problem } from '../core/problem.ts'
import { allOf } from '../core/streams.ts'
import { isSingle, MEDIA_CACHE_CONTROL, SINGLE_REQUEST } from '../flow/mastodon-here.ts'
import { type Finding, learned, type Place, type Step, type World } from '../plan/step.ts'
import type { Keeping, PutOptions, S3Object, S3Port } from '../services/s3/port.ts'
import {
  download,
  firstPart,
  isPartRefused,
  knowsParts,
  NO_DOWNLOADS,
  notProven,
} from './download.ts'

type Needs = 'connectS3' | 'place' | 'clock' | 'facts'
type At = Pick<World, Needs>

const MIB = 1_048_576

/** Does through the S3 endpoint what Mastodon's uploader does, and removes it again. */
export const uploadProbe: Step<Needs> = {
  id: 'upload-probe',
  title: 'Test upload',

  async look(at): Promise<Finding> {
    const { facts, place } = at
    if (!facts.accessKey) {
      return {
        is: 'waiting',
        on: 'accessKey',
        will: willProbe(place),
      }
    }
    const { keyProven, accessKey, singleRequests } = facts
    if (keyProven) return proven(at, all(singleRequests === true))
    if (!accessKey.minted) return lookAtReads(at)
    return { is: 'change', changes: [{ what: willProbe(place), risk: 'safe' }] }
  },

  async change(at) {
    const { facts, clock, place } = at
    const s3 = at.connectS3(learned(facts, 'accessKey'))
    const single = await onceKeyWorks(at, async () => {
      await s3.headBucket()
      return probeAsNeeded(s3, () => clock.randomHex(16), place)
    })
    return { keyProven: true, ...(single && { singleRequests: true }) }
  },
}

function willProbe(place: Place): string {
  const { waitKeyMs } = place
  // Nobody waits for a key that is in use already.
  const limit =
    waitKeyMs === 0
      ? ''
      : `; a new key works within a minute mostly, at most ${Math.round(waitKeyMs / 1000)} s`
  const what = `upload, read and delete test files as Mastodon does${limit}`
  if (isSingle(place)) return what
  return `${what} (with ${SINGLE_REQUEST}=true where reads by part number are refused)`
}

/** Whether it needs S3_FORCE_SINGLE_REQUEST=true, which `single` says is known. */
async function probeAsNeeded(s3: S3Port, name: () => string, place: Place): Promise<boolean> {
  const single = isSingle(place)
  const how = { keeping: place.keeping, summed: isSummed(place) }
  try {
    await probeUploads(s3, name(), { single, ...how })
    return single
  } catch (error) {
    if (!isPartRefused(error)) throw error
    await probeUploads(s3, name(), { single: true, ...how })
    return true
  }
}

/** Whether Mastodon sends a checksum with each upload, as its SDK does unless told. */
function isSummed({ installation }: Place): boolean {
  const told = installation.settings.get('AWS_REQUEST_CHECKSUM_CALCULATION')?.value ?? ''
  return !/^when_required$/i.test(told)
}

/** A key that is in use was tried by whoever made it; how Mastodon reads costs one HEAD. */
async function lookAtReads(at: At): Promise<Finding> {
  const { facts, connectS3, clock, place } = at
  const note = 'the key opens the bucket'
  if (isSingle(place)) return proven({ ...at, facts: { ...facts, singleRequests: true } }, note)
  const s3 = connectS3(learned(facts, 'accessKey'))
  const knows = await knowsParts(s3, `mastodon-r2-probe/${clock.randomHex(16)}`)
  if (knows) return proven(at, note)
  return proven({ ...at, facts: { ...facts, singleRequests: true } }, note)
}

function all(single: boolean): string {
  const how = single ? `, reads in one request each (${SINGLE_REQUEST}=true)` : ''
  return `upload, multipart, read, list and delete all work${how}`
}

function proven({ facts, place }: Pick<At, 'facts' | 'place'>, note: string): Finding {
  if (!facts.singleRequests) return { is: 'ready', note, facts: { keyProven: true } }
  const known = { keyProven: true, singleRequests: true } as const
  if (isSingle(place)) return { is: 'ready', note, facts: known }
  const warning = `The S3 endpoint refuses reads by part number (HTTP 501). ${NO_DOWNLOADS} ${SINGLE_REQUEST}=true in the env file spares them.`
  return { is: 'ready', note, facts: known, warnings: [warning] }
}

/** A new key may be refused for up to a minute (Cloudflare docs, r2/reference/consistency). */
async function onceKeyWorks<T>({ clock, place }: At, attempt: () => Promise<T>): Promise<T> {
  const start = clock.now().getTime()
  for (;;) {
    try {
      return await attempt()
    } catch (error) {
      const refused = error instanceof Problem && /^s3-(401|403)$/.test(error.code)
      const waited = clock.now().getTime() - start
      if (!refused || waited >= place.waitKeyMs) throw error
      await clock.sleep(Math.min(Math.max(waited / 20, 200), 1_000))
    }
  }
}

interface Probe {
  readonly s3: S3Port
  /** What the keys of all test files begin with. */
  readonly prefix: string
  readonly text: Uint8Array
  readonly single: boolean
  readonly keeping: Keeping
  readonly checksum: Pick<PutOptions, 'checksum'>
}

const SENT = { contentType: 'text/plain', cacheControl: MEDIA_CACHE_CONTROL } as const
const VIDEO = { ...SENT, contentType: 'video/mp4' } as const

interface ProbeOptions {
  readonly single: boolean
  readonly keeping?: Keeping | undefined
  /** Whether all but one of the uploads carry a checksum; they do unless told. */
  readonly summed?: boolean
}

/** Our own test objects, which are nobody's media. */
export function isProbe(key: string): boolean {
  return key.startsWith('mastodon-r2-probe/')
}

/**
 * Writes, reads, lists and deletes under `mastodon-r2-probe/<name>`, with the requests of Mastodon
 * 4.6.5 (aws-sdk-s3 1.228.1), and once without a checksum, as older ones do. Throws the first
 * Problem (`s3-…`), once nothing of it is left. `single`: reads as with S3_FORCE_SINGLE_REQUEST=true.
 * The longest row of requests is five, an upload in parts: begun, sent, completed, read, removed.
 */
export async function probeUploads(
  s3: S3Port,
  name: string,
  { single, keeping = {}, summed = true }: ProbeOptions,
): Promise<void> {
  const text = new TextEncoder().encode(`mastodon-r2 ${name}\n`.repeat(8))
  const prefix = `mastodon-r2-probe/${name}`
  const checksum = summed ? ({ checksum: 'CRC32' } as const) : {}
  const probe = { s3, prefix, text, single, keeping, checksum }
  // Both to their end, so that nothing is written after a clean-up.
  await allOf([probeSmall(probe), probeParts(probe)])
}

/** Two small files, removed in both ways, and seen to be gone. */
async function probeSmall({ s3, prefix, text, single, keeping, checksum }: Probe): Promise<void> {
  const [plain, summed] = [`${prefix}-plain.txt`, `${prefix}-checksum.txt`]
  await whileThere(
    async () => {
      const sent = { ...SENT, ...keeping }
      await allOf([s3.put(plain, text, sent), s3.put(summed, text, { ...sent, ...checksum })])
      await allOf([
        readsBack(s3.get(plain), text),
        readsBack(download(s3, { key: summed, parts: 1 }, single), text),
        readsPart(s3, plain, text, 4, 19),
        lists(s3, prefix, [plain, summed]),
      ])
    },
    () => allOf([s3.delete(plain), s3.deleteMany([summed])]),
  )
  await areGone(s3, prefix, [plain, summed])
}

/** One that is large enough to be uploaded, and read, in parts. */
async function probeParts({ s3, prefix, text, single, keeping, checksum }: Probe): Promise<void> {
  const key = `${prefix}-parts.bin`
  const large = twoParts(text)
  await whileThere(
    async () => {
      const etag = await s3.putMultipart(key, large, { ...VIDEO, ...keeping, ...checksum })
      await allOf([
        readsBack(download(s3, { key, parts: 2, etag }, single), large, VIDEO.contentType),
        ...(single ? [] : [readsFirstPart(s3, key, large)]),
        readsPart(s3, key, large, 5 * MIB - 8, 5 * MIB + 1023),
        lists(s3, prefix, [key]),
      ])
    },
    () => s3.deleteMany([key]),
  )
}

/** Removes what the work has put there, also where it fails; then its fault is thrown. */
async function whileThere(work: () => Promise<void>, remove: () => Promise<unknown>) {
  try {
    await work()
  } catch (error) {
    await remove().catch(() => undefined)
    throw error
  }
  await remove()
}

function twoParts(filling: Uint8Array): Uint8Array {
  return Buffer.alloc(5 * MIB + 1024, filling)
}

async function readsBack(
  reading: Promise<S3Object>,
  sent: Uint8Array,
  type = 'text/plain',
): Promise<void> {
  const object = await reading
  if (Buffer.compare(object.body, sent) !== 0) {
    throw notProven('A test file came back with other bytes than were sent.')
  }
  if (object.contentType !== type || object.cacheControl !== MEDIA_CACHE_CONTROL) {
    throw notProven(
      `A test file came back as ${object.contentType}, ${object.cacheControl}; sent were ${type} and ${MEDIA_CACHE_CONTROL}.`,
    )
  }
}

/** R2 may answer with the part or, where it keeps no parts, with all of it. */
async function readsFirstPart(s3: S3Port, key: string, sent: Uint8Array): Promise<void> {
  const { status, body } = await firstPart(s3, key)
  const isRight = [5 * MIB, sent.length].includes(body.length)
  if (!isRight || Buffer.compare(body, sent.subarray(0, body.length)) !== 0) {
    throw notProven(`Reading part 1 gave status ${status} and ${body.length} bytes, or other ones.`)
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
  const object = await s3.get(key, { range: `bytes=${first}-${last}` })
  if (object.status !== 206 || Buffer.compare(object.body, sent.subarray(first, last + 1)) !== 0) {
    throw notProven(
      `Reading bytes ${first} to ${last} gave status ${object.status} or other bytes.`,
    )
  }
}

async function lists(s3: S3Port, prefix: string, keys: readonly string[]): Promise<void> {
  const listed = await s3.list(prefix, 10)
  const missing = keys.filter((key) => !listed.includes(key))
  if (missing.length > 0) throw notProven(`Listed without ${missing.join(', ')}.`)
}

async function areGone(s3: S3Port, prefix: string, keys: readonly string[]): Promise<void> {
  const left = (await s3.list(prefix, 10)).filter((key) => keys.includes(key))
  if (left.length > 0) throw notProven(`Deleted, and still listed: ${left.join(', ')}.`)
}
