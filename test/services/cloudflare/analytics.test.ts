import { expect, test } from 'vitest'
import { startStub, TOKEN, thrownBy } from './api-stub.ts'

const ACCOUNT = '0123456789abcdef0123456789abcdef'
const day = '2026-11-29'

function answer(account: unknown, more: object = {}) {
  const body = { data: { viewer: { accounts: [account] } }, errors: null, ...more }
  return { status: 200, text: JSON.stringify(body) }
}

const operation = {
  sum: { requests: 12 },
  dimensions: { bucketName: 'eu_media', actionType: 'PutObject', responseStatusCode: 200 },
}
const stored = {
  max: { objectCount: 3, uploadCount: 1, payloadSize: 100, metadataSize: 20 },
  dimensions: { bucketName: 'eu_media' },
}
const both = { r2OperationsAdaptiveGroups: [operation], r2StorageAdaptiveGroups: [stored] }

test('a day is asked for by its first and last second, with the fields of the docs', async () => {
  await using stub = await startStub([answer(both)])
  expect(await stub.client.analytics.r2Day(ACCOUNT, day)).toEqual({
    day,
    isCutOff: false,
    operations: [{ bucket: 'eu_media', action: 'PutObject', status: 200, requests: 12 }],
    storage: [{ bucket: 'eu_media', objects: 3, bytes: 120 }],
  })
  const [{ method, path, headers, body } = {} as never] = stub.received
  expect([method, path, headers.authorization]).toEqual(['POST', '/graphql', `Bearer ${TOKEN}`])
  expect((body as { variables: object }).variables).toEqual({
    accountTag: ACCOUNT,
    startDate: '2026-11-29T00:00:00Z',
    endDate: '2026-11-29T23:59:59Z',
  })
})

test.each<[string, object, object]>([
  ['nothing was asked', {}, { operations: [], storage: [] }],
  [
    'numbers as texts, no bucket, no status',
    {
      r2OperationsAdaptiveGroups: [
        { sum: { requests: '7' }, dimensions: { actionType: 'ListBuckets', bucketName: null } },
      ],
    },
    { operations: [{ bucket: '', action: 'ListBuckets', status: 0, requests: 7 }] },
  ],
])('%s', async (_, account, expected) => {
  await using stub = await startStub([answer(account)])
  expect(await stub.client.analytics.r2Day(ACCOUNT, day)).toMatchObject(expected)
})

test('as many rows as were asked for: there may be more', async () => {
  const rows = Array.from({ length: 10_000 }, () => operation)
  await using stub = await startStub([answer({ r2OperationsAdaptiveGroups: rows })])
  expect(await stub.client.analytics.r2Day(ACCOUNT, day)).toMatchObject({ isCutOff: true })
})

const said = (message: string) => ({ data: null, errors: [{ message, path: null }] })

test.each([
  ['not authorized for that account', 403, 'cloudflare-403'],
  ['not authorized for that account', 200, 'cloudflare-403'],
  ['account does not have access to the path', 200, 'cloudflare-403'],
  ['Unauthorized', 200, 'cloudflare-401'],
  ['cannot request data older than 2678400s', 200, 'cloudflare-400'],
  ['unknown field "x"', 400, 'cloudflare-400'],
  ['rate limiter budget depleted, try again after 5 minutes', 200, 'cloudflare-429'],
  ['unable to execute query, please try again later', 200, 'cloudflare-503'],
])('"%s" with status %d is %s', async (message, status, code) => {
  await using stub = await startStub([{ status, text: JSON.stringify(said(message)) }])
  const error = await thrownBy(stub.client.analytics.r2Day(ACCOUNT, day))
  expect(error.code).toBe(code)
  expect(error.message).toContain(message)
})

test('what is busy is asked again; nothing is said of a change', async () => {
  const busy = said('too many queries in progress, please try again later')
  await using stub = await startStub([
    { status: 503, text: JSON.stringify(busy) },
    'reset',
    answer(both),
  ])
  expect((await stub.client.analytics.r2Day(ACCOUNT, day)).operations).toHaveLength(1)
  expect(stub.received).toHaveLength(3)
})

test.each<[string, ReturnType<typeof answer>, string]>([
  [
    'no account',
    answer(undefined, { data: { viewer: { accounts: [] } } }),
    'cloudflare-odd-answer',
  ],
  ['no data', answer(both, { data: null }), 'cloudflare-garbled'],
  ['a page of a proxy', { status: 200, text: '<html>' }, 'cloudflare-garbled'],
  [
    'a row without its sum',
    answer({ r2OperationsAdaptiveGroups: [{ dimensions: operation.dimensions }] }),
    'cloudflare-odd-answer',
  ],
  [
    'a count that is none',
    answer({ r2StorageAdaptiveGroups: [{ ...stored, max: { objectCount: 'many' } }] }),
    'cloudflare-odd-answer',
  ],
])('%s', async (_, reply, code) => {
  await using stub = await startStub([reply])
  expect((await thrownBy(stub.client.analytics.r2Day(ACCOUNT, day))).code).toBe(code)
})
