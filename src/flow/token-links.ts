import { permissionNames, type RulePermission } from '../services/cloudflare/port.ts'
import { type EdgeName, edgeNames } from '../settings/edge-names.ts'

type Key = readonly [key: string, type: string]

/**
 * What each extra needs; `key` pre-fills it. No key for WAF custom rules is published, so that one
 * is chosen by hand.
 */
const extras: Record<EdgeName, { readonly permission: RulePermission; readonly key?: string }> = {
  'security-headers': { permission: 'response-headers', key: 'transform_rules' },
  'cache-everything': { permission: 'cache-rules', key: 'cache_settings' },
  'private-folders': { permission: 'custom-rules' },
  'tiered-cache': { permission: 'zone-settings', key: 'zone_settings' },
}

/**
 * Deep links that pre-fill a token (Cloudflare docs, fundamentals/api/how-to/
 * account-owned-token-template). The keys were renamed before, so the plain list goes beside them.
 */
export function tokenLinks(edge: readonly EdgeName[] = []): { label: string; url: string }[] {
  const keys = (...names: Key[]) =>
    encodeURIComponent(JSON.stringify(names.map(([key, type]) => ({ key, type }))))
  const wished = edge.flatMap((name): Key[] => {
    const { key } = extras[name]
    return key === undefined ? [] : [[key, 'edit']]
  })
  const core: Key[] = [['workers_r2', 'edit'], ['zone', 'read'], ['dns', 'read'], ...wished]
  const account = keys(['account_api_tokens', 'edit'], ...core)
  const user = keys(['account_api_tokens', 'edit'], ['account_settings', 'read'], ...core)
  return [
    {
      label: 'Owned by the account (best; needs an administrator)',
      url: `https://dash.cloudflare.com/?to=/:account/api-tokens&permissionGroupKeys=${account}&name=mastodon-r2%20setup`,
    },
    {
      label: 'Owned by you',
      url: `https://dash.cloudflare.com/profile/api-tokens?permissionGroupKeys=${user}&accountId=*&zoneId=all&name=mastodon-r2%20setup`,
    },
  ]
}

/** The same by hand, as the dashboard names them. */
export function tokenPermissions(edge: readonly EdgeName[] = []): string[] {
  return [
    'Account: Workers R2 Storage: Edit',
    'Account: Account API Tokens: Edit',
    'Zone (of the media host): Zone: Read',
    'Zone (of the media host): DNS: Read',
    ...edge.map(edgePermission),
  ]
}

/** Each extra with the permission that it alone needs. */
export function edgePermissions(): { readonly name: EdgeName; readonly permission: string }[] {
  return edgeNames.map((name) => ({ name, permission: edgePermission(name) }))
}

function edgePermission(name: EdgeName): string {
  return `Zone (of the media host): ${permissionNames[extras[name].permission]}`
}
