import type { CORSUpdateParams } from 'cloudflare/resources/r2/buckets/cors'
import type { LifecycleUpdateParams } from 'cloudflare/resources/r2/buckets/lifecycle'
import { isTestFile } from '../../core/test-file.ts'
import { type Call, createAndLook } from './call.ts'
import type {
  Bucket,
  BucketRef,
  CloudflarePort,
  CorsRule,
  CustomDomain,
  LifecycleRule,
} from './port.ts'
import { Refusal, unlessAbsent } from './refusal.ts'
import { listOfObjects, textIn } from './wire.ts'

/** The most that a page can hold, and what one holds when the wish is not heard (R2's API). */
const BUCKETS_A_PAGE = 1000
const USUAL_PAGE = 20

/** Both are in use for "exists" (R2's error codes). */
const EXISTS = [10004, 10073]

export function buckets(
  call: Call,
): Pick<
  CloudflarePort,
  'findBucket' | 'listBuckets' | 'createBucket' | 'hasObjects' | 'deleteBucket'
> {
  async function findBucket(at: BucketRef): Promise<Bucket | undefined> {
    const found = await unlessAbsent(undefined, () =>
      call('repeatable', (sdk) => sdk.r2.buckets.get(at.bucket, scope(at))),
    )
    if (!found) return undefined
    return {
      name: found.name ?? at.bucket,
      ...(found.location ? { location: found.location.toLowerCase() } : {}),
      ...(found.creation_date ? { createdOn: found.creation_date } : {}),
    }
  }

  return {
    findBucket,

    /** Page by page behind the last name: the SDK drops the cursor. */
    async listBuckets(accountId, jurisdiction) {
      const names = new Set<string>()
      for (let last: string | undefined; ; ) {
        const after = last === undefined ? {} : { start_after: last }
        const query = { account_id: accountId, 'cf-r2-jurisdiction': jurisdiction }
        const { buckets } = await call('repeatable', (sdk) =>
          sdk.r2.buckets.list({ ...query, per_page: BUCKETS_A_PAGE, order: 'name', ...after }),
        )
        const page = listOfObjects(buckets).map((bucket) => textIn(bucket, 'name'))
        const isNew = page.some((name) => !names.has(name))
        for (const name of page) names.add(name)
        last = page.at(-1)
        if (!isNew || page.length < USUAL_PAGE) return [...names]
      }
    },

    async createBucket(at, location) {
      const hint = location === undefined ? {} : { locationHint: location }
      const body = { ...scope(at), name: at.bucket, ...hint }
      try {
        return await createAndLook({
          create: () => call('create', (sdk) => sdk.r2.buckets.create(body)),
          isThere: async () => (await findBucket(at)) !== undefined,
        })
      } catch (error) {
        if (error instanceof Refusal && saysExists(error)) return 'exists'
        throw error
      }
    },

    async hasObjects(at) {
      try {
        const list = { ...scope(at), per_page: USUAL_PAGE }
        const page = await unlessAbsent(undefined, () =>
          call('repeatable', (sdk) => sdk.r2.buckets.objects.list(at.bucket, list)),
        )
        const found = page?.result ?? []
        const isAll = found.length < USUAL_PAGE
        if (isAll && found.every(({ key = '' }) => isTestFile(key))) {
          return found.length > 0 && 'tests'
        }
        return true
      } catch (error) {
        if (error instanceof Refusal && error.isForbidden) return undefined
        throw error
      }
    },

    async deleteBucket(at) {
      const send = () =>
        call<unknown>('repeatable', (sdk) => sdk.r2.buckets.delete(at.bucket, scope(at)))
      await unlessAbsent(undefined, send)
    },
  }
}

/** Every bucket call names its jurisdiction: the same name may exist in each. */
function scope({ accountId, jurisdiction }: BucketRef) {
  return { account_id: accountId, 'cf-r2-jurisdiction': jurisdiction }
}

function saysExists({ status, numbers }: Refusal): boolean {
  return status === 409 || numbers.some((number) => EXISTS.includes(number))
}

/** "The CORS configuration does not exist" (R2's error codes). */
const NO_CORS = 10059

