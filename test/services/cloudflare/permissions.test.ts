import { expect, test } from 'vitest'
import type { Permission } from '../../../src/services/cloudflare/port.ts'
import { type Reply, startStub, thrownBy } from './api-stub.ts'

const refused = (status: number, code: number): Reply => ({ status, errors: [[code, 'no']] })
const fine: Reply = { result: [] }
const scope = { accountId: 'a', zoneId: 'z' }

const cases: [Permission, Reply, boolean, string][] = [
  ['r2', fine, true, '/accounts/a/r2/buckets?per_page=1'],
  ['r2', refused(403, 10000), false, '/accounts/a/r2/buckets?per_page=1'],
  ['r2', refused(403, 10042), true, '/accounts/a/r2/buckets?per_page=1'],
  ['account-tokens', fine, true, '/accounts/a/tokens/permission_groups?name='],
  ['account-tokens', refused(403, 9109), false, '/accounts/a/tokens/permission_groups?name='],
  ['user-tokens', fine, true, '/user/tokens/permission_groups?name='],
  ['user-tokens', refused(400, 1001), false, '/user/tokens/permission_groups?name='],
  ['zone', { result: {} }, true, '/zones/z'],
  ['zone', refused(403, 9109), false, '/zones/z'],
  ['dns', fine, true, '/zones/z/dns_records?per_page=1'],
  ['dns', refused(403, 10000), false, '/zones/z/dns_records?per_page=1'],
]

test.each(cases)('%s answered by %j: %s', async (permission, reply, expected, path) => {
  await using stub = await startStub([reply])
  expect(await stub.client.can(permission, scope)).toBe(expected)
  expect(stub.calls).toHaveLength(1)
  expect(stub.calls[0]?.path.startsWith(path)).toBe(true)
})

test('a malformed account id is an error, not a missing permission', async () => {
  await using stub = await startStub([refused(404, 7003)])
  expect((await thrownBy(stub.client.can('r2', scope))).code).toBe('cloudflare-7003')
})

const token = { id: 't', kind: 'account', status: 'active' } as const
const policies = (...names: (string | undefined)[]) => ({
  result: { policies: [{ permission_groups: names.map((name) => ({ id: 'x', name })) }] },
})

test.each([
  ['named', policies('A', 'B', 'A'), ['A', 'B']],
  ['without names', policies('A', undefined), undefined],
  ['refused', refused(403, 9109), undefined],
])('own permission groups: %s', async (_, reply, expected) => {
  await using stub = await startStub([reply])
  expect(await stub.client.ownPermissionGroups(token, 'a')).toEqual(expected)
  expect(stub.received[0]?.path).toBe('/accounts/a/tokens/t')
})
