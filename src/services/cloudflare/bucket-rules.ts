import type { CORSUpdateParams } from 'cloudflare/resources/r2/buckets/cors'
import type { LifecycleUpdateParams } from 'cloudflare/resources/r2/buckets/lifecycle'
import { unlessAbsent } from './absent-bucket.ts'
import { scope } from './buckets.ts'
import type { Call } from './client.ts'
import type { CloudflarePort, CorsRule, LifecycleRule } from './port.ts'
import { Refusal } from './refusal.ts'
import { listOfObjects } from './well-formed.ts'

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
