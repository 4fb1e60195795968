import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { at, type Received, type Reply, startStub, thrownBy } from './api-stub.ts'

const NAME = 'Workers R2 Storage Bucket Item Write'
const account = { kind: 'account', accountId: 'a' } as const
const user = { kind: 'user' } as const
const wish = { name: 'key', at, allowIps: [], expiresOn: '2030-01-01T00:00:00.000Z' }

function mintApi(groups: Reply | ((request: Received) => Reply)) {
  return (request: Received): Reply => {
    if (request.method === 'POST') return { result: { id: 'id', value: 'value' } }
    return typeof groups === 'function' ? groups(request) : groups
  }
}

const other = { id: 'other', name: 'Workers R2 Storage Bucket Item Read' }
const groupCases: [string, Reply | ((request: Received) => Reply), string][] = [
  ['by name', { result: [other, { id: 'g1', name: NAME }] }, 'g1'],
  [
    'by name where the filter finds nothing',
    ({ query }) => ({ result: query.has('name') ? [] : [other, { id: 'g2', name: NAME }] }),
    'g2',
  ],
  [
    'by its known id where it is not listed',
    { result: [other] },
    '2efd5506f9c8494dacb1fa10a3e7d5b6',
  ],
  ['by its known id where listing is refused', { status: 403 }, '2efd5506f9c8494dacb1fa10a3e7d5b6'],
]

test.each(groupCases)('mints with the permission group found %s', async (_, groups, id) => {
  await using stub = await startStub(mintApi(groups))
  const key = await stub.client.mintKey(account, wish)
  expect(key.id).toBe('id')
  expect(key.secretAccessKey.reveal()).toBe(createHash('sha256').update('value').digest('hex'))
  const post = stub.received.find(({ method }) => method === 'POST')
  expect(post?.path).toBe('/accounts/a/tokens')
  expect(post?.body).toEqual({
    name: 'key',
    policies: [
      {
        effect: 'allow',
        permission_groups: [{ id }],
        resources: { [`com.cloudflare.edge.r2.bucket.${at.accountId}_eu_media`]: '*' },
      },
    ],
    expires_on: '2030-01-01T00:00:00Z',
  })
})

test('limits a key to addresses, and mints for the user where told', async () => {
  await using stub = await startStub(mintApi({ result: [{ id: 'g', name: NAME }] }))
  const allowIps = ['192.0.2.0/24', '2001:db8::/32']
  await stub.client.mintKey(user, { name: 'key', at, allowIps })
  const post = stub.received.find(({ method }) => method === 'POST')
  expect(post?.path).toBe('/user/tokens')
  expect(post?.body).toMatchObject({ condition: { request_ip: { in: allowIps } } })
  expect(post?.body).not.toHaveProperty('expires_on')
})

const stored = {
  id: 'id',
  name: 'old',
  status: 'disabled',
  issued_on: '2026-01-01T00:00:00Z',
  modified_on: '2026-01-02T00:00:00Z',
  last_used_on: null,
  not_before: '2026-01-01T00:00:00.123456Z',
  expires_on: '2030-01-01T00:00:00Z',
  condition: { request_ip: { in: ['192.0.2.0/24'] } },
  policies: [
    {
      id: 'p',
      effect: 'allow',
      resources: { x: '*' },
      permission_groups: [{ id: 'g', name: NAME, meta: { label: 'l' } }],
    },
  ],
}

test('renames without changing anything else', async () => {
  await using stub = await startStub([{ result: stored }])
  const key = await stub.client.findKey(user, 'id')
  await stub.client.renameKey(user, key!, 'new')
  const put = stub.received.at(-1)
  expect(put).toMatchObject({ method: 'PUT', path: '/user/tokens/id' })
  expect(put?.body).toEqual({
    name: 'new',
    status: 'disabled',
    not_before: '2026-01-01T00:00:00Z',
    expires_on: '2030-01-01T00:00:00Z',
    condition: stored.condition,
    policies: [{ effect: 'allow', resources: { x: '*' }, permission_groups: [{ id: 'g' }] }],
  })
})

test('disables without changing anything else', async () => {
  const active = { ...stored, status: 'active' }
  await using stub = await startStub([{ result: active }])
  const key = await stub.client.findKey(account, 'id')
  await stub.client.disableKey(account, key!)
  const put = stub.received.at(-1)
  expect(put).toMatchObject({ method: 'PUT', path: '/accounts/a/tokens/id' })
  expect(put?.body).toEqual({
    name: 'old',
    status: 'disabled',
    not_before: '2026-01-01T00:00:00Z',
    expires_on: '2030-01-01T00:00:00Z',
    condition: stored.condition,
    policies: [{ effect: 'allow', resources: { x: '*' }, permission_groups: [{ id: 'g' }] }],
  })
})