export function bucketRules(
  call: Call,
): Pick<CloudflarePort, 'getCors' | 'putCors' | 'deleteCors' | 'getLifecycle' | 'putLifecycle'> {
  return {
    async getCors(at) {
      try {
        const found = await unlessAbsent(undefined, () =>
          call('repeatable', (sdk) => sdk.r2.buckets.cors.get(at.bucket, scope(at))),
        )
        return listOfObjects(found?.rules).map(checked)
      } catch (error) {
        if (error instanceof Refusal && error.numbers.includes(NO_CORS)) return []
        throw error
      }
    },

    async putCors(at, rules) {
      const body = { ...scope(at), rules: rules as CORSUpdateParams.Rule[] }
      await call('repeatable', (sdk) => sdk.r2.buckets.cors.update(at.bucket, body))
    },

    async deleteCors(at) {
      const send = () =>
        call<unknown>('repeatable', (sdk) => sdk.r2.buckets.cors.delete(at.bucket, scope(at)))
      try {
        await unlessAbsent(undefined, send)
      } catch (error) {
        if (!(error instanceof Refusal) || !error.numbers.includes(NO_CORS)) throw error
      }
    },

    async getLifecycle(at) {
      const found = await unlessAbsent(undefined, () =>
        call('repeatable', (sdk) => sdk.r2.buckets.lifecycle.get(at.bucket, scope(at))),
      )
      return listOfObjects(found?.rules) as unknown as LifecycleRule[]
    },

    async putLifecycle(at, rules) {
      const sent = rules as unknown as LifecycleUpdateParams.Rule[]
      const body = { ...scope(at), rules: sent }
      await call('repeatable', (sdk) => sdk.r2.buckets.lifecycle.update(at.bucket, body))
    },
  }
}

/** Rules are sent back as they came, so only what is read of them is looked at. */
function checked(rule: Record<string, unknown>): CorsRule {
  const { origins, methods } = (rule as unknown as CorsRule).allowed
  if (![origins, methods].every(Array.isArray)) throw new TypeError('Not a CORS rule.')
  return rule as unknown as CorsRule
}

/** A malformed id or path is a 404, too, and says nothing about the domain. */
const BAD_PATH = [7000, 7003]

export function domains(
  call: Call,
): Pick<
  CloudflarePort,
  | 'findCustomDomain'
  | 'attachCustomDomain'
  | 'enableCustomDomain'
  | 'listCustomDomains'
  | 'detachCustomDomain'
  | 'isDevUrlEnabled'
  | 'disableDevUrl'
> {
  async function findCustomDomain(at: BucketRef, host: string): Promise<CustomDomain | undefined> {
    const place = { ...scope(at), bucket_name: at.bucket }
    try {
      const found = await call('repeatable', (sdk) =>
        sdk.r2.buckets.domains.custom.get(host, place),
      )
      const { ownership = 'unknown', ssl = 'unknown' } = found.status ?? {}
      return { host: found.domain, enabled: found.enabled, ownership, ssl }
    } catch (error) {
      if (error instanceof Refusal && isAbsent(error)) return undefined
      throw error
    }
  }

  return {
    findCustomDomain,

    /** Attached already is fine; whether it is enabled is for the caller to see. */
    async attachCustomDomain(at, host, zoneId) {
      const body = { ...scope(at), domain: host, zoneId, enabled: true }
      const isThere = async () => (await findCustomDomain(at, host)) !== undefined
      try {
        await createAndLook({
          create: () =>
            call('create', (sdk) => sdk.r2.buckets.domains.custom.create(at.bucket, body)),
          isThere,
        })
      } catch (error) {
        if (error instanceof Refusal && error.status === 409 && (await isThere())) return
        throw error
      }
    },

    async enableCustomDomain(at, host) {
      const body = { ...scope(at), bucket_name: at.bucket, enabled: true }
      await call('repeatable', (sdk) => sdk.r2.buckets.domains.custom.update(host, body))
    },

    async listCustomDomains(at) {
      const found = await unlessAbsent(undefined, () =>
        call('repeatable', (sdk) => sdk.r2.buckets.domains.custom.list(at.bucket, scope(at))),
      )
      return (found?.domains ?? []).map(({ domain }) => domain)
    },

    async detachCustomDomain(at, host) {
      const place = { ...scope(at), bucket_name: at.bucket }
      try {
        await call<unknown>('repeatable', (sdk) =>
          sdk.r2.buckets.domains.custom.delete(host, place),
        )
      } catch (error) {
        if (!(error instanceof Refusal) || !isAbsent(error)) throw error
      }
    },

    async isDevUrlEnabled(at) {
      const send = () =>
        call('repeatable', (sdk) => sdk.r2.buckets.domains.managed.list(at.bucket, scope(at)))
      return unlessAbsent(false, async () => (await send()).enabled)
    },

    async disableDevUrl(at) {
      const body = { ...scope(at), enabled: false }
      await call('repeatable', (sdk) => sdk.r2.buckets.domains.managed.update(at.bucket, body))
    },
  }
}

function isAbsent({ status, numbers }: Refusal): boolean {
  return status === 404 && !numbers.some((number) => BAD_PATH.includes(number))
}
