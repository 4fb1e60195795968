import { afterAll, beforeAll, expect, it } from 'vitest'
import { type ApiUnderTest, apiUnderTest, type Call, itemWrite } from './api-under-test.ts'

let at: ApiUnderTest
const stranger = 'f'.repeat(32)

beforeAll(async () => {
  at = await apiUnderTest({
    accounts: [{ name: 'Sandbox' }, { name: 'Other' }],
    zones: [
      { name: 'example.com' },
      { name: 'pending.example', status: 'pending' },
      { name: 'other.example', account: 'Other' },
    ],
  })
  await at.call('POST', `/accounts/${at.account}/r2/buckets`, { body: { name: 'media' } })
  at.world.dnsRecords.push({
    id: '1'.repeat(32),
    zoneId: at.zone,
    name: 'taken.example.com',
    type: 'A',
    content: '192.0.2.1',
    proxied: false,
  })
})
afterAll(() => at.api.close())

const zoneId = (name: string) => at.world.zones.find((zone) => zone.name === name)?.id

type Row = [what: string, status: number, code: number, method: string, path: string, sent?: Call]

/** `A` stands for the account, `B` for its bucket's path. */
const rows: Row[] = [
  ['no token', 400, 9106, 'GET', '/zones', { token: null }],
  ['a token that nobody made', 401, 9106, 'GET', '/zones', { token: 'cfat_x' }],
  ['a path that is none', 400, 7000, 'GET', '/accounts/A/r3'],
  ['a method that is none', 405, 19003, 'DELETE', '/zones'],
  ['an account id of 31 digits', 404, 7003, 'GET', `/accounts/${'a'.repeat(31)}/r2/buckets`],
  ['an account id in upper case', 404, 7003, 'GET', `/accounts/${'A'.repeat(32)}/tokens`],
  ['a malformed zone id', 404, 7003, 'GET', '/zones/example.com/dns_records'],
  ['a malformed token id', 404, 7003, 'GET', '/accounts/A/tokens/me'],
  ['somebody else’s account: buckets', 403, 10000, 'GET', `/accounts/${stranger}/r2/buckets`],
  ['somebody else’s account: tokens', 403, 9109, 'GET', `/accounts/${stranger}/tokens`],
  ['somebody else’s zone', 403, 9109, 'GET', `/zones/${stranger}/dns_records`],
  ['a page too large', 400, 19001, 'GET', '/zones?per_page=51'],
  ['a page that is no number', 400, 19001, 'GET', '/accounts?page=first'],
  ['a name filter unknown', 400, 19001, 'GET', '/zones?name=like:example'],
  ['a body that is no JSON', 400, 19002, 'POST', '/accounts/A/r2/buckets', { body: '{"name":' }],
  ['a body that is a list', 400, 19002, 'POST', '/accounts/A/r2/buckets', { body: [] }],

  ...['ab', 'a'.repeat(64), 'Media', 'a_b', '-ab', 'ab-', 'a.b.c', 'mediä', ''].map(
    (name): Row => [
      `the bucket name "${name}"`,
      400,
      10005,
      'POST',
      '/accounts/A/r2/buckets',
      { body: { name } },
    ],
  ),
  ['a bucket twice', 409, 10004, 'POST', '/accounts/A/r2/buckets', { body: { name: 'media' } }],
  ['a bucket that is none', 404, 10006, 'GET', '/accounts/A/r2/buckets/nothing'],
  ['its CORS', 404, 10006, 'GET', '/accounts/A/r2/buckets/nothing/cors'],
  ['its second deletion', 404, 10006, 'DELETE', '/accounts/A/r2/buckets/nothing'],
  [
    'a bucket of another jurisdiction',
    404,
    10006,
    'GET',
    'B',
    { headers: { 'cf-r2-jurisdiction': 'eu' } },
  ],
  ['a jurisdiction unknown', 400, 19010, 'GET', 'B', { headers: { 'cf-r2-jurisdiction': 'mars' } }],
  [
    'a location unknown',
    400,
    19011,
    'POST',
    '/accounts/A/r2/buckets',
    { body: { name: 'abc', locationHint: 'moon' } },
  ],
  [
    'a storage class unknown',
    400,
    10040,
    'POST',
    '/accounts/A/r2/buckets',
    { body: { name: 'abc', storageClass: 'Glacier' } },
  ],
  ['CORS never put', 404, 10059, 'GET', 'B/cors'],
  ['a domain never attached', 404, 19025, 'GET', 'B/domains/custom/files.example.com'],
  ['r2.dev neither on nor off', 400, 19020, 'PUT', 'B/domains/managed', { body: {} }],
  ['a token that is none', 404, 19030, 'GET', `/accounts/A/tokens/${stranger}`],
]

it.each(rows)('%s: %i, code %i', async (_, status, code, method, path, sent) => {
  const bucket = `/accounts/${at.account}/r2/buckets/media`
  const real = path.replace('/A/', `/${at.account}/`).replace(/^B/, bucket)
  const told = await at.call(method, real, sent)
  expect({ status: told.status, code: told.code }).toEqual({ status, code })
  expect(told.body).toMatchObject({ success: false, result: null, messages: [] })
})

