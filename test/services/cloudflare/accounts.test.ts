import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { promisify } from 'node:util'
import { gzip } from 'node:zlib'
import { expect, test } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
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

const LOCATION: Reply = {
  status: 403,
  errors: [[9109, 'Cannot use the access token from location: 203.0.113.9']],
}

type Cause = [string, string, string | undefined, Record<string, Reply>, string, string]

const causes: Cause[] = [
  [
    'a user token bound to other addresses',
    'old',
    undefined,
    { [userVerify]: LOCATION, '/accounts': LOCATION },
    'bound to other IP addresses',
    '203.0.113.9',
  ],
  [
    'an account token bound to other addresses',
    'cfat_x',
    undefined,
    { '/accounts': LOCATION, '/zones': LOCATION },
    'bound to other IP addresses',
    '203.0.113.9',
  ],
  [
    'the same, its account told',
    'cfat_x',
    'a',
    { [accountVerify('a')]: LOCATION },
    'bound to other IP addresses',
    '203.0.113.9',
  ],
  [
    'an IPv6 address',
    'cfut_x',
    undefined,
    {
      [userVerify]: {
        status: 403,
        errors: [[9109, 'Cannot use the access token from location: 2001:db8::7']],
      },
    },
    'bound to other',
    '2001:db8::7',
  ],
  [
    'an expired token',
    'cfut_x',
    undefined,
    { [userVerify]: { status: 401, errors: [[1000, 'This API Token is expired']] } },
    'has expired',
    'is expired',
  ],
  [
    'a disabled token',
    'cfut_x',
    undefined,
    { [userVerify]: { status: 401, errors: [[10000, 'API token is disabled']] } },
    'switched off',
    'Switch it on',
  ],
  [
    'a key of another form',
    'old',
    undefined,
    {
      [userVerify]: { status: 400, errors: [[6003, 'Invalid request headers']] },
      '/accounts': { status: 400, errors: [[6003, 'Invalid request headers']] },
    },
    'does not take this as an API token',
    '6003',
  ],
  [
    'a token of another account',
    'cfat_x',
    'b',
    { [accountVerify('b')]: { status: 403, errors: [[10000, 'Authentication error']] } },
    'none of the account b',
    '10000 Authentication error',
  ],
  [
    'a token of the R2 page',
    'cfat_x',
    undefined,
    { '/accounts': { result: [] }, '/zones': { result: [] } },
    'shows no account',
    'R2 page',
  ],
  ...['Account API Tokens: Edit', 'Zone: Read', 'DNS: Read', '"Workers R2 Storage: Edit"'].map(
    (name): Cause => [
      `what a token of the R2 page lacks: ${name}`,
      'cfat_x',
      undefined,
      { '/accounts': { result: [] }, '/zones': { result: [] } },
      'shows no account',
      name,
    ],
  ),
  ['the same, refused', 'cfat_x', undefined, {}, 'shows no account', '9109 no'],
  ['quotes', '"cfut_x"', undefined, {}, 'not just the API token', 'in quotes'],
  ['single quotes', "'cfut_x'", undefined, {}, 'not just the API token', 'in quotes'],
  [
    'a name before it',
    'CLOUDFLARE_API_TOKEN=cfut_x',
    undefined,
    {},
    'not just the API token',
    'around it',
  ],
  [
    'an old Global API Key',
    '0123456789abcdef0123456789abcdef01234',
    undefined,
    {},
    'Global API Key',
    'API token',
  ],
  ['an S3 secret', 'f'.repeat(64), undefined, {}, 'S3 secret access key', 'API token'],
]

test.each(causes)('names the cause: %s', async (_, token, accountId, answers, what, words) => {
  await using stub = await startStub(api(answers), token)
  const problem = (await thrownBy(stub.client.identifyToken(accountId))) as never as Record<
    string,
    unknown
  >
  expect(problem.what).toContain(what)
  expect(`${problem.why}\n${problem.next}`).toContain(words)
})

test.each<[string, Reply, string]>([
  ['nothing', { result: null }, 'nothing came'],
  ['no status', { result: { id: 't' } }, 'it has no status'],
  ['a text', { result: 'fine' }, 'a text came'],
  ['no id', { result: { status: 'active' } }, 'it has no id'],
])('an answer of another form is told as one: %s', async (_, answer, odd) => {
  await using stub = await startStub(api({ [userVerify]: answer }), 'cfut_x')
  const problem = await thrownBy(stub.client.identifyToken())
  expect(problem.code).toBe('cloudflare-odd-answer')
  expect(problem.message).toContain(odd)
})

test.each<[string, Reply]>([
  ['an object in place of the list', { result: { accounts: [] } }],
  ['no result at all', { status: 200, text: '{"success":true,"errors":[]}' }],
  ['texts in place of accounts', { result: ['a'] }],
])('accounts of another form are not "no account": %s', async (_, answer) => {
  await using stub = await startStub(api({ '/accounts': answer }), 'cfat_x')
  const { code } = await thrownBy(stub.client.identifyToken())
  expect(code).toMatch(/^cloudflare-(odd-answer|garbled)$/)
})

test('an answer that unpacks to 64 MB is not read to its end', async () => {
  const packed = await promisify(gzip)(Buffer.alloc(64 * 1_048_576, ' '))
  expect(packed.length).toBeLessThan(100_000)
  const server = createServer((_, response) => {
    response.writeHead(200, { 'content-type': 'application/json', 'content-encoding': 'gzip' })
    response.end(packed)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const client = connectCloudflare({
    token: new Secret('cfut_x'),
    baseUrl: `http://127.0.0.1:${port}/client/v4`,
  })
  expect(await thrownBy(client.identifyToken())).toMatchObject({
    code: 'cloudflare-answer-too-large',
    what: "The answer of Cloudflare's API is too large to be one: more than 16 MB.",
  })
  server.closeAllConnections()
  server.close()
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
