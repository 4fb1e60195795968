import type { Bucket } from 'cloudflare/resources/r2/buckets/buckets'
import { Refusal } from './refusal.ts'
import type { ApiRequest } from './request.ts'

export type Jurisdiction = NonNullable<Bucket['jurisdiction']>

const jurisdictions: readonly Jurisdiction[] = ['default', 'eu', 'us', 'fedramp', 'fedramp-high']

/** The jurisdiction of a bucket call, from its header; `default` when absent. */
export function jurisdictionOf(request: ApiRequest): Jurisdiction {
  const asked = request.headers['cf-r2-jurisdiction'] ?? 'default'
  const known = jurisdictions.find((name) => name === asked)
  if (known === undefined) throw new Refusal('jurisdiction')
  return known
}
