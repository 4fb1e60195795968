/**
 * Deep links that pre-fill a token (Cloudflare docs, fundamentals/api/how-to/
 * account-owned-token-template). The keys were renamed before, so the plain list goes beside them.
 */
export function tokenLinks(): { label: string; url: string }[] {
  const keys = (...names: [key: string, type: string][]) =>
    encodeURIComponent(JSON.stringify(names.map(([key, type]) => ({ key, type }))))
  const core: [string, string][] = [
    ['workers_r2', 'edit'],
    ['zone', 'read'],
    ['dns', 'read'],
  ]
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
export function tokenPermissions(): string[] {
  return [
    'Account: Workers R2 Storage: Edit',
    'Account: Account API Tokens: Edit',
    'Zone (of the media host): Zone: Read',
    'Zone (of the media host): DNS: Read',
  ]
}
