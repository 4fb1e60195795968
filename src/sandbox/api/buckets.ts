import { randomBytes } from 'node:crypto'
import type {
  Bucket,
  BucketDeleteResponse,
  BucketListResponse,
} from 'cloudflare/resources/r2/buckets/buckets'
import type {
  CORSDeleteResponse,
  CORSGetResponse,
  CORSUpdateResponse,
} from 'cloudflare/resources/r2/buckets/cors'
import type {
  LifecycleGetResponse,
  LifecycleUpdateResponse,
} from 'cloudflare/resources/r2/buckets/lifecycle'
import type { ObjectListResponse } from 'cloudflare/resources/r2/buckets/objects'
import type { SandboxBucket } from '../world.ts'
import { removeDomain } from './domains.ts'
import { ok, Refusal } from './refusal.ts'
import {
  bodyObject,
  bucketsOf,
  cursorAfter,
  findBucket,
  type Handler,
  isBucketName,
  isObject,
  type Jurisdiction,
  jurisdictionOf,
  type ListedObject,
  param,
  queryNumber,
  startAfter,
} from './request.ts'

type Location = NonNullable<Bucket['location']>

const locations: readonly Location[] = ['apac', 'eeur', 'enam', 'weur', 'wnam', 'oc']
const storageClasses = ['Standard', 'InfrequentAccess'] as const

/** Buckets of one jurisdiction in the order of their names. */
export const listBuckets: Handler = (context, request) => {
  const perPage = queryNumber(request, 'per_page', 20, 1, 1000)
  const contains = request.query.get('name_contains') ?? ''
  const descending = request.query.get('direction') === 'desc'
  const after = startAfter(request)
  const buckets = bucketsOf(context, request)
    .filter(({ name }) => name.includes(contains))
    .sort((a, b) => (a.name < b.name === descending ? 1 : -1))
    .filter(({ name }) => after === undefined || (descending ? name < after : name > after))
  const shown = buckets.slice(0, perPage)
  const last = shown.at(-1)
  const cursor = last && buckets.length > shown.length ? { cursor: cursorAfter(last.name) } : {}
  const info = { per_page: perPage, ...cursor }
  return ok<BucketListResponse>({ buckets: shown.map(describeBucket) }, { info })
}

/** The same name in two jurisdictions is two buckets. */
export const createBucket: Handler = (context, request) => {
  const { name, locationHint, storageClass } = bodyObject(request)
  const jurisdiction = jurisdictionOf(request)
  const accountId = param(request, 'account')
  if (typeof name !== 'string' || !isBucketName(name)) throw new Refusal('bucket-name')
  const location = locationFor(locationHint, jurisdiction)
  const asked = storageClass ?? 'Standard'
  const known = storageClasses.find((other) => other === asked)
  if (known === undefined) throw new Refusal('storage-class')
  const siblings = bucketsOf(context, request)
  if (siblings.some((bucket) => bucket.name === name)) throw new Refusal('bucket-exists')
  const owned = context.world.buckets.filter((bucket) => bucket.accountId === accountId)
  if (owned.length >= context.maxBuckets) throw new Refusal('too-many-buckets')
  const bucket: SandboxBucket = {
    accountId,
    jurisdiction,
    name,
    location,
    storageClass: known,
    createdAt: context.now(),
    slot: randomBytes(8).toString('hex'),
    devUrlEnabled: false,
    cors: undefined,
    lifecycle: defaultLifecycle(),
    domains: [],
  }
  context.world.buckets.push(bucket)
  return ok<Bucket>(describeBucket(bucket))
}

export const getBucket: Handler = (context, request) =>
  ok<Bucket>(describeBucket(findBucket(context, request)))

/** Only an empty bucket goes; its custom domains and their DNS records go with it. */
export const deleteBucket: Handler = async (context, request) => {
  const bucket = findBucket(context, request)
  const objects = await context.listObjects(bucket, { prefix: '', perPage: 1 })
  if (objects.length > 0) throw new Refusal('bucket-not-empty')
  for (const domain of [...bucket.domains]) removeDomain(context.world, bucket, domain)
  const place = context.world.buckets.indexOf(bucket)
  if (place >= 0) context.world.buckets.splice(place, 1)
  return ok<BucketDeleteResponse>({})
}

function locationFor(hint: unknown, jurisdiction: string): Location {
  const homes: Readonly<Record<string, Location>> = { eu: 'weur', us: 'enam', fedramp: 'enam' }
  if (hint === undefined) return homes[jurisdiction] ?? 'wnam'
  const known = locations.find((location) => location === hint)
  if (known === undefined) throw new Refusal('location-hint')
  return known
}

function describeBucket(bucket: SandboxBucket): Bucket {
  return {
    name: bucket.name,
    creation_date: new Date(bucket.createdAt).toISOString(),
    location: bucket.location as Location,
    jurisdiction: bucket.jurisdiction as Jurisdiction,
    storage_class: bucket.storageClass ?? 'Standard',
  }
}

type CorsRule = CORSGetResponse.Rule

const methods: readonly unknown[] = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD']
const ruleKeys = ['id', 'allowed', 'exposeHeaders', 'maxAgeSeconds']
const allowedKeys = ['origins', 'methods', 'headers']
const maxAge = 86_400

export const getCors: Handler = (context, request) => {
  const { cors } = findBucket(context, request)
  if (cors === undefined) throw new Refusal('no-cors')
  return ok<CORSGetResponse>({ rules: cors as CorsRule[] })
}

