import { isBucketName } from './find-bucket.ts'
import { Refusal } from './refusal.ts'
import { isObject, type JsonObject } from './request.ts'
import type { SlurperPlace } from './slurper-job.ts'

const jurisdictions = ['default', 'eu', 'us', 'fedramp']
const MOST_KEYS = 10_000

/** Where a job copies from; `http://` only by the sandbox's own switch. Google's buckets are refused. */
export function readSource(value: unknown, plainHttp: boolean): SlurperPlace {
  const place = readPlace(value)
  if (place.vendor === 'r2') return place
  const { endpoint } = place
  if (endpoint !== undefined && !isEndpoint(endpoint, plainHttp)) {
    throw new Refusal('slurper-body', 'The endpoint must be an https:// URL.')
  }
  return place
}

/** Where it copies to: always a bucket on R2. */
export function readTarget(value: unknown): SlurperPlace {
  const place = readPlace(value)
  if (place.vendor !== 'r2') throw new Refusal('slurper-body', 'The target must be on R2.')
  return place
}

function readPlace(value: unknown): SlurperPlace {
  if (!isObject(value)) throw new Refusal('slurper-body', 'A bucket is missing.')
  const { vendor, bucket, jurisdiction = 'default', secret } = value
  if (vendor !== 's3' && vendor !== 'r2') throw new Refusal('slurper-body', 'Unknown vendor.')
  if (typeof bucket !== 'string' || bucket === '' || (vendor === 'r2' && !isBucketName(bucket))) {
    throw new Refusal('bucket-name')
  }
  if (!jurisdictions.some((known) => known === jurisdiction)) throw new Refusal('jurisdiction')
  return {
    vendor,
    bucket,
    ...readSecret(secret),
    endpoint: readText(value, 'endpoint'),
    jurisdiction: String(jurisdiction),
    pathPrefix: readText(value, 'pathPrefix'),
    keys: readKeys(value.keys),
  }
}

function readSecret(secret: unknown): Pick<SlurperPlace, 'accessKeyId' | 'secretAccessKey'> {
  const { accessKeyId, secretAccessKey } = isObject(secret) ? secret : {}
  if (typeof accessKeyId !== 'string' || typeof secretAccessKey !== 'string') {
    throw new Refusal('slurper-body', 'The secret is missing.')
  }
  return { accessKeyId, secretAccessKey }
}

function readText(value: JsonObject, name: string): string | undefined {
  const text = value[name] ?? undefined
  if (text === undefined || typeof text === 'string') return text
  throw new Refusal('slurper-body', `${name} must be a text.`)
}

function readKeys(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return undefined
  const isList = Array.isArray(value) && value.every((key) => typeof key === 'string')
  if (!isList || value.length > MOST_KEYS) throw new Refusal('slurper-body', 'Bad keys.')
  return value
}

function isEndpoint(text: string, plainHttp: boolean): boolean {
  if (!URL.canParse(text)) return false
  const { protocol } = new URL(text)
  return protocol === 'https:' || (plainHttp && protocol === 'http:')
}
