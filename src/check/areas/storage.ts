import { setClock } from '../../core/clock.ts'
import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import { isSingle, MEDIA_CACHE_CONTROL, SINGLE_REQUEST } from '../../flow/mastodon-here.ts'
import type { Clock } from '../../plan/step.ts'
import { type Check, type CheckWorld, troubleOf, type Verdict } from '../../plan/verdict.ts'
import type { S3Port } from '../../services/s3/port.ts'
import { isPartRefused, NO_DOWNLOADS } from '../../setup/download.ts'
import { removeLeftTests } from '../../setup/left-tests.ts'
import { probeUploads } from '../../setup/proof.ts'
import { type Door, findDoor, type StorageAt } from './storage-door.ts'

type OpenDoor = Extract<Door, { is: 'open' }>
export type Open = (at: StorageAt) => Promise<Door>

/** A check that needs the open bucket; skipped when the bucket's own check has the reason. */
export interface InsideCheck<Needs extends keyof CheckWorld> extends Omit<Check, 'look' | 'about'> {
  inside(door: OpenDoor, at: Pick<CheckWorld, Needs>): Promise<readonly Verdict[]>
}

function insideCheck<Needs extends keyof CheckWorld>(
  open: Open,
  { inside, ...check }: InsideCheck<Needs>,
): Check<keyof StorageAt | Needs> {
  return {
    ...check,
    about: 'storage',
    async look(at) {
      const door = await open(at)
      if (door.is === 'open') return inside(door, at)
      return [{ severity: 'skipped', saw: `not tried: ${door.because}` }]
    },
  }
}

const NO_ACL = {
  next: prose`${toType('init')} (it sets S3_PERMISSION to nothing), then restart Mastodon`,
  mend: { is: 'settings', values: new Map([['S3_PERMISSION', '']]) },
} as const

/**
 * Uploads with the `x-amz-acl` that Mastodon sends for this S3_PERMISSION: `public-read` when it is
 * absent, none when it is empty (mastodon issue 20416; its config/initializers/paperclip.rb).
 */
function aclCheck(open: Open): Check<keyof StorageAt | 'clock'> {
  return insideCheck<'clock' | 'installation'>(open, {
    id: 'storage-acl',
    title: 'Upload with ACL',
    cost: 'probe',
    async inside({ s3 }, { clock, installation }) {
      const acl = installation.settings.get('S3_PERMISSION')?.value ?? 'public-read'
      if (acl === '') return [{ severity: 'ok', saw: 'S3_PERMISSION is empty: no ACL is sent' }]
      if (!/^[\x21-\x7e]{1,64}$/.test(acl)) {
        return [{ severity: 'skipped', saw: "S3_PERMISSION can't be sent as a header" }]
      }
      return [await replay(s3, `mastodon-r2-probe/${clock.randomHex(16)}-acl.txt`, acl)]
    },
  })
}

async function replay(s3: S3Port, key: string, acl: string): Promise<Verdict> {
  const header = `"x-amz-acl: ${acl}"`
  const [refusal, ofPlain] = await refusals(s3, key, acl)
  if (ofPlain) return { severity: 'skipped', saw: 'not tried: uploads fail without it, too' }
  if (refusal) {
    return troubleOf(refusal, {
      matters: prose`Mastodon sends ${header} with every upload, and R2 refuses it: uploads fail with an error 500. ${refusal.why}`,
      ...NO_ACL,
    })
  }
  return {
    severity: 'warning',
    saw: `Mastodon sends ${header} with every upload; R2 let it pass this time.`,
    matters:
      'R2 has no ACLs and does not promise to ignore them: uploads may begin to fail. Files of suspended users stay public either way.',
    ...NO_ACL,
  }
}

/** Of the upload with the ACL; and where there is one, of the same upload without it. */
async function refusals(s3: S3Port, key: string, acl: string): Promise<(Problem | undefined)[]> {
  const options = { contentType: 'text/plain', cacheControl: MEDIA_CACHE_CONTROL }
  const put = (more: { acl?: string }) =>
    s3.put(key, new TextEncoder().encode('mastodon-r2\n'), { ...options, ...more }).then(
      () => undefined,
      (error: unknown) => {
        if (error instanceof Problem) return error
        throw error
      },
    )
  try {
    const refusal = await put({ acl })
    return refusal ? [refusal, await put({})] : []
  } finally {
    await s3.delete(key).catch(() => undefined)
  }
}

/** Does the bucket open with what the env file says? One HEAD; all of --quick there is here. */
function bucketCheck(open: Open): Check<keyof StorageAt> {
  return {
    id: 'storage-bucket',
    about: 'storage',
    title: 'Bucket',
    cost: 'look',
    async look(at) {
      const door = await open(at)
      if (door.is === 'shut') return [door.verdict]
      return [{ severity: 'ok', saw: `${door.bucket} opens at ${door.endpoint}` }]
    },
  }
}

