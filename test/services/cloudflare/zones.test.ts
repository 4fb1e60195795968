import { expect, test } from 'vitest'
import { type Received, type Reply, startStub } from './api-stub.ts'

const zone = (name: string, status = 'active', id = name) => ({
  id,
  name,
  status,
  type: 'full',
  paused: false,
  account: { id: 'a', name: 'A' },
})

function zoneApi(known: ReturnType<typeof zone>[]) {
  return ({ query }: Received): Reply => ({
    result: known.filter(({ name }) => name === query.get('name')),
  })
}

test.each([
  ['files.example.com', ['example.com'], 'example.com'],
  ['files.social.example.co.uk', ['example.co.uk', 'social.example.co.uk'], 'social.example.co.uk'],
  ['example.com', ['example.com'], 'example.com'],
  ['FILES.Example.com', ['example.com'], 'example.com'],
  ['files.example.org', ['example.com'], undefined],
])('the zone of %s among %j', async (host, known, expected) => {
  await using stub = await startStub(zoneApi(known.map((name) => zone(name))))
  expect((await stub.client.findZone(host))?.name).toBe(expected)
})

test('asks for every name above the host, but for no single label', async () => {
  await using stub = await startStub(zoneApi([]))
  await stub.client.findZone('files.example.co.uk')
  const asked = stub.received.map(({ query }) => query.get('name')).sort()
  expect(asked).toEqual(['co.uk', 'example.co.uk', 'files.example.co.uk'])
})

test('prefers an active zone to a pending one of the same name', async () => {
  const both = [zone('example.com', 'pending', 'old'), zone('example.com', 'active', 'new')]
  await using stub = await startStub(zoneApi(both))
  expect((await stub.client.findZone('files.example.com'))?.id).toBe('new')
})

test('a server that ignores the filter does not make any zone fit', async () => {
  await using stub = await startStub([{ result: [zone('other.net')] }])
  expect(await stub.client.findZone('files.example.com')).toBeUndefined()
})

test('DNS records are asked for by their exact name', async () => {
  const record = { id: 'r', type: 'CNAME', name: 'files.example.com', content: 'x', proxied: true }
  await using stub = await startStub([
    { result: [record], result_info: { page: 1, per_page: 100, total_count: 1 } },
  ])
  expect(await stub.client.listDnsRecords('z', 'Files.example.com')).toEqual([
    { type: 'CNAME', name: 'files.example.com', content: 'x', proxied: true },
  ])
  expect(stub.received[0]?.query.get('name.exact')).toBe('files.example.com')
})
