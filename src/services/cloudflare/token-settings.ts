import type { Token, TokenPolicyParam } from 'cloudflare/resources/shared'
import type { BucketRef, Jurisdiction, KeyLimits, KeyWish } from './port.ts'

/**
 * The body that mints a key for one bucket. Resource name from Cloudflare's R2 docs (r2/api/tokens);
 * times must lack milliseconds.
 */
export function tokenFor(wish: KeyWish, groupId: string) {
  const { name, at, allowIps, refuseIps = [], expiresOn } = wish
  const policy: TokenPolicyParam = {
    effect: 'allow',
    permission_groups: [{ id: groupId }],
    resources: { [resourceOf(at)]: '*' },
  }
  const request_ip = {
    ...(allowIps.length > 0 ? { in: [...allowIps] } : {}),
    ...(refuseIps.length > 0 ? { not_in: [...refuseIps] } : {}),
  }
  return {
    name,
    policies: [policy],
    ...(Object.keys(request_ip).length > 0 ? { condition: { request_ip } } : {}),
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

/** The body that takes a token out of service and changes nothing else. */
export function disabled(raw: unknown) {
  return { ...renamed(raw, (raw as Token).name ?? ''), status: 'disabled' as const }
}

/** Which bucket a token opens, and from where; said only when that is all it does. */
export function limitsOf({ policies = [], condition }: Token): KeyLimits {
  const { in: allowIps = [], not_in: refuseIps = [] } = condition?.request_ip ?? {}
  const resources = policies.flatMap((policy) => Object.entries(policy.resources))
  const [first, ...more] = resources
  const allows = policies.every(({ effect }) => effect === 'allow')
  const named = first?.[1] === '*' && more.length === 0 && allows ? first[0] : ''
  const [, accountId, jurisdiction, bucket] =
    /^com\.cloudflare\.edge\.r2\.bucket\.([0-9a-f]{32})_([a-z-]+)_([a-z0-9-]+)$/.exec(named) ?? []
  if (!accountId || !jurisdiction || !bucket) return { only: undefined, allowIps, refuseIps }
  const only = { accountId, bucket, jurisdiction: jurisdiction as Jurisdiction }
  return { only, allowIps, refuseIps }
}

function resourceOf({ accountId, jurisdiction, bucket }: BucketRef): string {
  return `com.cloudflare.edge.r2.bucket.${accountId}_${jurisdiction}_${bucket}`
}

function wholeSeconds(time: string): string {
  return time.replace(/\.\d+(?=Z|[+-]\d\d:\d\d$)/, '')
}
