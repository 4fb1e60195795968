import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { crc32 } from 'node:zlib'
import { afterEach, expect, test, vi } from 'vitest'
import type { S3Port } from '../../../src/services/s3/port.ts'
import { type Received, type Reply, refusal, SECRET, startS3Stub } from './s3-stub.ts'

const wish = { contentType: 'image/png', cacheControl: 'public, max-age=315576000, immutable' }
const text = new TextEncoder().encode('hello')

/** Enough of S3 for one multipart upload; every other request is fine and empty. */
function bucket(request: Received): Reply {
  const { method, query } = request
  if (method === 'POST' && query.has('uploads')) {
    return {
      status: 200,
      text: '<InitiateMultipartUploadResult><UploadId>u1</UploadId></InitiateMultipartUploadResult>',
    }
  }
  if (method === 'POST' && query.has('uploadId')) {
    return {
      status: 200,
      text: '<CompleteMultipartUploadResult><ETag>"e-2"</ETag></CompleteMultipartUploadResult>',
    }
  }
  if (method === 'POST' && query.has('delete')) {
    return { status: 200, text: '<DeleteResult></DeleteResult>' }
  }
  if (method === 'PUT') return { status: 200, headers: { etag: '"e"' } }
  return { status: method === 'DELETE' ? 204 : 200 }
}

afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

test('says nothing on screen, on Node 20 either', async () => {
  const warned = vi.spyOn(process, 'emitWarning')
  const printed = (['log', 'info', 'warn', 'error'] as const).map((level) =>
    vi.spyOn(console, level),
  )
  await using stub = await startS3Stub(bucket)
  await stub.client.put('a.png', text, wish)
  expect([warned, ...printed].map(({ mock }) => mock.calls)).toEqual([[], [], [], [], []])
})

test('puts as Mastodon does: path style, its headers, no ACL, no checksum unless told', async () => {
  await using stub = await startS3Stub(bucket)
  await stub.client.put('accounts/a b.png', text, wish)
  const [put] = stub.received
  expect(put).toMatchObject({ method: 'PUT', path: '/media/accounts/a%20b.png' })
  expect(put?.headers).toMatchObject({
    'content-type': 'image/png',
    'cache-control': wish.cacheControl,
    'content-length': '5',
  })
  const names = Object.keys(put?.headers ?? {})
  expect(names.filter((name) => /acl|checksum|expect|trailer|encoding/.test(name))).toEqual([])
  expect(put?.body.toString()).toBe('hello')
})

test('puts with a CRC32 where told', async () => {
  await using stub = await startS3Stub(bucket)
  await stub.client.put('a.png', text, { ...wish, checksum: 'CRC32' })
  const sum = Buffer.alloc(4)
  sum.writeUInt32BE(crc32(text))
  expect(stub.received[0]?.headers['x-amz-checksum-crc32']).toBe(sum.toString('base64'))
  expect(stub.received[0]?.headers['content-encoding']).toBeUndefined()
})

test('an upload of any size does not wait for 100 Continue', async () => {
  await using stub = await startS3Stub(bucket)
  stub.server.on('checkContinue', () => {})
  await stub.client.put('big.bin', new Uint8Array(3_000_000), wish)
  await stub.client.putMultipart('big.bin', new Uint8Array(6_000_000), wish)
  expect(stub.received.filter(({ headers }) => headers.expect !== undefined)).toEqual([])
  expect(stub.received[0]?.body).toHaveLength(3_000_000)
})

