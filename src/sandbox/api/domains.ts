import { createHash, randomBytes } from 'node:crypto'
import type { CNAMERecord, RecordResponse } from 'cloudflare/resources/dns/records'
import type {
  CustomCreateResponse,
  CustomDeleteResponse,
  CustomGetResponse,
  CustomListResponse,
  CustomUpdateResponse,
} from 'cloudflare/resources/r2/buckets/domains/custom'
import type {
  ManagedListResponse,
  ManagedUpdateResponse,
} from 'cloudflare/resources/r2/buckets/domains/managed'
import type { SandboxBucket, SandboxDnsRecord, SandboxDomain, World } from '../world.ts'
import { ok, Refusal } from './refusal.ts'
import {
  type ApiContext,
  type ApiRequest,
  bodyObject,
  findBucket,
  type Handler,
  page,
  param,
} from './request.ts'

type TlsVersion = NonNullable<CustomGetResponse['minTLS']>

const tlsVersions: readonly TlsVersion[] = ['1.0', '1.1', '1.2', '1.3']
const maxDomains = 50

/** Domains that have been asked for once: the first look at each fails for a moment. */
const looked = new WeakSet<SandboxDomain>()

/** Attaching also makes the proxied CNAME to `public.r2.dev`. */
export const attachCustomDomain: Handler = (context, request) => {
  const { world } = context
  const bucket = findBucket(context, request)
  const { domain, zoneId, enabled, minTLS } = bodyObject(request)
  if (typeof domain !== 'string' || !isHost(domain) || typeof enabled !== 'boolean') {
    throw new Refusal('domain-body')
  }
  const zone = world.zones.find(({ id }) => id === zoneId)
  const within = zone && (domain === zone.name || domain.endsWith(`.${zone.name}`))
  if (!within || zone.accountId !== bucket.accountId) throw new Refusal('zone-id')
  if (zone.status !== 'active') throw new Refusal('zone-inactive')
  if (world.buckets.some(({ domains }) => domains.some(({ host }) => host === domain))) {
    throw new Refusal('domain-attached')
  }
  if (world.dnsRecords.some((record) => record.zoneId === zone.id && record.name === domain)) {
    throw new Refusal('host-has-record')
  }
  if (bucket.domains.length >= maxDomains) throw new Refusal('too-many-domains')
  const attached = { host: domain, zoneId: zone.id, enabled, attachedAt: context.now() }
  const settings = { minTLS: tlsVersion(minTLS) ?? '1.0' }
  bucket.domains.push({ ...attached, ...settings })
  const record = { name: domain, type: 'CNAME', content: 'public.r2.dev', proxied: true }
  world.dnsRecords.push({ id: randomBytes(16).toString('hex'), zoneId: zone.id, ...record })
  return ok<CustomCreateResponse>({ domain, zoneId: zone.id, enabled, ...settings, ciphers: [] })
}

export const listCustomDomains: Handler = (context, request) => {
  const { domains } = findBucket(context, request)
  return ok<CustomListResponse>({
    domains: domains.map((domain) => describeCustom(context, domain)),
  })
}

/**
 * The first look after attaching answers `unknown` twice, without the zone's name and the TLS
 * settings, as Cloudflare does when its backend fails for a moment.
 */
export const getCustomDomain: Handler = (context, request) => {
  const domain = findDomain(findBucket(context, request), request)
  if (looked.has(domain)) return ok<CustomGetResponse>(describeCustom(context, domain))
  looked.add(domain)
  const { host, enabled, zoneId } = domain
  const status = { ownership: 'unknown', ssl: 'unknown' } as const
  return ok<CustomGetResponse>({ domain: host, enabled, zoneId, status })
}

export const updateCustomDomain: Handler = (context, request) => {
  const domain = findDomain(findBucket(context, request), request)
  const { enabled, minTLS } = bodyObject(request)
  if (enabled !== undefined && typeof enabled !== 'boolean') throw new Refusal('domain-body')
  const version = tlsVersion(minTLS) ?? domain.minTLS
  domain.enabled = enabled ?? domain.enabled
  domain.minTLS = version
  const settings = { minTLS: version as TlsVersion, ciphers: [] }
  return ok<CustomUpdateResponse>({ domain: domain.host, enabled: domain.enabled, ...settings })
}

export const detachCustomDomain: Handler = (context, request) => {
  const bucket = findBucket(context, request)
  const domain = findDomain(bucket, request)
  removeDomain(context.world, bucket, domain)
  return ok<CustomDeleteResponse>({ domain: domain.host })
}

