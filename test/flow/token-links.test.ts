import { describe, expect, it } from 'vitest'
import { edgePermissions, tokenLinks, tokenPermissions } from '../../src/flow/token.ts'
import { permissionNames } from '../../src/services/cloudflare/port.ts'

interface Key {
  readonly key: string
  readonly type: string
}

const links = tokenLinks().map(({ url }) => new URL(url))
const keysOf = (url: URL) => JSON.parse(url.searchParams.get('permissionGroupKeys') ?? '') as Key[]
const needed = [
  { key: 'workers_r2', type: 'edit' },
  { key: 'account_api_tokens', type: 'edit' },
  { key: 'zone', type: 'read' },
  { key: 'dns', type: 'read' },
]

describe('links to a pre-filled token', () => {
  it('one for the account, one for the user, at their places in the dashboard', () => {
    const [account, user] = links
    expect(account?.origin).toBe('https://dash.cloudflare.com')
    expect(account?.searchParams.get('to')).toBe('/:account/api-tokens')
    expect([user?.origin, user?.pathname]).toEqual([
      'https://dash.cloudflare.com',
      '/profile/api-tokens',
    ])
    expect(user?.searchParams.get('accountId')).toBe('*')
    expect(user?.searchParams.get('zoneId')).toBe('all')
  })

  it.each(links.map((url) => [url.pathname, url] as const))('%s fills in all', (_, url) => {
    expect(keysOf(url)).toEqual(expect.arrayContaining(needed))
    expect(url.searchParams.get('name')).toBe('mastodon-r2 setup')
  })

  it('colons and commas are left to be read', () => {
    for (const { url } of tokenLinks()) {
      expect(url).not.toMatch(/%3A|%2C/i)
      expect(url).toContain(':%22edit%22%7D,%7B')
    }
  })

  it('no space breaks a link in two, and no literal quote ends it', () => {
    for (const { url } of tokenLinks()) expect(url).toMatch(/^[!#-&(-;=?-~]+$/)
  })

  it('the list beside it names the same, as the refusal for a missing one does', () => {
    const list = tokenPermissions().join('\n')
    for (const name of ['r2', 'account-tokens', 'zone', 'dns'] as const) {
      expect(list).toContain(permissionNames[name])
    }
    expect(tokenPermissions()).toHaveLength(needed.length)
  })
})

describe('with rules at the edge', () => {
  const wished = [
    'security-headers',
    'cache-everything',
    'private-folders',
    'tiered-cache',
  ] as const

  it('the links fill in what has a known key, and only for what is wished', () => {
    const keys = ({ url }: { url: string }) => keysOf(new URL(url)).map(({ key }) => key)
    const extra = ['transform_rules', 'cache_settings', 'zone_settings']
    for (const link of tokenLinks(wished)) {
      expect(keys(link).filter((key) => extra.includes(key))).toEqual(['zone_settings'])
    }
    for (const link of tokenLinks(['private-folders'])) {
      expect(keys(link).filter((key) => extra.includes(key))).toEqual([])
    }
  })

  it('the list names every one', () => {
    const list = tokenPermissions(wished)
    expect(list.slice(0, 4)).toEqual(tokenPermissions())
    expect(list.slice(4)).toEqual(edgePermissions().map(({ permission }) => permission))
    expect(list).toContain('Zone (of the media host): Zone WAF: Edit')
  })
})