it.each<[string, unknown]>([
  ['no rules', {}],
  ['S3’s keys', { rules: [{ AllowedOrigins: ['*'], AllowedMethods: ['GET'] }] }],
  ['an origin with a path', { rules: [{ allowed: { origins: ['https://a.b/c'], methods: [] } }] }],
  ['a bare host', { rules: [{ allowed: { origins: ['a.b'], methods: ['GET'] } }] }],
  ['a method unknown', { rules: [{ allowed: { origins: ['*'], methods: ['OPTIONS'] } }] }],
  [
    'an age above a day',
    { rules: [{ allowed: { origins: ['*'], methods: ['GET'] }, maxAgeSeconds: 86_401 }] },
  ],
])('CORS with %s is refused and changes nothing', async (_, body) => {
  const path = `/accounts/${at.account}/r2/buckets/media/cors`
  expect(await at.call('PUT', path, { body })).toMatchObject({ status: 400, code: 19012 })
  expect(await at.call('GET', path)).toMatchObject({ status: 404, code: 10059 })
})

it.each<[string, unknown]>([
  ['no id', { enabled: true, conditions: {} }],
  ['no conditions', { id: 'a', enabled: true }],
  ['an age that is no number', rule({ condition: { type: 'Age', maxAge: '7d' } })],
  ['a condition unknown', rule({ condition: { type: 'Size', maxAge: 1 } })],
])('a lifecycle rule with %s is refused', async (_, broken) => {
  const path = `/accounts/${at.account}/r2/buckets/media/lifecycle`
  const body = { rules: [broken] }
  expect(await at.call('PUT', path, { body })).toMatchObject({ status: 400, code: 19013 })
  const { result } = await at.call('GET', path)
  expect(result.rules).toMatchObject([{ id: 'Default Multipart Abort Rule' }])
})

it.each<[string, number, Record<string, unknown>]>([
  ['a host with a DNS record', 19023, { domain: 'taken.example.com' }],
  ['a host outside the zone', 19021, { domain: 'files.example.org' }],
  ['a host that only ends like the zone', 19021, { domain: 'badexample.com' }],
  ['a zone that is none', 19021, { zoneId: stranger }],
  ['a zone of another account', 19021, { domain: 'f.other.example', zone: 'other.example' }],
  ['a zone that is pending', 19022, { domain: 'f.pending.example', zone: 'pending.example' }],
  ['a scheme', 19020, { domain: 'https://files.example.com' }],
  ['upper case', 19020, { domain: 'Files.example.com' }],
  ['no enabled', 19020, { enabled: undefined }],
  ['a TLS version unknown', 19020, { minTLS: '2.0' }],
])('attaching %s: code %i, nothing made', async (_, code, { zone, ...change }) => {
  const wish = { domain: 'files.example.com', zoneId: at.zone, enabled: true }
  const body = { ...wish, ...(zone ? { zoneId: zoneId(String(zone)) } : {}), ...change }
  const path = `/accounts/${at.account}/r2/buckets/media/domains/custom`
  expect((await at.call('POST', path, { body })).code).toBe(code)
  expect((await at.call('GET', path)).result).toEqual({ domains: [] })
  expect(at.world.dnsRecords).toHaveLength(1)
})

it.each<[string, number, Record<string, unknown>]>([
  ['no name', 400, { name: undefined }],
  ['a name of 121 characters', 400, { name: 'x'.repeat(121) }],
  ['no policies', 1001, { policies: [] }],
  ['a permission group unknown', 1001, { group: 'e'.repeat(32) }],
  ['an effect unknown', 1001, { effect: 'perhaps' }],
  ['milliseconds', 1001, { expires_on: '2030-01-01T00:00:00.000Z' }],
  ['a date without time', 1001, { expires_on: '2030-01-01' }],
  ['a month 13', 1001, { not_before: '2030-13-01T00:00:00Z' }],
  ['an address that is none', 1001, { condition: { request_ip: { in: ['10.0.0.256/8'] } } }],
  ['a mask too long', 1001, { condition: { request_ip: { in: ['10.0.0.0/33'] } } }],
  ['the condition of older docs', 1001, { condition: { 'request.ip': { in: ['10.0.0.0/8'] } } }],
  ['a bucket of another account', 1001, { resources: bucketOf(stranger) }],
  ['an account where a bucket belongs', 1001, { resources: { account: '*' } }],
])('a token with %s: HTTP 400, code %i, nothing made', async (_, code, change) => {
  const { group, effect, resources, ...rest } = change
  const policy = itemWrite(at.account, 'media')
  const changed = {
    effect: effect ?? policy.effect,
    permission_groups: group ? [{ id: group }] : policy.permission_groups,
    resources: resources ?? policy.resources,
  }
  const body = { name: 'key', policies: [changed], ...rest }
  const told = await at.call('POST', `/accounts/${at.account}/tokens`, { body })
  expect(told).toMatchObject({ status: 400, code })
  expect(at.world.tokens).toHaveLength(1)
})

function rule(transition: unknown) {
  return { id: 'a', enabled: true, conditions: {}, abortMultipartUploadsTransition: transition }
}

function bucketOf(account: string) {
  return itemWrite(account, 'media').resources
}
