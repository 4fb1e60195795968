import { createHash } from 'node:crypto'
import type {
  ManagedListResponse,
  ManagedUpdateResponse,
} from 'cloudflare/resources/r2/buckets/domains/managed'
import type { SandboxBucket } from '../world.ts'
import { ok, Refusal } from './refusal.ts'
import { bodyObject, findBucket, type Handler } from './request.ts'

/** The bucket's `pub-….r2.dev` address; off in a new bucket. */
export const getManagedDomain: Handler = (context, request) =>
  ok<ManagedListResponse>(describe(findBucket(context, request)))

export const updateManagedDomain: Handler = (context, request) => {
  const bucket = findBucket(context, request)
  const { enabled } = bodyObject(request)
  if (typeof enabled !== 'boolean') throw new Refusal('domain-body')
  bucket.devUrlEnabled = enabled
  return ok<ManagedUpdateResponse>(describe(bucket))
}

function describe(bucket: SandboxBucket): ManagedListResponse {
  const identity = `${bucket.accountId}/${bucket.jurisdiction}/${bucket.name}`
  const bucketId = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  return { bucketId, domain: `pub-${bucketId}.r2.dev`, enabled: bucket.devUrlEnabled }
}
