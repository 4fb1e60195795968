import { expect, test } from 'vitest'
import { type Received, type Reply, startStub, thrownBy } from './api-stub.ts'

const account = (id: string) => ({ id, name: `Account ${id}` })
const zone = (id: string, accountId: string) => ({
  id,
  name: `${id}.example`,
  account: account(accountId),
})
const ACTIVE: Reply = { result: { id: 't', status: 'active', expires_on: '2030-01-01T00:00:00Z' } }
const INVALID: Reply = { status: 401, errors: [[1000, 'Invalid API Token']] }
const FORBIDDEN: Reply = { status: 403, errors: [[9109, 'no']] }

/** Answers by path; everything else is refused. */
function api(answers: Record<string, Reply>) {
  return ({ path }: Received): Reply => answers[path] ?? FORBIDDEN
}

const userVerify = '/user/tokens/verify'
const accountVerify = (id: string) => `/accounts/${id}/tokens/verify`

const cases: [string, string, string | undefined, Record<string, Reply>, string, string[]][] = [
  ['a user token by prefix', 'cfut_x', undefined, { [userVerify]: ACTIVE }, 'user', [userVerify]],
  ['an old user token by trying', 'old', undefined, { [userVerify]: ACTIVE }, 'user', [userVerify]],
  [
    'an account token with its account told',
    'cfat_x',
    'a',
    { [accountVerify('a')]: ACTIVE },
    'account',
    [accountVerify('a')],
  ],
  [
    'an account token, its account looked up',
    'cfat_x',
    undefined,
    { '/accounts': { result: [account('a')] }, [accountVerify('a')]: ACTIVE },
    'account',
    ['/accounts', accountVerify('a')],
  ],
  [
    'an old account token, its account found through zones',
    'old',
    undefined,
    {
      [userVerify]: INVALID,
      '/accounts': { status: 400, errors: [[1001, 'no']] },
      '/zones': { result: [zone('z', 'b')] },
      [accountVerify('b')]: ACTIVE,
    },
    'account',
    [userVerify, '/accounts', '/zones', accountVerify('b')],
  ],
]

test.each(cases)('identifies %s', async (_, token, accountId, answers, kind, paths) => {
  await using stub = await startStub(api(answers), token)
  expect(await stub.client.identifyToken(accountId)).toEqual({
    id: 't',
    kind,
    status: 'active',
    expiresOn: '2030-01-01T00:00:00Z',
  })
  expect([...new Set(stub.received.map(({ path }) => path))]).toEqual(paths)
})

const refusals: [string, string, Record<string, Reply>, string][] = [
  ['nobody knows', 'old', { [userVerify]: INVALID }, 'cloudflare-1000'],
  ['sees no account', 'cfat_x', {}, 'cloudflare-no-account'],
  ['is the global key', 'cfk_x', {}, 'cloudflare-token-kind'],
  ['is wrangler’s login', 'cfoat_x', {}, 'cloudflare-token-kind'],
  ['is a bad user token', 'cfut_x', { [userVerify]: INVALID }, 'cloudflare-1000'],
]

test.each(refusals)('refuses a token that %s', async (_, token, answers, code) => {
  await using stub = await startStub(api(answers), token)
  expect((await thrownBy(stub.client.identifyToken())).code).toBe(code)
})

test('trouble at Cloudflare is not taken for a bad token', async () => {
  await using stub = await startStub([{ status: 503 }], 'old')
  expect((await thrownBy(stub.client.identifyToken())).code).toBe('cloudflare-503')
})

const accountLists: [string, Record<string, Reply>, string[] | string][] = [
  ['its own list', { '/accounts': { result: [account('a'), account('b')] } }, ['a', 'b']],
  [
    'zones when the list is empty',
    {
      '/accounts': { result: [] },
      '/zones': { result: [zone('z', 'a'), zone('y', 'a'), zone('x', 'b')] },
    },
    ['a', 'b'],
  ],
  ['zones when the list is refused', { '/zones': { result: [zone('z', 'a')] } }, ['a']],
  ['nothing', { '/accounts': { result: [] }, '/zones': { result: [] } }, []],
  ['a refusal when both refuse', {}, 'cloudflare-9109'],
]

test.each(accountLists)('accounts from %s', async (_, answers, expected) => {
  await using stub = await startStub(api(answers))
  const outcome = await stub.client.listAccounts().then(
    (found) => found.map(({ id }) => id),
    (error: { code: string }) => error.code,
  )
  expect(outcome).toEqual(expected)
})
