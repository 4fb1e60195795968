import { jurisdictions } from '../../core/jurisdictions.ts'
import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import { r2Endpoint } from '../../flow/mastodon-here.ts'
import { type CheckWorld, troubleOf, type Verdict } from '../../plan/verdict.ts'
import type { S3Key, S3Port } from '../../services/s3/port.ts'
import { shown } from './setting-check.ts'

type At = Pick<CheckWorld, 'storage' | 'connectS3At'>

/**
 * Looks for the bucket at the endpoints of the account's other jurisdictions; undefined when it is
 * at none of them. Each endpoint sees its own buckets only (Cloudflare docs, r2/reference/
 * data-location).
 */
async function otherPlace(at: At): Promise<Verdict | undefined> {
  const { accountId, jurisdiction, key, bucket, endpoint } = at.storage
  if (accountId === undefined || key === undefined) return undefined
  const others = jurisdictions.filter((name) => name !== (jurisdiction ?? 'default'))
  const found = await Promise.all(
    others.map(async (name) => ((await opens(at, r2Endpoint(accountId, name), key)) ? name : '')),
  )
  const place = found.find((name) => name !== '')
  if (place === undefined) return undefined
  return {
    severity: 'fault',
    saw: `The bucket ${bucket} is not at ${endpoint}; it is in the jurisdiction ${place}.`,
    matters:
      'Each jurisdiction has an endpoint of its own. At the wrong one every upload fails, or media goes into another bucket of the same name.',
    next: `Set this line in the env file, then restart Mastodon:\n  S3_ENDPOINT=${r2Endpoint(accountId, place)}`,
    mend: { is: 'settings', values: new Map([['S3_ENDPOINT', r2Endpoint(accountId, place)]]) },
  }
}

async function opens({ connectS3At }: At, endpoint: string, key: S3Key): Promise<boolean> {
  try {
    await connectS3At(endpoint)(key).headBucket()
    return true
  } catch (error) {
    if (error instanceof Problem) return false
    throw error
  }
}

type Needs = 'storage' | 'connectS3' | 'connectS3At' | 'installation'
export type StorageAt = Pick<CheckWorld, Needs>

const NEEDED = ['S3_ENDPOINT', 'S3_BUCKET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY']

/** The bucket, to go in; or why it can't be looked into, as the bucket's own check says it. */
export type Door =
  | {
      readonly is: 'open'
      readonly s3: S3Port
      /** The same with less patience: for a request that carries nothing. */
      readonly hasty: S3Port
      readonly bucket: string
      /** Without the path that a wrong S3_ENDPOINT may have. */
      readonly endpoint: string
    }
  | { readonly is: 'shut'; readonly verdict: Verdict; readonly because: string }

/** Finds the bucket with the key, S3_BUCKET and S3_ENDPOINT of the env files, by one HEAD. */
export async function openDoor(at: StorageAt): Promise<Door> {
  const door = findDoor(at)
  if (door.is === 'shut') return door
  try {
    await door.hasty.headBucket()
    return door
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const elsewhere = /^s3-40[34]$/.test(error.code) ? await otherPlace(at) : undefined
    return shut('the bucket does not open', elsewhere ?? refused(error))
  }
}

/** The same without a request: for what only needs to be tried. */
export function findDoor({ storage, connectS3, connectS3At, installation }: StorageAt): Door {
  const { endpoint, bucket, key } = storage
  const missing = NEEDED.filter((name) => (installation.settings.get(name)?.value ?? '') === '')
  if (missing.length > 0) {
    return shut('the settings are not complete', {
      severity: 'fault',
      saw: `Not set: ${missing.join(', ')}.`,
      matters: "Without these settings Mastodon can't store media at R2.",
      next: toType('init'),
    })
  }
  if (endpoint === undefined || bucket === undefined) {
    const because = `${endpoint === undefined ? 'S3_ENDPOINT' : 'S3_BUCKET'} can't be right`
    return shut(because, { severity: 'skipped', saw: `not tried: ${because} (see settings)` })
  }
  if (!storage.isR2) {
    return shut('the storage is not R2', {
      severity: 'fault',
      saw: `S3_ENDPOINT is ${shown(endpoint)}, which is not R2.`,
      matters: 'Media is stored elsewhere; nothing there was touched or looked at.',
      next: toType('init'),
    })
  }
  if (key === undefined) {
    const because = "the access key has not the form of R2's keys"
    return shut(because, { severity: 'skipped', saw: `not tried: ${because} (see settings)` })
  }
  const { origin } = new URL(endpoint)
  const hasty = connectS3At(origin)(key)
  const s3 = origin === endpoint ? connectS3(key) : hasty
  return { is: 'open', s3, hasty, bucket, endpoint: origin }
}

function shut(because: string, verdict: Verdict): Door {
  return { is: 'shut', because, verdict }
}

function refused(problem: Problem): Verdict {
  if (problem.code !== 's3-401') return troubleOf(problem)
  return troubleOf(problem, {
    matters: 'It was revoked or has expired, or its id has a mistake. Uploads fail.',
    next: prose`${toType('init')} (it makes a new key)`,
  })
}