/** Takes the domain off the bucket, and its CNAME off the zone. */
export function removeDomain(world: World, bucket: SandboxBucket, domain: SandboxDomain): void {
  bucket.domains.splice(bucket.domains.indexOf(domain), 1)
  const record = world.dnsRecords.findIndex(
    ({ zoneId, name, content }) =>
      zoneId === domain.zoneId && name === domain.host && content === 'public.r2.dev',
  )
  if (record >= 0) world.dnsRecords.splice(record, 1)
}

function findDomain(bucket: SandboxBucket, request: ApiRequest): SandboxDomain {
  const host = param(request, 'domain').toLowerCase()
  const found = bucket.domains.find((domain) => domain.host === host)
  if (found === undefined) throw new Refusal('no-domain')
  return found
}

function describeCustom({ world, now }: ApiContext, domain: SandboxDomain): CustomGetResponse {
  const zone = world.zones.find(({ id }) => id === domain.zoneId)
  const age = now() - domain.attachedAt
  return {
    domain: domain.host,
    enabled: domain.enabled,
    zoneId: domain.zoneId,
    ...(zone ? { zoneName: zone.name } : {}),
    minTLS: domain.minTLS as TlsVersion,
    ciphers: [],
    status: statusAt(age, world.delays.domainMs),
  }
}

/** Ownership is proven half way, the certificate comes last. */
function statusAt(age: number, delay: number): CustomGetResponse['status'] {
  if (age >= delay) return { ownership: 'active', ssl: 'active' }
  if (age >= delay / 2) return { ownership: 'active', ssl: 'pending' }
  return { ownership: 'pending', ssl: 'initializing' }
}

function tlsVersion(value: unknown): TlsVersion | undefined {
  const known = tlsVersions.find((version) => version === value)
  if (value !== undefined && known === undefined) throw new Refusal('domain-body')
  return known
}

function isHost(text: string): boolean {
  return (
    text.length <= 253 && /^([a-z0-9_]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]{2,63}$/.test(text)
  )
}

/** The bucket's `pub-….r2.dev` address; off in a new bucket. */
export const getManagedDomain: Handler = (context, request) =>
  ok<ManagedListResponse>(describeManaged(findBucket(context, request)))

export const updateManagedDomain: Handler = (context, request) => {
  const bucket = findBucket(context, request)
  const { enabled } = bodyObject(request)
  if (typeof enabled !== 'boolean') throw new Refusal('domain-body')
  bucket.devUrlEnabled = enabled
  return ok<ManagedUpdateResponse>(describeManaged(bucket))
}

function describeManaged(bucket: SandboxBucket): ManagedListResponse {
  const identity = `${bucket.accountId}/${bucket.jurisdiction}/${bucket.name}`
  const bucketId = createHash('sha256').update(identity).digest('hex').slice(0, 32)
  return { bucketId, domain: `pub-${bucketId}.r2.dev`, enabled: bucket.devUrlEnabled }
}

/** Records of a zone by name, type and content; names compare without case. */
export const listDnsRecords: Handler = ({ world }, request) => {
  const tests = Object.entries(filters).flatMap(([parameter, test]) => {
    const wanted = request.query.get(parameter)?.toLowerCase()
    return wanted === undefined ? [] : [(record: SandboxDnsRecord) => test(record, wanted)]
  })
  const all = request.query.get('match') !== 'any' || tests.length === 0
  const records = world.dnsRecords
    .filter(({ zoneId }) => zoneId === param(request, 'zone'))
    .filter((record) => tests[all ? 'every' : 'some']((test) => test(record)))
  return page<RecordResponse>(request, records.map(describeRecord), {
    fallback: 100,
    min: 1,
    max: 5000,
  })
}

type Filter = (record: SandboxDnsRecord, wanted: string) => boolean

const filters: Readonly<Record<string, Filter>> = {
  name: ({ name }, wanted) => name.toLowerCase() === wanted,
  'name.exact': ({ name }, wanted) => name.toLowerCase() === wanted,
  'name.contains': ({ name }, wanted) => name.toLowerCase().includes(wanted),
  'name.startswith': ({ name }, wanted) => name.toLowerCase().startsWith(wanted),
  'name.endswith': ({ name }, wanted) => name.toLowerCase().endsWith(wanted),
  type: ({ type }, wanted) => type.toLowerCase() === wanted,
  content: ({ content }, wanted) => content.toLowerCase() === wanted,
  'content.exact': ({ content }, wanted) => content.toLowerCase() === wanted,
}

function describeRecord(record: SandboxDnsRecord): RecordResponse {
  const { id, name, type, content, proxied } = record
  const created = '2024-01-01T00:00:00.000000Z'
  return {
    id,
    name,
    type: type as CNAMERecord['type'],
    content,
    proxied,
    proxiable: ['A', 'AAAA', 'CNAME'].includes(type),
    ttl: 1,
    settings: {},
    comment: '',
    tags: [],
    meta: {},
    created_on: created,
    modified_on: created,
  }
}