test.each([
  ['CRC32', { ...wish, checksum: 'CRC32' } as const],
  ['no checksum', wish],
])('sends parts of 5 MiB, the last one smaller, with %s', async (_, options) => {
  await using stub = await startS3Stub(bucket)
  const body = new Uint8Array(5 * 1024 * 1024 + 10).fill(7)
  await stub.client.putMultipart('video.mp4', body, options)
  // Parts are under way at the same time, and arrive in any order.
  const nth = ({ query }: Received) =>
    Number(query.get('partNumber') ?? (query.has('uploads') ? 0 : 9))
  const [begin, ...rest] = stub.received.toSorted((a, b) => nth(a) - nth(b))
  expect(begin?.headers).toMatchObject({
    'content-type': 'image/png',
    'cache-control': wish.cacheControl,
  })
  expect(rest.map(({ body }) => body.length).slice(0, 2)).toEqual([5 * 1024 * 1024, 10])
  expect(rest.map(({ query }) => query.get('partNumber'))).toEqual(['1', '2', null])
  const hasSums = rest.slice(0, 2).map(({ headers }) => 'x-amz-checksum-crc32' in headers)
  expect(hasSums).toEqual([options !== wish, options !== wish])
  expect(rest[2]?.body.toString()).toMatch(/<PartNumber>1<.*<PartNumber>2</s)
})

test.each([
  ['a part fails', (request: Received) => request.query.get('partNumber') === '2'],
  [
    'the completion fails',
    (request: Received) => request.method === 'POST' && request.query.has('uploadId'),
  ],
])('aborts a multipart upload when %s', async (_, fails) => {
  await using stub = await startS3Stub((request) =>
    fails(request) ? refusal(403, 'AccessDenied') : bucket(request),
  )
  const body = new Uint8Array(5 * 1024 * 1024 + 10)
  await expect(stub.client.putMultipart('video.mp4', body, wish)).rejects.toMatchObject({
    code: 's3-403',
  })
  expect(stub.received.at(-1)).toMatchObject({ method: 'DELETE' })
  expect(stub.received.at(-1)?.query.get('uploadId')).toBe('u1')
})

test('an abort that fails does not hide why the upload failed', async () => {
  await using stub = await startS3Stub((request) => {
    if (request.method === 'DELETE') return refusal(404, 'NoSuchUpload')
    return request.method === 'PUT' ? refusal(401, 'Unauthorized') : bucket(request)
  })
  const upload = stub.client.putMultipart('video.mp4', new Uint8Array(10), wish)
  await expect(upload).rejects.toMatchObject({ code: 's3-401' })
})

test('gets a range with checksum mode off', async () => {
  await using stub = await startS3Stub(() => ({
    status: 206,
    text: 'ell',
    headers: { 'content-type': 'image/png', 'cache-control': 'x', 'content-range': 'bytes 1-3/5' },
  }))
  const object = await stub.client.get('a.png', { range: 'bytes=1-3' })
  expect({ ...object, body: Buffer.from(object.body).toString() }).toEqual({
    status: 206,
    body: 'ell',
    contentType: 'image/png',
    cacheControl: 'x',
  })
  expect(stub.received[0]?.headers.range).toBe('bytes=1-3')
  expect(stub.received[0]?.headers['x-amz-checksum-mode']).toBeUndefined()
})

test('lists keys', async () => {
  const listed = ['p/a', 'p/b &amp; c'].map((key) => `<Contents><Key>${key}</Key></Contents>`)
  await using stub = await startS3Stub(() => ({
    status: 200,
    text: `<ListBucketResult>${listed.join('')}</ListBucketResult>`,
  }))
  expect(await stub.client.list('p/', 10)).toEqual(['p/a', 'p/b & c'])
  expect(Object.fromEntries(stub.received[0]?.query ?? [])).toMatchObject({
    'list-type': '2',
    prefix: 'p/',
    'max-keys': '10',
  })
})

test('deletes many keys in thousands', async () => {
  await using stub = await startS3Stub(bucket)
  await stub.client.deleteMany(Array.from({ length: 1001 }, (_, index) => `k${index}`))
  const counts = stub.received.map(({ body }) => body.toString().split('<Key>').length - 1)
  expect(counts).toEqual([1000, 1])
})