const SKEW = {
  matters: 'R2 refuses requests that are more than 15 minutes off (RequestTimeTooSkewed).',
  next: setClock,
}

/** This machine's clock against R2's, which even a refused request tells. */
const clockSkewCheck: Check<keyof StorageAt | 'clock'> = {
  id: 'storage-clock',
  about: 'storage',
  title: 'Clock',
  cost: 'look',
  async look(at): Promise<Verdict[]> {
    const door = findDoor(at)
    if (door.is === 'shut') return [{ severity: 'skipped', saw: `not tried: ${door.because}` }]
    const theirs = await door.hasty.serverTime().catch(nothingIfRefused)
    if (theirs === undefined) return [{ severity: 'skipped', saw: 'R2 did not tell the time' }]
    const seconds = Math.round((at.clock.now().getTime() - theirs.getTime()) / 1000)
    const off = Math.abs(seconds)
    if (off < 60) return [{ severity: 'ok', saw: 'right within a minute' }]
    const amount = off < 120 ? `${off} s` : `${Math.round(off / 60)} min`
    const saw = `This machine's clock is ${amount} ${seconds > 0 ? 'fast' : 'slow'}.`
    const severity = off > 15 * 60 ? 'fault' : off > 5 * 60 ? 'warning' : 'note'
    return [{ severity, saw, ...SKEW }]
  },
}

/** A bucket that can't be reached at all is told by its own check. */
function nothingIfRefused(error: unknown): undefined {
  if (!(error instanceof Problem)) throw error
}

/** Mastodon needs the objects of one bucket. A key that lists buckets can do far more. */
function keyReachCheck(open: Open): Check<keyof StorageAt> {
  return insideCheck<never>(open, {
    id: 'storage-key-reach',
    title: 'Reach of the key',
    cost: 'look',
    async inside({ s3, bucket }) {
      const buckets = await s3.listBuckets()
      if (buckets === undefined) {
        return [{ severity: 'ok', saw: "it can't list or make buckets" }]
      }
      const others = buckets.filter((name) => name !== bucket).length
      const reach =
        others === 0 ? '' : `, ${others} other ${others === 1 ? 'one' : 'ones'} included`
      return [
        {
          severity: 'warning',
          saw: `Mastodon's key can list and make buckets${reach}.`,
          matters:
            'Whoever gets hold of it can delete far more than media. And with a typing error in S3_BUCKET, Mastodon makes a new bucket that nobody can see.',
          next: prose`${toType('rotate')} (it puts a key for this bucket alone in its place)`,
        },
      ]
    },
  })
}

/** First parts of Mastodon's own object keys; a bucket of such a name can't be told apart. */
const OWN = /^(accounts|backups|cache|custom_emojis|imports|media_attachments|site_uploads)$/
const PAGE = 1000

/** A path in S3_ENDPOINT puts every object one folder too deep (mastodon issue 27015). */
function misplacedCheck(open: Open): Check<keyof StorageAt> {
  return insideCheck<never>(open, {
    id: 'storage-misplaced',
    title: 'Misplaced files',
    cost: 'look',
    async inside({ s3, bucket }) {
      if (OWN.test(bucket)) {
        return [{ severity: 'skipped', saw: `can't be told: ${bucket} is a folder of Mastodon's` }]
      }
      const found = (await s3.list(`${bucket}/`, PAGE)).length
      if (found === 0) return [{ severity: 'ok', saw: `nothing below ${bucket}/` }]
      const count = `${found >= PAGE ? 'At least ' : ''}${found} ${found === 1 ? 'file is' : 'files are'}`
      return [
        {
          severity: 'warning',
          saw: `${count} in the folder ${bucket}/ of the bucket.`,
          matters:
            "They were uploaded while S3_ENDPOINT ended in the bucket's name, so visitors get 404 for them.",
          next: `Make sure that S3_ENDPOINT has no path, restart Mastodon, then move them up with rclone (R2: your remote):\n  rclone move R2:${bucket}/${bucket} R2:${bucket}`,
        },
      ]
    },
  })
}

/** Mastodon waits this long for an answer, and tries once (its config/initializers/paperclip.rb). */
const READ_TIMEOUT_MS = 5_000
const SLOW_MS = 1_000

