import { expect, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import { at, type Reply, startStub, thrownBy } from './api-stub.ts'

type Client = Awaited<ReturnType<typeof startStub>>['client']

const read = (client: Client) => client.findBucket(at)
const put = (client: Client) => client.disableDevUrl(at)
const create = (client: Client) => client.createBucket(at)
const mint = (client: Client) => client.mintKey({ kind: 'user' }, { name: 'n', at, allowIps: [] })

const bucket = { result: { name: 'media' } }
const limited = { status: 429, headers: { 'retry-after': '7' } }
const broken = { status: 502, text: '<html>bad gateway</html>' }
const conflict = { status: 409, errors: [[10073, 'busy']] } satisfies Reply
const refused = { status: 403, errors: [[9109, 'no']] } satisfies Reply

const repeated: [string, (client: Client) => Promise<unknown>, Reply[], number[]][] = [
  ['a read after a reset', read, ['reset', bucket], [1]],
  ['a read after 429, as long as told', read, [limited, bucket], [7]],
  ['a read after 429 without a time', read, [{ status: 429 }, bucket], [1]],
  [
    'a read after an absurd time',
    read,
    [{ ...limited, headers: { 'retry-after': '86400' } }, bucket],
    [310],
  ],
  ['a read after three 5xx', read, [broken, broken, broken, bucket], [1, 2, 4]],
  ['a write that repeats safely after a reset', put, ['reset', { result: {} }], [1]],
  ['a write that repeats safely after 5xx', put, [broken, { result: {} }], [1]],
  ['a create after 429: nothing was done', create, [limited, bucket], [7]],
]

test.each(repeated)('sends again: %s', async (_, work, replies, waits) => {
  await using stub = await startStub(replies)
  await work(stub.client)
  expect(stub.waits.map(([seconds]) => seconds)).toEqual(waits)
  expect(stub.received).toHaveLength(replies.length)
  expect(stub.calls).toHaveLength(replies.length)
})

const final: [string, (client: Client) => Promise<unknown>, Reply[], string, number][] = [
  ['a read, four times lost', read, ['reset'], 'cloudflare-unreachable', 4],
  ['a read, four times 502', read, [broken], 'cloudflare-502', 4],
  ['a read, four times 429', read, [limited], 'cloudflare-429', 4],
  ['a read, refused', read, [refused], 'cloudflare-9109', 1],
  ['a read, malformed', read, [{ status: 200, text: '{"success":' }], 'cloudflare-garbled', 1],
  ['a read, not an envelope', read, [{ status: 200, text: '[]' }], 'cloudflare-garbled', 1],
  [
    'a read, redirected',
    read,
    [{ status: 302, headers: { location: '/' }, text: '' }],
    'cloudflare-garbled',
    1,
  ],
  [
    'a read, 200 without success',
    read,
    [{ status: 200, errors: [[10001, 'no']] }],
    'cloudflare-10001',
    1,
  ],
  ['a write, four times lost', put, ['reset'], 'cloudflare-answer-lost', 4],
  ['a write, 409', put, [conflict], 'cloudflare-10073', 1],
  ['a mint, lost', mint, ['reset'], 'cloudflare-answer-lost', 1],
  ['a mint, 502', mint, [broken], 'cloudflare-answer-lost', 1],
  ['a mint, malformed', mint, [{ status: 200, text: 'OK' }], 'cloudflare-answer-lost', 1],
  ['a mint, 429', mint, [limited], 'cloudflare-429', 1],
  ['a mint, refused', mint, [refused], 'cloudflare-9109', 1],
  ['a mint without value', mint, [{ result: { id: 'x' } }], 'cloudflare-key-without-value', 1],
]

test.each(final)('gives up: %s', async (_, work, replies, code, times) => {
  const group = { id: 'g', name: 'Workers R2 Storage Bucket Item Write' }
  let sent = 0
  await using stub = await startStub(({ path }) => {
    if (path.endsWith('/permission_groups')) return { result: [group] }
    sent += 1
    return replies[Math.min(sent, replies.length) - 1] ?? 'reset'
  })
  const error = await thrownBy(work(stub.client))
  expect(error).toBeInstanceOf(Problem)
  expect(error.code).toBe(code)
  expect(sent).toBe(times)
})

test('an answer that never ends counts as lost after the time limit', async () => {
  await using stub = await startStub(['hang', bucket], undefined, 100)
  expect(await stub.client.findBucket(at)).toEqual({ name: 'media' })
  expect(stub.calls.map(({ status }) => status)).toEqual(['failed', 200])
  expect(stub.waits[0]?.[1]).toContain('ETIMEDOUT')
})

test('an interruption ends a call under way', async () => {
  await using stub = await startStub(['hang'])
  const work = thrownBy(stub.client.findBucket(at))
  await expect.poll(() => stub.received.length).toBe(1)
  stub.stop.abort()
  expect((await work).name).toBe('Cancelled')
  expect(stub.received).toHaveLength(1)
})

test('a Cloudflare that cannot be reached was sent nothing, even for a mint', async () => {
  let closed: Awaited<ReturnType<typeof startStub>> | undefined
  {
    await using stub = await startStub([{ result: [] }])
    closed = stub
  }
  const error = await thrownBy(create(closed.client))
  expect(error.code).toBe('cloudflare-unreachable')
  expect(error.message).toContain('ECONNREFUSED')
})
