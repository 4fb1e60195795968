import { Problem } from '../../core/problem.ts'
import { r2Endpoint } from '../../flow/storage-block.ts'
import type { CheckWorld, Verdict } from '../../plan/verdict.ts'
import type { S3Key } from '../../services/s3/port.ts'

type At = Pick<CheckWorld, 'storage' | 'connectS3At'>

const JURISDICTIONS = ['default', 'eu', 'us', 'fedramp', 'fedramp-high']

/**
 * Looks for the bucket at the endpoints of the account's other jurisdictions; undefined when it is
 * at none of them. Each endpoint sees its own buckets only (Cloudflare docs, r2/reference/
 * data-location).
 */
export async function otherPlace(at: At): Promise<Verdict | undefined> {
  const { accountId, jurisdiction, key, bucket, endpoint } = at.storage
  if (accountId === undefined || key === undefined) return undefined
  const others = JURISDICTIONS.filter((name) => name !== (jurisdiction ?? 'default'))
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
