import type { SandboxBucket, SandboxToken, World } from '../world.ts'
import { allows, allowsAddress, grantsOf, type Right } from './grants.ts'
import { S3Error } from './s3-error.ts'
import { decode, type S3Request } from './s3-request.ts'
import { awsEncode } from './sigv4.ts'

/** Where the request came in. */
export interface Entrance {
  readonly world: World
  readonly jurisdiction: string
  /** The client's address, for the key's IP condition. */
  readonly address: string
}

/**
 * The bucket that the request is about and that the token may use so; undefined for an allowed
 * ListBuckets. Throws S3Error: AccessDenied, NoSuchBucket, NotEntitled, NotImplemented.
 */
export function authorize(
  request: S3Request,
  token: SandboxToken,
  at: Entrance,
): SandboxBucket | undefined {
  if (!allowsAddress(token, at.address)) throw new S3Error('AccessDenied')
  if (request.bucket === '') {
    if (request.method !== 'GET') throw new S3Error('RouteNotFound')
    if (!isAdmin(token, false)) throw new S3Error('AccessDenied')
    return undefined
  }
  const need = needOf(request)
  if (need.admin && !isAdmin(token, true)) throw new S3Error('AccessDenied')
  const bucket = findBucket(request.bucket, token, at, need)
  if (!bucket && need.admin) throw new S3Error('NotImplemented', 'CreateBucket not implemented')
  if (!bucket) throw new S3Error('NoSuchBucket')
  return bucket
}

/** Source of a copy, when the request is one; the token must be allowed to read it. */
export function copySourceOf(
  request: S3Request,
  token: SandboxToken,
  at: Entrance,
): { bucket: SandboxBucket; key: string } | undefined {
  const header = request.headers.get('x-amz-copy-source')
  if (header === undefined || request.method !== 'PUT') return undefined
  const [name = '', ...key] = decode(header).replace(/^\//, '').split('/')
  const bucket = findBucket(name, token, at, { write: false, admin: false })
  if (!bucket) throw new S3Error('NoSuchBucket')
  return { bucket, key: key.map(awsEncode).join('/') }
}

function needOf({ method, key }: S3Request): Right {
  const write = method !== 'GET' && method !== 'HEAD'
  return { write, admin: key === undefined && (method === 'PUT' || method === 'DELETE') }
}

/** The same name may exist in several accounts: the one that the token reaches is meant. */
function findBucket(
  name: string,
  token: SandboxToken,
  { world, jurisdiction }: Entrance,
  need: Right,
): SandboxBucket | undefined {
  const grants = grantsOf(token)
  const named = world.buckets.filter(
    (bucket) => bucket.name === name && bucket.jurisdiction === jurisdiction,
  )
  const reached = named.find((bucket) =>
    allows(grants, { account: bucket.accountId, jurisdiction, bucket: name }, need),
  )
  if (!reached && named.length > 0) throw new S3Error('AccessDenied')
  const account = world.accounts.find(({ id }) => id === reached?.accountId)
  if (account && !account.r2Enabled) throw new S3Error('NotEntitled')
  return reached
}

function isAdmin(token: SandboxToken, write: boolean): boolean {
  return grantsOf(token).some(
    ({ effect, right }) => effect === 'allow' && right.admin && (right.write || !write),
  )
}
