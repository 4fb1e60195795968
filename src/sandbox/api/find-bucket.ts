import type { SandboxBucket } from '../world.ts'
import { jurisdictionOf } from './jurisdiction.ts'
import { Refusal } from './refusal.ts'
import { type ApiContext, type ApiRequest, param } from './request.ts'

/** The bucket of a path and its jurisdiction header; refused when its name is bad or unknown. */
export function findBucket(context: ApiContext, request: ApiRequest): SandboxBucket {
  const name = param(request, 'bucket')
  if (!isBucketName(name)) throw new Refusal('bucket-name')
  const found = bucketsOf(context, request).find((bucket) => bucket.name === name)
  if (found === undefined) throw new Refusal('no-bucket')
  return found
}

/** Every bucket of the account in the jurisdiction that the request names. */
export function bucketsOf({ world }: ApiContext, request: ApiRequest): SandboxBucket[] {
  const jurisdiction = jurisdictionOf(request)
  const accountId = param(request, 'account')
  return world.buckets.filter(
    (bucket) => bucket.accountId === accountId && bucket.jurisdiction === jurisdiction,
  )
}

/** As wrangler checks it: 3 to 63 of a-z, 0-9 and `-`, with no `-` at the ends. */
export function isBucketName(name: string): boolean {
  return /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/.test(name)
}