test.each([
  ['AccessDenied', 's3-403'],
  ['InternalError', 's3-not-deleted'],
])('a key that was not deleted (%s) is a problem', async (code, expected) => {
  const text = `<DeleteResult><Error><Key>k1</Key><Code>${code}</Code><Message>m</Message></Error></DeleteResult>`
  await using stub = await startS3Stub(() => ({ status: 200, text }))
  const work = stub.client.deleteMany(['k1', 'k2'])
  await expect(work).rejects.toMatchObject({ code: expected, why: expect.stringContaining('k1') })
})

test('tells of every attempt, without a secret', async () => {
  const replies: Reply[] = [{ status: 503 }, { status: 200 }]
  await using stub = await startS3Stub(() => replies.shift() ?? { status: 500 })
  await stub.client.headBucket()
  expect(stub.calls).toEqual([
    { method: 'HEAD', path: '/media/', status: 503, ms: expect.any(Number), rayId: '8f0-FRA' },
    { method: 'HEAD', path: '/media/', status: 200, ms: expect.any(Number), rayId: '8f0-FRA' },
  ])
  expect(JSON.stringify(stub.calls)).not.toContain(SECRET)
})

test('nothing of the AWS environment is used', async () => {
  const home = await mkdtemp(join(tmpdir(), 's3-client-'))
  const config = join(home, 'config')
  await writeFile(
    config,
    '[default]\nendpoint_url = http://127.0.0.1:9\nregion = mars\nmax_attempts = 9\ns3 =\n  addressing_style = virtual\n[profile odd]\nregion = moon\n',
  )
  const poison = {
    HOME: home,
    AWS_CONFIG_FILE: config,
    AWS_SHARED_CREDENTIALS_FILE: config,
    AWS_PROFILE: 'odd',
    AWS_REGION: 'mars',
    AWS_ACCESS_KEY_ID: 'stranger',
    AWS_SECRET_ACCESS_KEY: 'stranger',
    AWS_SESSION_TOKEN: 'stranger',
    AWS_ENDPOINT_URL: 'http://127.0.0.1:9',
    AWS_ENDPOINT_URL_S3: 'http://127.0.0.1:9',
    AWS_CA_BUNDLE: '/nowhere',
    AWS_MAX_ATTEMPTS: '1',
    AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_SUPPORTED',
    AWS_RESPONSE_CHECKSUM_VALIDATION: 'WHEN_SUPPORTED',
    AWS_USE_FIPS_ENDPOINT: 'true',
    AWS_USE_DUALSTACK_ENDPOINT: 'true',
    AWS_SDK_UA_APP_ID: 'stranger',
    AWS_DEFAULTS_MODE: 'nonsense',
    AWS_RETRY_MODE: 'adaptive',
  }
  for (const [name, value] of Object.entries(poison)) vi.stubEnv(name, value)
  let first = true
  await using stub = await startS3Stub((request) => {
    if (!first) return bucket(request)
    first = false
    return { status: 503 }
  })
  const everything: ((client: S3Port) => Promise<unknown>)[] = [
    (client) => client.headBucket(),
    (client) => client.put('a', text, wish),
    (client) => client.putMultipart('a', text, wish),
    (client) => client.get('a'),
    (client) => client.list('', 1),
    (client) => client.delete('a'),
    (client) => client.deleteMany(['a']),
  ]
  for (const work of everything) await work(stub.client)
  await rm(home, { recursive: true })
  expect(stub.received).toHaveLength(10)
  for (const { headers, path } of stub.received) {
    expect(headers.authorization).toMatch(/Credential=a{32}\/\d{8}\/auto\/s3\/aws4_request/)
    expect(headers['x-amz-security-token']).toBeUndefined()
    expect(headers['user-agent']).toMatch(/^mastodon-r2/)
    expect(JSON.stringify(headers)).not.toContain('stranger')
    expect(path.startsWith('/media')).toBe(true)
  }
})
