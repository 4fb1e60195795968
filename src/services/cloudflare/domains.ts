import { unlessAbsent } from './absent-bucket.ts'
import { scope } from './buckets.ts'
import type { Call } from './client.ts'
import { createAndLook } from './create-and-look.ts'
import type { BucketRef, CloudflarePort, CustomDomain } from './port.ts'
import { Refusal } from './refusal.ts'

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
