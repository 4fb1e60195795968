import { BlockList, isIPv6 } from 'node:net'
import type { SandboxBucket, SandboxToken, World } from '../world.ts'
import { awsEncode } from './authenticate.ts'
import { decode, S3Error, type S3Request } from './s3-request.ts'

/** What a token may do at the S3 endpoint; `*` stands for any. */
export interface Grant {
  readonly effect: 'allow' | 'deny'
  readonly account: string
  readonly jurisdiction: string
  readonly bucket: string
  readonly right: Right
}

/** Each right includes the object rights of its kind; `admin` adds buckets themselves. */
export interface Right {
  readonly write: boolean
  readonly admin: boolean
}

/** One bucket, or with undefined fields every bucket. */
export interface Place {
  readonly account: string
  readonly jurisdiction: string
  readonly bucket: string
}

/** Permission groups that reach R2 objects (Cloudflare docs, r2/api/tokens). */
const groups: readonly { id: string; name: string; right: Right }[] = [
  {
    id: 'bf7481a1826f439697cb59a20b22293e',
    name: 'Workers R2 Storage Write',
    right: { write: true, admin: true },
  },
  {
    id: 'b4992e1108244f5d8bfbd5744320c2e1',
    name: 'Workers R2 Storage Read',
    right: { write: false, admin: true },
  },
  {
    id: '2efd5506f9c8494dacb1fa10a3e7d5b6',
    name: 'Workers R2 Storage Bucket Item Write',
    right: { write: true, admin: false },
  },
  {
    id: '6a018a9f2fc74eb6b293b0c548f38b39',
    name: 'Workers R2 Storage Bucket Item Read',
    right: { write: false, admin: false },
  },
]

const BUCKET = 'com.cloudflare.edge.r2.bucket.'
const ACCOUNT = 'com.cloudflare.api.account.'

/** Reads policies as they were sent to the API; what it doesn't know grants nothing. */
export function grantsOf(token: SandboxToken): Grant[] {
  return token.policies.flatMap((policy) => {
    if (!isRecord(policy)) return []
    const effect = policy.effect === 'deny' ? ('deny' as const) : ('allow' as const)
    const places = isRecord(policy.resources) ? Object.entries(policy.resources) : []
    return rightsOf(policy.permission_groups).flatMap((right) =>
      places.flatMap(([resource, value]) =>
        placesOf(resource, value, right.admin).map((place) => ({ effect, ...place, right })),
      ),
    )
  })
}

/** Whether the grants cover a bucket's objects (`admin`: the bucket itself) for reading or writing. */
export function allows(grants: readonly Grant[], at: Place, need: Right): boolean {
  const covering = grants.filter(
    ({ account, jurisdiction, bucket, right }) =>
      covers(account, at.account) &&
      covers(jurisdiction, at.jurisdiction) &&
      covers(bucket, at.bucket) &&
      (right.write || !need.write) &&
      (right.admin || !need.admin),
  )
  return covering.length > 0 && covering.every(({ effect }) => effect === 'allow')
}

/** Whether the token's IP condition lets this address in; no condition lets everyone in. */
export function allowsAddress(token: SandboxToken, address: string): boolean {
  const condition = isRecord(token.condition) ? token.condition.request_ip : undefined
  if (!isRecord(condition)) return true
  const listed = (list: unknown) =>
    Array.isArray(list) && list.some((cidr) => inRange(cidr, address))
  const restricted = Array.isArray(condition.in) && condition.in.length > 0
  return (!restricted || listed(condition.in)) && !listed(condition.not_in)
}

function rightsOf(permissionGroups: unknown): Right[] {
  if (!Array.isArray(permissionGroups)) return []
  return permissionGroups.filter(isRecord).flatMap((sent) => {
    const known = groups.find(({ id, name }) => id === sent.id || name === sent.name)
    return known ? [known.right] : []
  })
}

function placesOf(resource: string, value: unknown, admin: boolean): Place[] {
  if (resource.startsWith(BUCKET) && !admin) {
    const name = resource.slice(BUCKET.length)
    if (name === '*') return [{ account: '*', jurisdiction: '*', bucket: '*' }]
    const [account, jurisdiction, ...rest] = name.split('_')
    if (!account || !jurisdiction || rest.length === 0) return []
    return [{ account, jurisdiction, bucket: rest.join('_') }]
  }
  if (!resource.startsWith(ACCOUNT)) return []
  const every = { account: resource.slice(ACCOUNT.length), jurisdiction: '*', bucket: '*' }
  return admin || (isRecord(value) && `${BUCKET}*` in value) ? [every] : []
}

function covers(pattern: string, value: string): boolean {
  return pattern === '*' || pattern === value
}

function inRange(cidr: unknown, address: string): boolean {
  const [net = '', bits] = String(cidr).split('/')
  const family = isIPv6(net) ? 'ipv6' : 'ipv4'
  const list = new BlockList()
  try {
    list.addSubnet(net, bits === undefined ? (family === 'ipv6' ? 128 : 32) : Number(bits), family)
  } catch {
    return false
  }
  return list.check(address, isIPv6(address) ? 'ipv6' : 'ipv4')
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

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