const place = `com.cloudflare.edge.r2.bucket.${'c'.repeat(32)}_fedramp-high_media-1`
const only = { accountId: 'c'.repeat(32), jurisdiction: 'fedramp-high', bucket: 'media-1' }
const opening = (resources: object, effect = 'allow') => ({
  ...stored.policies[0],
  effect,
  resources,
})

test.each<[string, object[], unknown]>([
  ['one bucket', [opening({ [place]: '*' })], only],
  ['two buckets', [opening({ [place]: '*', [`${place}-2`]: '*' })], undefined],
  ['two policies', [opening({ [place]: '*' }), opening({ x: '*' })], undefined],
  ['a refusal', [opening({ [place]: '*' }, 'deny')], undefined],
  ['an account', [opening({ [`com.cloudflare.api.account.${'c'.repeat(32)}`]: '*' })], undefined],
  ['nothing', [], undefined],
])('tells what a key opens: %s', async (_, policies, expected) => {
  const condition = { request_ip: { in: ['192.0.2.0/24'], not_in: ['192.0.2.1/32'] } }
  await using stub = await startStub([{ result: { ...stored, policies, condition } }])
  const key = await stub.client.findKey(user, 'id')
  expect(key?.limits).toEqual({
    only: expected,
    allowIps: ['192.0.2.0/24'],
    refuseIps: ['192.0.2.1/32'],
  })
})

test('keeps addresses away from a key', async () => {
  await using stub = await startStub(mintApi({ result: [{ id: 'g', name: NAME }] }))
  await stub.client.mintKey(user, { name: 'key', at, allowIps: [], refuseIps: ['192.0.2.1/32'] })
  const post = stub.received.find(({ method }) => method === 'POST')
  expect(post?.body).toMatchObject({ condition: { request_ip: { not_in: ['192.0.2.1/32'] } } })
})

test('never renames a token into one without policies', async () => {
  await using stub = await startStub([{ result: {} }])
  const key = { id: 'id', name: 'old', status: 'active', raw: { name: 'old' } }
  const renaming = stub.client.renameKey(user, key, 'new')
  await expect(renaming).rejects.toMatchObject({ code: 'cloudflare-odd-answer' })
  expect(stub.received).toEqual([])
})

test('lists keys by the beginning of their name, expired ones included', async () => {
  const tokens = ['mastodon-r2 a', 'other', 'mastodon-r2 b'].map((name, index) => ({
    id: `${index}`,
    name,
    status: 'active',
  }))
  await using stub = await startStub([{ result: tokens, result_info: { total_count: 3 } }])
  const found = await stub.client.listKeys(account, 'mastodon-r2 ')
  expect(found.map(({ id }) => id)).toEqual(['0', '2'])
  expect(Object.fromEntries(stub.received[0]?.query ?? [])).toEqual({
    page: '1',
    per_page: '50',
    include_expired: 'true',
  })
})

test.each([
  ['deleted', { result: { id: 'id' } }, undefined],
  ['gone already', { status: 404, errors: [[1, 'gone']] as [number, string][] }, undefined],
  [
    'not permitted',
    { status: 403, errors: [[9109, 'no']] as [number, string][] },
    'cloudflare-9109',
  ],
])('revoking: %s', async (_, reply, code) => {
  await using stub = await startStub([reply])
  const outcome = stub.client.revokeKey(account, 'id')
  if (code === undefined) await expect(outcome).resolves.toBeUndefined()
  else expect((await thrownBy(outcome)).code).toBe(code)
})

test.each([
  ['gone', { status: 404, errors: [[1, 'gone']] as [number, string][] }],
  ['hidden', { status: 403, errors: [[9109, 'no']] as [number, string][] }],
])('a key that is %s is undefined', async (_, reply) => {
  await using stub = await startStub([reply])
  expect(await stub.client.findKey(account, 'id')).toBeUndefined()
})

test('a refusal that passes does not hide a key: the list has it', async () => {
  await using stub = await startStub(({ path }) =>
    path.endsWith('/id')
      ? { status: 403, errors: [[9109, 'no']] }
      : { result: [{ id: 'other' }, { id: 'id', name: 'mine' }] },
  )
  expect(await stub.client.findKey(account, 'id')).toMatchObject({ id: 'id', name: 'mine' })
})
