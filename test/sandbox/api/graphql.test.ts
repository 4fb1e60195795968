import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { noteOperation, operationOf } from '../../../src/sandbox/analytics.ts'
import { type ApiUnderTest, apiUnderTest } from './api-under-test.ts'

let at: ApiUnderTest
beforeAll(async () => {
  at = await apiUnderTest({}, { listObjects: async () => objects })
  await at.call('POST', `/accounts/${at.account}/r2/buckets`, { body: { name: 'media' } })
})
afterAll(() => at.api.close())

const objects = ['a', 'b'].map((key) => ({ key, size: 40, etag: 'e', uploadedAt: 0 }))
const from = '2026-11-22T00:00:00Z'
const to = '2026-11-22T23:59:59Z'

/** The query as Cloudflare's docs give it, with other words in one place. */
const query = ({ rows = 'r2OperationsAdaptiveGroups', limit = '10000', filter = '' } = {}) => {
  const [values, dimensions] = rows.startsWith('r2Storage')
    ? ['max { objectCount uploadCount payloadSize metadataSize }', 'datetime']
    : ['sum { requests }', 'actionType']
  return `query Example($accountTag: string!, $startDate: Time, $endDate: Time) {
    viewer {
      accounts(filter: { accountTag: $accountTag }) {
        ${rows}(limit: ${limit}, filter: {
          datetime_geq: $startDate
          datetime_leq: $endDate
          ${filter}
        }, orderBy: [datetime_DESC]) { ${values} dimensions { ${dimensions} } }
      }
    }
  }`
}

async function ask(text: string, variables: object = {}, token?: string | null) {
  const all = { accountTag: at.account, startDate: from, endDate: to, ...variables }
  const body = { query: text, variables: all }
  const sent = token === undefined ? { body } : { body, token }
  const { status, body: told } = await at.call('POST', '/graphql', sent)
  return { status, data: told.data?.viewer.accounts[0], message: told.errors?.[0]?.message }
}

describe('as the docs have it', () => {
  test('operations by their type', async () => {
    const [bucket] = at.world.buckets
    if (!bucket) throw new Error('There is no bucket.')
    for (const status of [200, 404]) {
      for (let count = 0; count < 3; count += 1) {
        noteOperation(at.world, bucket, { action: 'GetObject', status, at: at.time.now })
      }
    }
    expect(at.world.analytics.operations).toHaveLength(2)
    const { status, data } = await ask(query())
    expect(status).toBe(200)
    expect(data.r2OperationsAdaptiveGroups).toEqual([
      { sum: { requests: 6 }, dimensions: { actionType: 'GetObject' } },
    ])
    const missed = await ask(query({ filter: 'responseStatusCode: 404' }))
    expect(missed.data.r2OperationsAdaptiveGroups[0].sum).toEqual({ requests: 3 })
    const before = { startDate: '2026-11-20T00:00:00Z', endDate: '2026-11-20T23:59:59Z' }
    expect((await ask(query(), before)).data.r2OperationsAdaptiveGroups).toEqual([])
  })

  test('storage as it is now, the latest first', async () => {
    const { data } = await ask(query({ rows: 'r2StorageAdaptiveGroups' }))
    expect(data.r2StorageAdaptiveGroups).toEqual([
      {
        max: { objectCount: 2, uploadCount: 0, payloadSize: 80, metadataSize: 0 },
        dimensions: { datetime: '2026-11-22T12:00:00Z' },
      },
    ])
  })
})

test.each<[string, () => ReturnType<typeof ask>, number, RegExp]>([
  ['no token', () => ask(query(), {}, null), 401, /^Unauthorized$/],
  ['another account', () => ask(query(), { accountTag: '0'.repeat(32) }), 403, /^not authorized/],
  [
    'older than it is kept',
    () => ask(query(), { startDate: '2026-10-01T00:00:00Z' }),
    400,
    /^cannot request data older than 2678400s$/,
  ],
  ['too many rows', () => ask(query({ limit: '10001' })), 400, /^limit must be positive/],
  ['no rows', () => ask(query({ limit: '0' })), 400, /^limit must be positive/],
  ['an unknown dataset', () => ask(query({ rows: 'r2Nothing' })), 400, /unknown field/],
  ['an unknown filter', () => ask(query({ filter: 'colour: "red"' })), 400, /unknown field/],
  ['half a query', () => ask('query { viewer {'), 400, /query contains error/],
  ['no query', () => ask(''), 400, /query contains error/],
])('%s is refused', async (_, asking, status, message) => {
  const told = await asking()
  expect(told.status).toBe(status)
  expect(told.message).toMatch(message)
  expect(told.data).toBeUndefined()
})

test.each<[string, string | undefined, [string, string][], string]>([
  ['GET', undefined, [['list-type', '2']], 'ListObjects'],
  ['GET', undefined, [['uploads', '']], 'ListMultipartUploads'],
  ['HEAD', undefined, [], 'HeadBucket'],
  ['POST', undefined, [['delete', '']], 'DeleteObject'],
  ['GET', 'a', [], 'GetObject'],
  ['HEAD', 'a', [], 'HeadObject'],
  ['PUT', 'a', [], 'PutObject'],
  ['PUT', 'a', [['uploadId', 'u']], 'UploadPart'],
  ['POST', 'a', [['uploads', '']], 'CreateMultipartUpload'],
  ['POST', 'a', [['uploadId', 'u']], 'CompleteMultipartUpload'],
  ['DELETE', 'a', [['uploadId', 'u']], 'AbortMultipartUpload'],
  ['DELETE', 'a', [], 'DeleteObject'],
])('%s of %s with %j is %s', (method, key, queries, action) => {
  expect(operationOf({ method, key, query: queries, headers: new Map() })).toBe(action)
})
