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

test.each([
  ['the pages are as large as asked for', 1000, 2500],
  ['the pages are smaller than asked for', 20, 50],
  ['there is less than a page', 1000, 3],
  ['there is exactly a page', 20, 20],
  ['there is nothing', 1000, 0],
])('every bucket of a jurisdiction: %s', async (_, cap, total) => {
  const all = Array.from({ length: total }, (_, n) => `bucket-${String(n).padStart(5, '0')}`)
  await using stub = await startStub(({ query }: Received): Reply => {
    const after = query.get('start_after')
    const rest = after === null ? all : all.filter((name) => name > after)
    return { result: { buckets: rest.slice(0, cap).map((name) => ({ name })) } }
  })
  expect(await stub.client.listBuckets('a', 'eu')).toEqual(all)
  expect(stub.received[0]?.headers['cf-r2-jurisdiction']).toBe('eu')
})

test('a server that repeats its first page has no more buckets', async () => {
  const buckets = Array.from({ length: 20 }, (_, n) => ({ name: `bucket-${n}` }))
  await using stub = await startStub(() => ({ result: { buckets } }))
  expect(await stub.client.listBuckets('a', 'default')).toHaveLength(20)
  expect(stub.received).toHaveLength(2)
})
