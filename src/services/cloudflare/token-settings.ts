import type { Token, TokenPolicyParam } from 'cloudflare/resources/shared'
import type { BucketRef, KeyWish } from './port.ts'

/**
 * The body that mints a key for one bucket. Resource name from Cloudflare's R2 docs (r2/api/tokens);
 * times must lack milliseconds.
 */
export function tokenFor({ name, at, allowIps, expiresOn }: KeyWish, groupId: string) {
  const policy: TokenPolicyParam = {
    effect: 'allow',
    permission_groups: [{ id: groupId }],
    resources: { [resourceOf(at)]: '*' },
  }
  const condition = { request_ip: { in: [...allowIps] } }
  return {
    name,
    policies: [policy],
    ...(allowIps.length > 0 ? { condition } : {}),
    ...(expiresOn === undefined ? {} : { expires_on: wholeSeconds(expiresOn) }),
  }
}

/**
 * The body that gives a token another name and changes nothing else: PUT replaces everything, and
 * takes policies without the fields that only reading adds.
 */
export function renamed(raw: unknown, name: string) {
  const { policies, condition, expires_on, not_before, status } = raw as Token
  if (!policies?.length) throw new TypeError('A token without policies cannot be renamed.')
  return {
    name,
    policies: policies.map(({ effect, permission_groups, resources }) => ({
      effect,
      permission_groups: permission_groups.map(({ id }) => ({ id })),
      resources,
    })),
    ...(condition ? { condition } : {}),
    ...(expires_on ? { expires_on: wholeSeconds(expires_on) } : {}),
    ...(not_before ? { not_before: wholeSeconds(not_before) } : {}),
    ...(status ? { status } : {}),
  }
}

function resourceOf({ accountId, jurisdiction, bucket }: BucketRef): string {
  return `com.cloudflare.edge.r2.bucket.${accountId}_${jurisdiction}_${bucket}`
}

function wholeSeconds(time: string): string {
  return time.replace(/\.\d+(?=Z|[+-]\d\d:\d\d$)/, '')
}