/** How fast R2 answered; `times` in milliseconds. */
export function latencyOf(times: readonly number[]): Verdict {
  const sorted = [...times].sort((a, b) => a - b)
  const p95 = Math.round(sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0)
  const median = Math.round(sorted[Math.floor((sorted.length - 1) / 2)] ?? 0)
  const saw = `${sorted.length} requests: half within ${median} ms, 95 % within ${p95} ms`
  if (p95 < SLOW_MS) return { severity: 'ok', saw }
  return {
    severity: p95 < READ_TIMEOUT_MS / 2 ? 'note' : 'warning',
    saw: `${saw}; that is slow`,
    matters:
      'Mastodon gives a request 5 s and tries once. After ten failures its breaker "object-storage" (Stoplight::Error::RedLight) refuses uploads with 503 for 30 s.',
    next: 'Run this again at another time. If it stays slow, put S3_READ_TIMEOUT=15 and S3_RETRY_LIMIT=1 (Mastodon 4.3 or newer) into the env file, and restart Mastodon.',
  }
}

export interface Stopwatch {
  readonly s3: S3Port
  /** Milliseconds of each request so far. Uploads are left out: they measure the line, not R2. */
  readonly times: readonly number[]
}

/** The same bucket, with every request but uploads timed. */
function stopwatch(s3: S3Port, clock: Clock): Stopwatch {
  const times: number[] = []
  async function timed<T>(work: Promise<T>): Promise<T> {
    const began = clock.now().getTime()
    const result = await work
    times.push(Math.max(0, clock.now().getTime() - began))
    return result
  }
  return {
    times,
    s3: {
      headBucket: () => timed(s3.headBucket()),
      put: (...wish) => s3.put(...wish),
      putMultipart: (...wish) => s3.putMultipart(...wish),
      get: (...wish) => timed(s3.get(...wish)),
      head: (...wish) => timed(s3.head(...wish)),
      pages: (...wish) => s3.pages(...wish),
      pageAfter: (...wish) => s3.pageAfter(...wish),
      list: (...wish) => timed(s3.list(...wish)),
      putAcl: (...wish) => s3.putAcl(...wish),
      delete: (...wish) => timed(s3.delete(...wish)),
      deleteMany: (...wish) => timed(s3.deleteMany(...wish)),
      listBuckets: () => timed(s3.listBuckets()),
      serverTime: () => timed(s3.serverTime()),
    },
  }
}

/**
 * The installer's own upload probe, with how long R2 took to answer. It is begun while the bucket is
 * looked for: one that does not open takes no upload.
 */
function uploadCheck(open: Open): Check<keyof StorageAt | 'clock'> {
  return {
    id: 'storage-upload',
    about: 'storage',
    title: 'Test upload',
    cost: 'probe',
    async look(at) {
      const { clock, installation } = at
      const tried = findDoor(at)
      const trying = tried.is === 'open' ? probed(tried.s3, clock, isSingle({ installation })) : []
      const [door, probing] = await Promise.allSettled([open(at), trying])
      if (door.status === 'rejected') throw door.reason
      if (door.value.is === 'shut') {
        return [{ severity: 'skipped', saw: `not tried: ${door.value.because}` }]
      }
      if (probing.status === 'rejected') throw probing.reason
      return probing.value
    },
  }
}

async function probed(bucket: S3Port, clock: Clock, isForced: boolean): Promise<Verdict[]> {
  const { s3, times } = stopwatch(bucket, clock)
  const probe = (single: boolean) => probeUploads(s3, clock.randomHex(16), { single })
  const [verdict] = await Promise.all([
    partsVerdict(probe, isForced),
    removeLeftTests(bucket, { now: clock.now(), holdsEnvFile: false }),
  ])
  return [verdict, latencyOf(times)]
}

/** With S3_FORCE_SINGLE_REQUEST=true once more, where reads by part number are refused. */
async function partsVerdict(
  probe: (single: boolean) => Promise<void>,
  isForced: boolean,
): Promise<Verdict> {
  try {
    await probe(isForced)
    const how = isForced ? `; each read is one request (${SINGLE_REQUEST}=true)` : ''
    return { severity: 'ok', saw: `upload, multipart, read, list and delete all work${how}` }
  } catch (error) {
    if (!isPartRefused(error)) throw error
    await probe(true)
    return {
      severity: 'fault',
      saw: `${error.what} With ${SINGLE_REQUEST}=true all works.`,
      matters: NO_DOWNLOADS,
      next: prose`${toType('init')} (it writes ${SINGLE_REQUEST}=true), then restart Mastodon`,
      mend: { is: 'settings', values: new Map([[SINGLE_REQUEST, 'true']]) },
    }
  }
}

/** The bucket through its S3 endpoint, as Mastodon uses it. `open` finds it once for all of them. */
export function storageChecks(open: Open): readonly Check[] {
  return [
    bucketCheck(open),
    uploadCheck(open),
    aclCheck(open),
    misplacedCheck(open),
    keyReachCheck(open),
    clockSkewCheck,
  ]
}
