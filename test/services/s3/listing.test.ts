import { describe, expect, test } from 'vitest'
import type { S3Port } from '../../../src/services/s3/port.ts'
import { type Received, type Reply, refusal, startS3Stub, thrownBy } from './s3-stub.ts'

interface Page {
  readonly keys: readonly string[]
  readonly next?: string
  readonly encoding?: string
}

function xml({ keys, next, encoding = 'url' }: Page): Reply {
  const contents = keys.map(
    (key) =>
      `<Contents><Key>${key}</Key><LastModified>2026-11-22T10:00:00.000Z</LastModified><ETag>&quot;${'a'.repeat(32)}&quot;</ETag><Size>7</Size></Contents>`,
  )
  const more = next === undefined ? '' : `<NextContinuationToken>${next}</NextContinuationToken>`
  const coded = encoding === '' ? '' : `<EncodingType>${encoding}</EncodingType>`
  return {
    status: 200,
    headers: { 'content-type': 'application/xml' },
    text: `<?xml version="1.0"?><ListBucketResult>${coded}<IsTruncated>${next !== undefined}</IsTruncated>${more}${contents.join('')}</ListBucketResult>`,
  }
}

const paged = (pages: readonly Page[]) => (request: Received) =>
  xml(pages[Number(request.query.get('continuation-token') ?? 0)] ?? { keys: [] })

async function keysOf(client: S3Port, prefix?: string): Promise<string[]> {
  const keys: string[] = []
  for await (const page of client.pages(prefix)) keys.push(...page.map(({ key }) => key))
  return keys
}

describe('pages', () => {
  test('a request for each page, 1,000 keys at most, names encoded', async () => {
    const pages = [{ keys: ['a', 'b'], next: '1' }, { keys: ['c'], next: '2' }, { keys: ['d'] }]
    await using stub = await startS3Stub(paged(pages))
    expect(await keysOf(stub.client, 'x/')).toEqual(['a', 'b', 'c', 'd'])
    expect(stub.received.map(({ query }) => Object.fromEntries(query))).toEqual([
      expect.objectContaining({
        'list-type': '2',
        'max-keys': '1000',
        'encoding-type': 'url',
        prefix: 'x/',
      }),
      expect.objectContaining({ 'continuation-token': '1' }),
      expect.objectContaining({ 'continuation-token': '2' }),
    ])
  })

  test('size, time and an ETag without quotes', async () => {
    await using stub = await startS3Stub(paged([{ keys: ['a'] }]))
    for await (const page of stub.client.pages()) {
      const lastModified = Date.UTC(2026, 10, 22, 10)
      expect(page).toEqual([{ key: 'a', size: 7, etag: 'a'.repeat(32), lastModified }])
    }
    expect(stub.received[0]?.query.has('prefix')).toBe(false)
  })

  test.each([
    ['a%20b+c%2Bd', 'url', 'a b c+d'],
    ['%E3%81%82/%26amp%3B%01', 'url', 'あ/&amp;\u0001'],
    ['100%', 'url', '100%'],
    ['a%20b+c', '', 'a%20b+c'],
    ['1&amp;2', '', '1&2'],
    ['007', 'url', '007'],
    [' a ', '', ' a '],
  ])('%j, encoded as %j', async (sent, encoding, key) => {
    await using stub = await startS3Stub(paged([{ keys: [sent], encoding }]))
    expect(await keysOf(stub.client)).toEqual([key])
  })

  test('a full page is read whole', async () => {
    const keys = Array.from({ length: 1000 }, (_, at) => `media/${at}.png`)
    await using stub = await startS3Stub(paged([{ keys }]))
    expect(await keysOf(stub.client)).toEqual(keys)
  })

  test('prefetches one page, and no more', async () => {
    const pages = [0, 1, 2, 3, 4].map((at) => ({ keys: [`k${at}`], next: String(at + 1) }))
    await using stub = await startS3Stub(paged([...pages, { keys: ['k5'] }]))
    const iterator = stub.client.pages()[Symbol.asyncIterator]()
    await iterator.next()
    await expect.poll(() => stub.received.length).toBe(2)
    await new Promise((resolve) => setTimeout(resolve, 100))
    expect(stub.received).toHaveLength(2)
    await iterator.return?.()
    await new Promise((resolve) => setTimeout(resolve, 50))
    expect(stub.received).toHaveLength(2)
  })

  test('an empty bucket has no page', async () => {
    await using stub = await startS3Stub(paged([{ keys: [] }]))
    expect(await keysOf(stub.client)).toEqual([])
  })

  test('a listing that never ends is refused', async () => {
    await using stub = await startS3Stub(() => xml({ keys: ['a'], next: 'same' }))
    expect(await thrownBy(keysOf(stub.client))).toMatchObject({ code: 's3-damaged' })
    expect(stub.received).toHaveLength(2)
  })

  test('a burst of 503 is overcome, a refusal is told', async () => {
    let bad = 2
    await using stub = await startS3Stub(() =>
      bad-- > 0 ? refusal(503, 'ServiceUnavailable') : xml({ keys: ['a'] }),
    )
    expect(await keysOf(stub.client)).toEqual(['a'])
    await using closed = await startS3Stub(() => refusal(403, 'AccessDenied'))
    expect(await thrownBy(keysOf(closed.client))).toMatchObject({ code: 's3-403' })
  })

  test('Ctrl-C ends the request under way', async () => {
    const stop = new AbortController()
    await using stub = await startS3Stub(({ query }) =>
      query.has('continuation-token') ? 'hang' : xml({ keys: ['a'], next: '1' }),
    )
    const work = async () => {
      for await (const _ of stub.client.pages('', stop.signal)) setTimeout(() => stop.abort(), 20)
    }
    const began = performance.now()
    expect(await thrownBy(work())).toMatchObject({ name: 'Cancelled' })
    expect(performance.now() - began).toBeLessThan(3000)
  })
})

describe('head', () => {
  test('what is stored with an object', async () => {
    await using stub = await startS3Stub(() => ({
      status: 200,
      headers: {
        'content-length': '12',
        etag: '"abc-2"',
        'content-type': 'image/png',
        'cache-control': 'public',
        'content-encoding': 'gzip',
        'x-amz-meta-mtime': '1.5',
      },
    }))
    expect(await stub.client.head('a b.png')).toEqual({
      size: 12,
      etag: 'abc-2',
      contentType: 'image/png',
      cacheControl: 'public',
      contentEncoding: 'gzip',
      metadata: { mtime: '1.5' },
    })
    expect(stub.received).toMatchObject([{ method: 'HEAD', path: '/media/a%20b.png' }])
  })

  test('undefined when it is not there; refusals are told', async () => {
    await using stub = await startS3Stub(() => ({ status: 404 }))
    expect(await stub.client.head('a')).toBeUndefined()
    await using closed = await startS3Stub(() => ({ status: 403 }))
    expect(await thrownBy(closed.client.head('a'))).toMatchObject({ code: 's3-403' })
  })
})
