import { describe, expect, it, onTestFinished } from 'vitest'
import { permissionGroupId } from '../../../src/sandbox/api/permits.ts'
import type { SeedOptions } from '../../../src/sandbox/seed.ts'
import { apiUnderTest, itemWrite } from './api-under-test.ts'

async function started(seed: SeedOptions = {}) {
  const at = await apiUnderTest(seed)
  onTestFinished(() => at.api.close())
  const path = (short: string) => short.replace('/A', `/${at.account}`).replace('/Z', `/${at.zone}`)
  const code = async (method: string, short: string, body?: unknown, token?: string) => {
    const sent = { ...(body ? { body } : {}), ...(token ? { token } : {}) }
    return (await at.call(method, path(short), sent)).code ?? 'ok'
  }
  return { ...at, code }
}

const looks = {
  r2: '/accounts/A/r2/buckets',
  tokens: '/accounts/A/tokens',
  user: '/user/tokens',
  zones: '/zones',
  dns: '/zones/Z/dns_records',
}

describe('what each permission opens', () => {
  it.each<[string, 'account' | 'user', string[], string[]]>([
    ['nothing', 'account', [], []],
    ['R2 read', 'account', ['Workers R2 Storage Read'], ['r2']],
    ['R2 write', 'account', ['Workers R2 Storage Write'], ['r2']],
    ['account tokens', 'account', ['Account API Tokens Read'], ['tokens']],
    ['user tokens', 'user', ['API Tokens Read'], ['user']],
    ['zones', 'account', ['Zone Read'], ['zones']],
    ['DNS records', 'user', ['DNS Read'], ['dns']],
    ['the default, account-owned', 'account', undefined as never, ['r2', 'tokens', 'zones', 'dns']],
    [
      'the default, user-owned',
      'user',
      undefined as never,
      ['r2', 'tokens', 'user', 'zones', 'dns'],
    ],
  ])('%s', async (_, tokenKind, permissions, open) => {
    const { code } = await started({ tokenKind, ...(permissions ? { permissions } : {}) })
    const told = await Promise.all(
      Object.entries(looks).map(async ([name, path]) => [name, await code('GET', path)]),
    )
    const expected = Object.keys(looks).map((name) => {
      const refusal = name === 'r2' ? 10000 : 9109
      return [name, open.includes(name) ? 'ok' : refusal]
    })
    expect(told).toEqual(expected)
  })

  it.each([
    ['POST', '/accounts/A/r2/buckets', { name: 'media' }, 10000],
    ['POST', '/accounts/A/tokens', { name: 'k', policies: [] }, 9109],
    ['GET', '/accounts/A/r2/buckets', undefined, 'ok'],
    ['GET', '/accounts/A/tokens/permission_groups', undefined, 'ok'],
  ])('reading is not writing: %s %s', async (method, path, body, expected) => {
    const permissions = ['Workers R2 Storage Read', 'Account API Tokens Read']
    const { code } = await started({ permissions })
    expect(await code(method, path, body)).toBe(expected)
  })
})

it('shows an account-owned token its account only, a user every one', async () => {
  const accounts = [{ name: 'One' }, { name: 'Two' }]
  const zones = [{ name: 'one.example' }, { name: 'two.example', account: 'Two' }]
  const names = async (tokenKind: 'account' | 'user') => {
    const { call } = await started({ accounts, zones, tokenKind })
    const seen = [await call('GET', '/accounts'), await call('GET', '/zones')]
    return seen.map(({ result }) => result.map(({ name }: { name: string }) => name))
  }
  expect(await names('account')).toEqual([['One'], ['one.example']])
  expect(await names('user')).toEqual([
    ['One', 'Two'],
    ['one.example', 'two.example'],
  ])
})

it.each([
  ['account', '/accounts/A/tokens/verify', '/user/tokens/verify'],
  ['user', '/user/tokens/verify', '/accounts/A/tokens/verify'],
] as const)('verifies a token of kind %s at %s only', async (tokenKind, right, wrong) => {
  const { code } = await started({ tokenKind })
  expect(await code('GET', right)).toBe('ok')
  expect(await code('GET', wrong)).toBe(1000)
  expect(await code('GET', right, undefined, 'cfat_nobody')).toBe(1000)
})

it('tells verify without a token apart', async () => {
  const { call, account } = await started()
  const none = { token: null }
  expect(await call('GET', '/user/tokens/verify', none)).toMatchObject({ status: 401, code: 1000 })
  const told = await call('GET', `/accounts/${account}/tokens/verify`, none)
  expect(told).toMatchObject({ status: 400, code: 1001 })
})

it('lets a minted key do nothing but verify itself', async () => {
  const { call, code, account } = await started()
  const body = { name: 'key', policies: [itemWrite(account, 'media')] }
  const { result } = await call('POST', `/accounts/${account}/tokens`, { body })
  for (const path of [...Object.values(looks), '/accounts', '/accounts/A', '/zones/Z']) {
    expect([9109, 10000], path).toContain(await code('GET', path, undefined, result.value))
  }
  expect(await code('GET', '/accounts/A/tokens/verify', undefined, result.value)).toBe('ok')
})

it('refuses a token that is disabled, expired or not valid yet, and verify says why', async () => {
  const { world, code, call, account, time } = await started({ expiresOn: '2026-11-22T13:00:00Z' })
  const token = world.tokens[0]!
  const verified = async () =>
    (await call('GET', `/accounts/${account}/tokens/verify`)).result.status
  token.status = 'disabled'
  expect([await code('GET', '/zones'), await verified()]).toEqual([10000, 'disabled'])
  token.status = 'active'
  expect([await code('GET', '/zones'), await verified()]).toEqual(['ok', 'active'])
  token.notBefore = '2026-11-22T12:30:00Z'
  expect(await code('GET', '/zones')).toBe(10000)
  time.now = Date.parse('2026-11-22T12:30:00Z')
  expect(await code('GET', '/zones')).toBe('ok')
  time.now = Date.parse('2026-11-22T13:00:00Z')
  expect([await code('GET', '/zones'), await verified()]).toEqual([10000, 'expired'])
})

it('answers 10042 until R2 is bought, and after that works', async () => {
  const { world, code } = await started({ accounts: [{ name: 'New', r2Enabled: false }] })
  expect(await code('GET', '/accounts/A/r2/buckets')).toBe(10042)
  expect(await code('POST', '/accounts/A/r2/buckets', { name: 'media' })).toBe(10042)
  world.accounts[0]!.r2Enabled = true
  expect(await code('GET', '/accounts/A/r2/buckets')).toBe('ok')
})

it('mints no zone permission that the creator lacks', async () => {
  const { code, zone } = await started({ permissions: ['Account API Tokens Write', 'DNS Read'] })
  const wish = async (id: string) => {
    const resources = { [`com.cloudflare.api.account.zone.${zone}`]: '*' }
    const policies = [{ effect: 'allow', permission_groups: [{ id }], resources }]
    return code('POST', '/accounts/A/tokens', { name: 'dns', policies })
  }
  expect(await wish(permissionGroupId('DNS Read'))).toBe('ok')
  expect(await wish(permissionGroupId('DNS Write'))).toBe(1001)
})

it('lets a deny win over an allow', async () => {
  const { world, code } = await started()
  const token = world.tokens[0]!
  expect(await code('GET', '/accounts/A/r2/buckets')).toBe('ok')
  token.policies.push({ ...(token.policies[0] as object), effect: 'deny' })
  expect(await code('GET', '/accounts/A/r2/buckets')).toBe(10000)
})
