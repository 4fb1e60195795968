import { unlessAbsent } from './absent-bucket.ts'
import type { Call } from './client.ts'
import { createAndLook } from './create-and-look.ts'
import type { Bucket, BucketRef, CloudflarePort } from './port.ts'
import { Refusal } from './refusal.ts'

/** Both are in use for "exists" (R2's error codes). */
const EXISTS = [10004, 10073]

export function buckets(
  call: Call,
): Pick<CloudflarePort, 'findBucket' | 'createBucket' | 'hasObjects' | 'deleteBucket'> {
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
        const list = { ...scope(at), per_page: 1 }
        const page = await unlessAbsent(undefined, () =>
          call('repeatable', (sdk) => sdk.r2.buckets.objects.list(at.bucket, list)),
        )
        return page !== undefined && page.result.length > 0
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
export function scope({ accountId, jurisdiction }: BucketRef) {
  return { account_id: accountId, 'cf-r2-jurisdiction': jurisdiction }
}

function saysExists({ status, numbers }: Refusal): boolean {
  return status === 409 || numbers.some((number) => EXISTS.includes(number))
}
