import { queryValue, type S3Request } from './r2/s3-request.ts'
import type { SandboxBucket, World } from './world.ts'

/** A bucket as Cloudflare's analytics call it: a jurisdiction stands before its name. */
export function analyticsName({
  jurisdiction,
  name,
}: Pick<SandboxBucket, 'jurisdiction' | 'name'>): string {
  return jurisdiction === 'default' ? name : `${jurisdiction}_${name}`
}

const HOUR_MS = 3_600_000

export interface Operation {
  /** As R2's price list calls it. */
  readonly action: string
  readonly status: number
  /** Milliseconds since the epoch. */
  readonly at: number
}

/** Counts a request by the hour, so that a million of them take no more room than one. */
export function noteOperation({ analytics }: World, bucket: SandboxBucket, operation: Operation) {
  const { action, status } = operation
  const at = operation.at - (operation.at % HOUR_MS)
  const { accountId } = bucket
  const name = analyticsName(bucket)
  const known = analytics.operations.findLast(
    (one) =>
      one.at === at &&
      one.accountId === accountId &&
      one.bucket === name &&
      one.action === action &&
      one.status === status,
  )
  if (known) known.requests += 1
  else analytics.operations.push({ accountId, bucket: name, action, status, at, requests: 1 })
}

/** What R2's price list calls a request at the S3 endpoint that names a bucket. */
export function operationOf(
  request: Pick<S3Request, 'method' | 'key' | 'query' | 'headers'>,
): string {
  const { method, key, headers } = request
  const asks = (name: string) => queryValue(request, name) !== undefined
  if (key === undefined) {
    if (method === 'HEAD') return 'HeadBucket'
    if (method === 'POST' && asks('delete')) return 'DeleteObject'
    if (method === 'PUT') return asks('cors') ? 'PutBucketCors' : 'PutBucket'
    if (method === 'DELETE') return 'DeleteBucket'
    if (asks('cors')) return 'GetBucketCors'
    if (asks('location')) return 'GetBucketLocation'
    return asks('uploads') ? 'ListMultipartUploads' : 'ListObjects'
  }
  const isCopy = headers.has('x-amz-copy-source')
  switch (method) {
    case 'HEAD':
      return 'HeadObject'
    case 'PUT':
      if (asks('uploadId')) return isCopy ? 'UploadPartCopy' : 'UploadPart'
      return isCopy ? 'CopyObject' : 'PutObject'
    case 'POST':
      return asks('uploads') ? 'CreateMultipartUpload' : 'CompleteMultipartUpload'
    case 'DELETE':
      return asks('uploadId') ? 'AbortMultipartUpload' : 'DeleteObject'
    default:
      return asks('uploadId') ? 'ListParts' : 'GetObject'
  }
}
