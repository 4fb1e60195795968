import { expect, it, onTestFinished } from 'vitest'
import { apiUnderTest, itemWrite } from './api-under-test.ts'

async function started(kind: 'account' | 'user') {
  const at = await apiUnderTest({ tokenKind: kind })
  onTestFinished(() => at.api.close())
  const base = kind === 'user' ? '/user/tokens' : `/accounts/${at.account}/tokens`
  const wish = (name: string) => ({ name, policies: [itemWrite(at.account, 'media')] })
  const mint = async (name: string, more = {}) =>
    (await at.call('POST', base, { body: { ...wish(name), ...more } })).result
  return { ...at, base, wish, mint }
}

it.each([
  ['account', /^cfat_[0-9a-zA-Z]{35,75}$/],
  ['user', /^cfut_[0-9a-zA-Z]{35,75}$/],
] as const)('gives the value of an %s token once', async (kind, shape) => {
  const { call, base, mint } = await started(kind)
  const { id, value } = await mint('key')
  expect(id).toMatch(/^[0-9a-f]{32}$/)
  expect(value).toMatch(shape)
  const later = [await call('GET', base), await call('GET', `${base}/${id}`)]
  expect(JSON.stringify(later)).not.toContain(value)
})

it('keeps what was wished for, without milliseconds in times', async () => {
  const { call, base, mint } = await started('account')
  const condition = { request_ip: { in: ['192.0.2.7', '2001:db8::/32'], not_in: ['192.0.2.8/32'] } }
  const times = { expires_on: '2027-01-01T00:00:00Z', not_before: '2026-11-01T00:00:00Z' }
  const { id } = await mint('key', { condition, ...times })
  expect((await call('GET', `${base}/${id}`)).result).toMatchObject({
    id,
    name: 'key',
    status: 'active',
    issued_on: '2026-11-22T12:00:00Z',
    condition,
    ...times,
    policies: [
      { effect: 'allow', permission_groups: [{ name: expect.stringMatching(/Item Write/) }] },
    ],
  })
})

it('lets two tokens have the same name, and lists by pages', async () => {
  const { call, base, mint } = await started('user')
  for (let number = 0; number < 6; number += 1) await mint('same')
  const page = async (query: string) => {
    const { result, body } = await call('GET', `${base}?per_page=5&${query}`)
    return [result.map(({ name }: { name: string }) => name).join(' '), body.result_info]
  }
  const info = { per_page: 5, total_count: 7 }
  const bootstrap = 'Bootstrap token of the sandbox'
  const [same, two] = ['same', 'same same']
  expect(await page('page=1')).toEqual([
    `${bootstrap} ${two} ${two}`,
    { ...info, page: 1, count: 5 },
  ])
  expect(await page('page=2')).toEqual([two, { ...info, page: 2, count: 2 }])
  expect(await page('page=3')).toEqual(['', { ...info, page: 3, count: 0 }])
  expect((await page('page=2&direction=desc'))[0]).toBe(`${same} ${bootstrap}`)
})

it('lists expired tokens only when asked', async () => {
  const { call, base, mint, time } = await started('account')
  const { id } = await mint('short', { expires_on: '2026-11-22T12:00:10Z' })
  const listed = async (query = '') => {
    const { result } = await call('GET', `${base}${query}`)
    return result.find((token: { id: string }) => token.id === id)?.status
  }
  expect(await listed()).toBe('active')
  time.now += 10_000
  expect(await listed()).toBeUndefined()
  expect(await listed('?include_expired=true')).toBe('expired')
})

it('renames without touching the value, and needs name and policies for it', async () => {
  const { call, base, mint, world } = await started('account')
  const { id, value } = await mint('before')
  const { result: raw } = await call('GET', `${base}/${id}`)
  const renamed = await call('PUT', `${base}/${id}`, { body: { ...raw, name: 'after' } })
  expect(renamed.result).toMatchObject({ id, name: 'after' })
  expect(world.tokens.find((token) => token.id === id)?.value).toBe(value)
  expect((await call('PUT', `${base}/${id}`, { body: { name: 'only' } })).code).toBe(1001)
  const disabled = await call('PUT', `${base}/${id}`, { body: { ...raw, status: 'disabled' } })
  expect(disabled.result).toMatchObject({ status: 'disabled' })
  const status = 'expired'
  expect((await call('PUT', `${base}/${id}`, { body: { ...raw, status } })).code).toBe(1001)
})

it('rolls to a new value; the old one is dead at once', async () => {
  const { call, base, mint, account } = await started('account')
  const { id, value } = await mint('key')
  const { result: fresh } = await call('PUT', `${base}/${id}/value`, { body: {} })
  const verify = (token: string) => call('GET', `/accounts/${account}/tokens/verify`, { token })
  expect(fresh).not.toBe(value)
  expect((await verify(value)).code).toBe(1000)
  expect((await verify(fresh)).result.id).toBe(id)
  expect((await call('PUT', `${base}/${id}/value`)).code).toBe(19002)
})

it('deletes once, and keeps user and account apart', async () => {
  const { call, base, mint, account } = await started('user')
  const { id } = await mint('key')
  expect((await call('GET', `/accounts/${account}/tokens/${id}`)).status).toBe(404)
  expect((await call('DELETE', `${base}/${id}`)).result).toEqual({ id })
  expect((await call('DELETE', `${base}/${id}`)).status).toBe(404)
})

it.each([
  ['name=Zone+Read', ['Zone Read']],
  ['name=Zone', []],
  [
    'scope=com.cloudflare.edge.r2.bucket',
    ['Workers R2 Storage Bucket Item Write', 'Workers R2 Storage Bucket Item Read'],
  ],
  ['scope=com.cloudflare.api.user', []],
])('finds permission groups by %s', async (query, names) => {
  const { call, base } = await started('account')
  const { result } = await call('GET', `${base}/permission_groups?${query}`)
  expect(result.map(({ name }: { name: string }) => name)).toEqual(names)
})
