import { expect, test } from 'vitest'
import { at, type Received, type Reply, startStub, thrownBy } from './api-stub.ts'

const ABSENT: Reply = { status: 404, errors: [[10006, 'no such bucket']] }

/** A bucket endpoint that carries POSTs out (or not) and answers as told. */
function bucketApi(posts: { answer: Reply; applied: boolean }[]) {
  let there = false
  return ({ method }: Received): Reply => {
    if (method === 'GET') return there ? { result: { name: 'media' } } : ABSENT
    const next = posts.shift()
    there ||= next?.applied ?? false
    return next?.answer ?? 'reset'
  }
}

const created: Reply = { result: { name: 'media' } }
const lost: Reply = 'reset'
const trouble: Reply = { status: 500, errors: [[10001, 'internal']] }
const cases: [string, { answer: Reply; applied: boolean }[], string, string[]][] = [
  ['answered', [{ answer: created, applied: true }], 'created', ['POST']],
  ['lost, carried out', [{ answer: lost, applied: true }], 'exists', ['POST', 'GET']],
  ['500, carried out', [{ answer: trouble, applied: true }], 'exists', ['POST', 'GET']],
  [
    'lost, not carried out',
    [
      { answer: lost, applied: false },
      { answer: created, applied: true },
    ],
    'created',
    ['POST', 'GET', 'POST'],
  ],
  ...([10004, 10073] as const).map(
    (code) =>
      [
        `refused with ${code}`,
        [
          {
            answer: { status: 400, errors: [[code, 'exists']] as [number, string][] },
            applied: false,
          },
        ],
        'exists',
        ['POST'],
      ] as [string, { answer: Reply; applied: boolean }[], string, string[]],
  ),
]

test.each(cases)('creating a bucket: %s', async (_, posts, outcome, methods) => {
  await using stub = await startStub(bucketApi(posts))
  expect(await stub.client.createBucket(at, 'weur')).toBe(outcome)
  expect(stub.received.map(({ method }) => method)).toEqual(methods)
  expect(stub.received[0]?.body).toEqual({ name: 'media', locationHint: 'weur' })
  expect(stub.received[0]?.headers['cf-r2-jurisdiction']).toBe('eu')
})

test('a bucket whose creation is lost again and again is given up', async () => {
  await using stub = await startStub(bucketApi([]))
  expect((await thrownBy(stub.client.createBucket(at))).code).toBe('cloudflare-answer-lost')
  expect(stub.received.filter(({ method }) => method === 'POST')).toHaveLength(3)
})

const active = {
  domain: 'files.example.com',
  enabled: true,
  status: { ownership: 'active', ssl: 'active' },
}
const attachCases: [string, Reply, boolean, string | undefined][] = [
  ['done', { result: active }, true, undefined],
  ['lost, carried out', 'reset', true, undefined],
  ['refused as attached, and it is ours', { status: 409, errors: [[1, 'x']] }, true, undefined],
  [
    'refused as attached elsewhere',
    { status: 409, errors: [[10062, 'x']] },
    false,
    'cloudflare-10062',
  ],
]

test.each(attachCases)('attaching a domain: %s', async (_, reply, ours, code) => {
  await using stub = await startStub(({ method }) => {
    if (method === 'POST') return reply
    return ours ? { result: active } : { status: 404, errors: [[10060, 'no domain']] }
  })
  const outcome = stub.client.attachCustomDomain(at, active.domain, 'zone').then(
    () => undefined,
    (error: { code: string }) => error.code,
  )
  expect(await outcome).toBe(code)
  expect(stub.received[0]?.body).toEqual({ domain: active.domain, zoneId: 'zone', enabled: true })
  expect(stub.received.filter(({ method }) => method === 'POST')).toHaveLength(1)
})

test.each([
  ['not there', { status: 404, errors: [[10060, 'x']] as [number, string][] }, undefined],
  [
    'without status',
    { result: { domain: 'f.example.com', enabled: false } },
    { host: 'f.example.com', enabled: false, ownership: 'unknown', ssl: 'unknown' },
  ],
])('a custom domain: %s', async (_, reply, expected) => {
  await using stub = await startStub([reply])
  expect(await stub.client.findCustomDomain(at, 'f.example.com')).toEqual(expected)
})

test('a malformed id is not taken for a missing domain', async () => {
  await using stub = await startStub([{ status: 404, errors: [[7003, 'bad id']] }])
  const error = await thrownBy(stub.client.findCustomDomain(at, 'f.example.com'))
  expect(error.code).toBe('cloudflare-7003')
})

test.each([
  ['CORS never put', { status: 404, errors: [[10059, 'none']] as [number, string][] }, []],
  ['CORS empty', { result: {} }, []],
  [
    'CORS there',
    { result: { rules: [{ allowed: { origins: ['*'], methods: ['GET'] } }] } },
    [{ allowed: { origins: ['*'], methods: ['GET'] } }],
  ],
])('%s', async (_, reply, expected) => {
  await using stub = await startStub([reply])
  expect(await stub.client.getCors(at)).toEqual(expected)
})

test('a bucket that is not there has no rules, no objects and no r2.dev address', async () => {
  await using stub = await startStub([ABSENT])
  const { client } = stub
  const looks = [client.getCors(at), client.getLifecycle(at), client.hasObjects(at)]
  expect(await Promise.all([...looks, client.isDevUrlEnabled(at)])).toEqual([[], [], false, false])
})

const tests = (count: number) =>
  Array.from(
    { length: count },
    (_, nth) => `mastodon-r2-probe/${String(nth).padStart(32, '0')}.txt`,
  )

test.each<[string, string[], boolean | 'tests']>([
  ['nothing', [], false],
  ['media', ['accounts/a.png'], true],
  ['test files that a killed run has left', tests(3), 'tests'],
  ['media behind them', [...tests(1), 'media_attachments/a.png'], true],
  ['more of them than are looked at', tests(20), true],
  ['a file of somebody in our folder', ['mastodon-r2-probe/notes.txt'], true],
])('a bucket that holds %s', async (_, keys, expected) => {
  await using stub = await startStub([{ result: keys.map((key) => ({ key })) }])
  expect(await stub.client.hasObjects(at)).toBe(expected)
})

test.each(['getCors', 'getLifecycle', 'isDevUrlEnabled', 'findBucket'] as const)(
  'a refusal is not taken for an empty answer: %s',
  async (name) => {
    await using stub = await startStub([{ status: 404, errors: [[7003, 'bad id']] }])
    expect((await thrownBy(stub.client[name](at))).code).toBe('cloudflare-7003')
  },
)
