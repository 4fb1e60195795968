import type { Call } from './client.ts'
import type { Permission, PermissionScope, RulePermission } from './port.ts'
import type { RulePhase } from './rules-port.ts'

/**
 * "could not find entrypoint ruleset", with 404: the phase has no rules yet, and the token may look.
 * No other refusal means that there is nothing.
 */
export const NO_RULES_YET = 10003

const zonePhases = {
  'single-redirects': 'http_request_dynamic_redirect',
  'response-headers': 'http_response_headers_transform',
  'cache-rules': 'http_request_cache_settings',
  'custom-rules': 'http_request_firewall_custom',
} as const satisfies Partial<Record<RulePermission, RulePhase>>

const others: readonly string[] = ['bulk-redirects', 'redirect-lists', 'zone-settings']

export function isRulePermission(permission: Permission): permission is RulePermission {
  return permission in zonePhases || others.includes(permission)
}

/** The cheapest read that the permission covers; throws its refusal. Zones: `zoneId` is needed. */
export async function lookAtRules(
  call: Call,
  permission: RulePermission,
  { accountId, zoneId = '' }: { accountId: string; zoneId?: PermissionScope['zoneId'] | undefined },
): Promise<void> {
  const account_id = accountId
  const zone_id = zoneId
  await call('repeatable', async (sdk): Promise<unknown> => {
    switch (permission) {
      case 'redirect-lists':
        return await sdk.rules.lists.list({ account_id })
      case 'bulk-redirects':
        return await sdk.rulesets.phases.get('http_request_redirect', { account_id })
      case 'zone-settings':
        return await sdk.cache.smartTieredCache.get({ zone_id })
      default:
        return await sdk.rulesets.phases.get(zonePhases[permission], { zone_id })
    }
  })
}