/** Replaces all rules. Keys of S3's own CORS format are refused. */
export const putCors: Handler = (context, request) => {
  const bucket = findBucket(context, request)
  const { rules } = bodyObject(request)
  if (!Array.isArray(rules)) throw new Refusal('cors', 'rules must be a list.')
  if (!rules.every(isCorsRule)) throw new Refusal('cors')
  bucket.cors = rules
  return ok<CORSUpdateResponse>({})
}

export const deleteCors: Handler = (context, request) => {
  findBucket(context, request).cors = undefined
  return ok<CORSDeleteResponse>({})
}

function isCorsRule(rule: unknown): rule is CorsRule {
  if (!isObject(rule) || !isObject(rule.allowed)) return false
  const { id, allowed, exposeHeaders, maxAgeSeconds } = rule
  return (
    hasOnly(rule, ruleKeys) &&
    hasOnly(allowed, allowedKeys) &&
    isListOf(allowed.origins, isOrigin) &&
    isListOf(allowed.methods, (method) => methods.includes(method)) &&
    (allowed.headers === undefined || isListOf(allowed.headers, isText)) &&
    (exposeHeaders === undefined || isListOf(exposeHeaders, isText)) &&
    (id === undefined || isText(id)) &&
    (maxAgeSeconds === undefined || isAge(maxAgeSeconds))
  )
}

/** `*`, or scheme://host[:port] without a path; a host may hold a wildcard. */
function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && /^(\*|[a-z][a-z0-9+.-]*:\/\/[^/\s]+)$/i.test(origin)
}

function isAge(seconds: unknown): boolean {
  return typeof seconds === 'number' && seconds >= 0 && seconds <= maxAge
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem)
}

function hasOnly(value: object, keys: readonly string[]): boolean {
  return Object.keys(value).every((key) => keys.includes(key))
}

type LifecycleRule = LifecycleGetResponse.Rule

const maxRules = 1000

/** What a new bucket holds: multipart uploads end after seven days. `conditions` has no prefix. */
function defaultLifecycle(): unknown[] {
  const condition = { type: 'Age', maxAge: 604_800 }
  const transition = { abortMultipartUploadsTransition: { condition } }
  return [{ id: 'Default Multipart Abort Rule', enabled: true, conditions: {}, ...transition }]
}

export const getLifecycle: Handler = (context, request) =>
  ok<LifecycleGetResponse>({ rules: findBucket(context, request).lifecycle as LifecycleRule[] })

/** Replaces all rules. */
export const putLifecycle: Handler = (context, request) => {
  const bucket = findBucket(context, request)
  const { rules = [] } = bodyObject(request)
  if (!Array.isArray(rules) || rules.length > maxRules || !rules.every(isLifecycleRule)) {
    throw new Refusal('lifecycle')
  }
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw new Refusal('lifecycle', 'Two rules have the same id.')
  }
  bucket.lifecycle = rules
  return ok<LifecycleUpdateResponse>({})
}

function isLifecycleRule(rule: unknown): rule is LifecycleRule {
  if (!isObject(rule) || !isObject(rule.conditions)) return false
  const { prefix } = rule.conditions
  return (
    typeof rule.id === 'string' &&
    rule.id !== '' &&
    typeof rule.enabled === 'boolean' &&
    (prefix === undefined || typeof prefix === 'string') &&
    [rule.abortMultipartUploadsTransition, rule.deleteObjectsTransition].every(isTransition) &&
    (rule.storageClassTransitions === undefined ||
      (Array.isArray(rule.storageClassTransitions) &&
        rule.storageClassTransitions.every((one) => isTransition(one) && isToArchive(one))))
  )
}

function isTransition(transition: unknown): boolean {
  if (transition === undefined) return true
  if (!isObject(transition)) return false
  const { condition } = transition
  if (condition === undefined) return true
  if (!isObject(condition)) return false
  const byAge = condition.type === 'Age' && Number.isInteger(condition.maxAge)
  const byDate = condition.type === 'Date' && !Number.isNaN(Date.parse(String(condition.date)))
  return byAge || byDate
}

function isToArchive(transition: unknown): boolean {
  return isObject(transition) && transition.storageClass === 'InfrequentAccess'
}

/** Objects in the order of their keys. Delimiters are not grouped. */
export const listObjects: Handler = async (context, request) => {
  const bucket = findBucket(context, request)
  const perPage = queryNumber(request, 'per_page', 20, 1, 1000)
  const prefix = request.query.get('prefix') ?? ''
  const after = startAfter(request)
  const place = after === undefined ? {} : { startAfter: after }
  const found = await context.listObjects(bucket, { prefix, perPage: perPage + 1, ...place })
  const shown = found.slice(0, perPage)
  const last = shown.at(-1)
  const isTruncated = found.length > perPage
  const cursor = isTruncated && last ? { cursor: cursorAfter(last.key) } : {}
  const info = { per_page: perPage, is_truncated: isTruncated, ...cursor }
  return ok<ObjectListResponse[]>(shown.map(describeObject), { info })
}

function describeObject({ key, size, etag, uploadedAt }: ListedObject): ObjectListResponse {
  const last_modified = new Date(uploadedAt).toISOString()
  return { key, size, etag, last_modified, storage_class: 'Standard', http_metadata: {} }
}
