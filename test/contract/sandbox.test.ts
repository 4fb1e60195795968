import { afterAll, describe, expect, it } from 'vitest'
import { routes, rulesetsRoutes } from '../../src/sandbox/api/routes.ts'
import {
  type ApiUnderTest,
  apiUnderTest,
  type Call,
  itemWrite,
} from '../sandbox/api/api-under-test.ts'
import { once } from './once.ts'
import { contractAvailable, contractRequired } from './openapi.ts'
import { checkRequest, checkResponse } from './validate.ts'

const objects = ['a', 'b', 'c'].map((key) => ({ key, size: 1, etag: 'e', uploadedAt: 0 }))
const runs = contractAvailable || contractRequired
const title = 'every answer of the sandbox is as Cloudflare describes it'

describe.skipIf(!runs)(runs ? title : `${title} (skipped: no cloudflare-openapi.json)`, () => {
  const asked = new Set<string>()
  const open: ApiUnderTest[] = []
  afterAll(() => Promise.all(open.map(({ api }) => api.close())))

  async function fresh(
    tokenKind: 'account' | 'user' = 'account',
    listed = objects,
  ): Promise<ApiUnderTest> {
    const at = await apiUnderTest({ tokenKind }, { listObjects: async () => listed })
    open.push(at)
    return at
  }

  /** Sends, and holds both sides to the contract. */
  async function held(at: ApiUnderTest, status: number, method: string, path: string, sent: Call) {
    const told = await at.call(method, path, sent)
    const [bare = '', query = ''] = path.split('?')
    const headers = {
      authorization: 'Bearer x',
      ...(sent.body === undefined ? {} : { 'content-type': 'application/json' }),
      ...sent.headers,
    }
    expect(told.status, JSON.stringify(told.body)).toBe(status)
    const search = new URLSearchParams(query)
    const bad = status >= 400 ? [] : checkRequest(method, bare, search, headers, sent.body)
    expect([...bad, ...checkResponse(method, bare, told.status, told.body)]).toEqual([])
    expect(told.headers.get('cf-ray')).toMatch(/^[0-9a-f]{16}-/)
    asked.add(`${method} ${routeOf(method, bare)}`)
    return told
  }

  async function accountsAndZones() {
    const [account, user] = [await fresh(), await fresh('user')]
    const { account: id, zone } = account
    await held(account, 200, 'GET', '/accounts?per_page=5', {})
    await held(account, 200, 'GET', `/accounts/${id}`, {})
    await held(account, 200, 'GET', `/zones?name=example.com&account.id=${id}&status=active`, {})
    await held(account, 200, 'GET', `/zones/${zone}`, {})
    await held(account, 200, 'GET', `/accounts/${id}/tokens/verify`, {})
    await held(account, 401, 'GET', '/user/tokens/verify', {})
    await held(user, 200, 'GET', '/user/tokens/verify', {})
    await held(account, 401, 'GET', '/accounts', { token: 'cfat_nobody' })
    await held(account, 403, 'GET', `/zones/${'0'.repeat(32)}`, {})
  }

  async function bucketsIn(where: string) {
    const account = await fresh()
    const buckets = `/accounts/${account.account}/r2/buckets`
    const bucket = `${buckets}/media`
    const headers = { 'cf-r2-jurisdiction': where }
    const domain = `${where}.example.com`
    const send = (status: number, method: string, path: string, body?: unknown) =>
      held(account, status, method, path, body === undefined ? { headers } : { headers, body })

    await send(404, 'GET', bucket)
    await send(200, 'POST', buckets, { name: 'media', locationHint: 'weur' })
    await send(409, 'POST', buckets, { name: 'media' })
    await send(200, 'GET', bucket)
    await send(200, 'GET', `${buckets}?per_page=1&name_contains=med`)
    await send(200, 'GET', `${bucket}/objects?per_page=2&prefix=x`)

    await send(404, 'GET', `${bucket}/cors`)
    const rules = [{ id: 'r', allowed: { origins: ['*'], methods: ['GET'] }, maxAgeSeconds: 60 }]
    await send(200, 'PUT', `${bucket}/cors`, { rules })
    await send(200, 'GET', `${bucket}/cors`)
    await send(200, 'DELETE', `${bucket}/cors`)

    const { result } = await send(200, 'GET', `${bucket}/lifecycle`)
    await send(200, 'PUT', `${bucket}/lifecycle`, result)

    await send(200, 'GET', `${bucket}/domains/managed`)
    await send(200, 'PUT', `${bucket}/domains/managed`, { enabled: true })

    const attach = { domain, zoneId: account.zone, enabled: true, minTLS: '1.2' }
    await send(404, 'GET', `${bucket}/domains/custom/${domain}`)
    await send(200, 'POST', `${bucket}/domains/custom`, attach)
    await send(409, 'POST', `${bucket}/domains/custom`, attach)
    for (const ms of [0, 0, 1500, 5000]) {
      account.time.now += ms
      await send(200, 'GET', `${bucket}/domains/custom/${domain}`)
    }
    await send(200, 'GET', `${bucket}/domains/custom`)
    await send(200, 'PUT', `${bucket}/domains/custom/${domain}`, { enabled: true })
    await held(account, 200, 'GET', `/zones/${account.zone}/dns_records?name=${domain}`, {})
    await send(200, 'DELETE', `${bucket}/domains/custom/${domain}`)
    await send(409, 'DELETE', bucket)
  }

  async function cache() {
    const account = await fresh()
    const path = `/zones/${account.zone}/purge_cache`
    const url = 'https://files.example.com/a.png'
    const headers = { Origin: 'https://social.example.com' }
    await held(account, 200, 'POST', path, { body: { files: [url] } })
    await held(account, 200, 'POST', path, { body: { files: [{ url, headers }] } })
    await held(account, 200, 'POST', path, { body: { prefixes: ['files.example.com/a'] } })
    await held(account, 400, 'POST', path, { body: { files: Array(31).fill(url) } })
    await held(account, 400, 'POST', path, { body: { files: ['https://other.example/a'] } })
    await held(account, 400, 'POST', path, { body: { prefixes: [url] } })
    await held(account, 400, 'POST', path, { body: {} })
  }

  async function emptyBucket() {
    const empty = await fresh('account', [])
    const buckets = `/accounts/${empty.account}/r2/buckets`
    await held(empty, 200, 'POST', buckets, { body: { name: 'gone' } })
    await held(empty, 200, 'DELETE', `${buckets}/gone`, {})
  }

  async function tokensOf(kind: 'account' | 'user') {
    const at = await fresh(kind)
    const base = kind === 'user' ? '/user/tokens' : `/accounts/${at.account}/tokens`
    const group = 'name=Workers%20R2%20Storage%20Bucket%20Item%20Write'
    const policies = [itemWrite(at.account, 'media')]
    const condition = { request_ip: { in: ['203.0.113.0/24', '2001:db8::/32'], not_in: [] } }
    const wish = { name: 'key', policies, condition, expires_on: '2030-01-01T00:00:00Z' }

    await held(at, 200, 'GET', `${base}/permission_groups?${group}`, {})
    await held(at, 200, 'GET', `${base}/permission_groups`, {})
    const { result } = await held(at, 200, 'POST', base, { body: wish })
    const one = `${base}/${result.id}`
    await held(at, 200, 'GET', `${base}?include_expired=true&per_page=50&page=1`, {})
    const { result: raw } = await held(at, 200, 'GET', one, {})
    await held(at, 200, 'PUT', one, { body: { ...raw, name: 'renamed', status: 'disabled' } })
    await held(at, 200, 'PUT', `${one}/value`, { body: {} })
    await held(at, 400, 'POST', base, { body: { ...wish, name: 'x'.repeat(121) } })
    await held(at, 200, 'DELETE', one, {})
    await held(at, 404, 'DELETE', one, {})
  }

  /** Each is told once, whichever test asks for it first. */
  const stories: Readonly<Record<string, () => Promise<void>>> = {
    'accounts, zones, DNS records, and who the token is': once(accountsAndZones),
    'buckets and all in them, jurisdiction default': once(() => bucketsIn('default')),
    'buckets and all in them, jurisdiction eu': once(() => bucketsIn('eu')),
    'buckets and all in them, jurisdiction us': once(() => bucketsIn('us')),
    'the cache': once(cache),
    'deletes an empty bucket': once(emptyBucket),
    'tokens of an account': once(() => tokensOf('account')),
    'tokens of an user': once(() => tokensOf('user')),
  }

  it.each(Object.keys(stories))('%s', (name) => stories[name]?.())

  it('has been asked at every endpoint it has', async () => {
    await Promise.all(Object.values(stories).map((tell) => tell()))
    // Super Slurper's are held in slurper.test.ts, against buckets that exist; rules in rules.test.ts.
    const all = routes
      .filter((route) => !route.path.includes('/slurper/') && !rulesetsRoutes.includes(route))
      .map(({ method, path }) => `${method} ${path}`)
    expect(all.filter((route) => !asked.has(route))).toEqual([])
  })
})

/** The route's own path for a real one; the most literal where several fit. */
function routeOf(method: string, path: string): string | undefined {
  const parts = path.split('/')
  return routes
    .filter((route) => route.method === method)
    .map((route) => route.path)
    .filter((route) => route.split('/').length === parts.length)
    .find((route) =>
      route.split('/').every((part, index) => part.startsWith(':') || part === parts[index]),
    )
}
