import { request as httpRequest } from 'node:http'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { presign, signed, type Wish } from './sign.ts'
import {
  addBucket,
  addKey,
  bucketResource,
  createStand,
  ITEM_READ,
  startTestFront,
} from './stand.ts'

const stand = createStand()
const { world } = stand
addBucket(world, 'media')
addBucket(world, 'media', { jurisdiction: 'eu' })
addBucket(world, 'unpaid', { accountId: 'b'.repeat(32) })
world.accounts.push({ id: 'b'.repeat(32), name: 'No R2', r2Enabled: false })
const resources = { [bucketResource('media')]: '*' }
const key = addKey(world, resources)
const reader = addKey(world, resources, ITEM_READ)
const unpaid = addKey(world, {
  [`com.cloudflare.edge.r2.bucket.${'b'.repeat(32)}_default_unpaid`]: '*',
})
let front: Front
let eu: Front
let silent: Front

beforeAll(async () => {
  front = await startTestFront(stand)
  eu = await startTestFront(stand, 'eu')
  silent = await startTestFront(stand, 'default', true)
  await stand.pool.start()
}, 30_000)
afterAll(async () => {
  await Promise.all([front.close(), eu.close(), silent.close()])
  await stand.pool.close()
})
beforeEach(() => {
  stand.now = undefined
  stand.faults.clear()
})

/** Sends a signed request and gives status and, of an error, its code. */
async function send(wish: Wish, base = front.url) {
  const response = await fetch(...signed(base, { key, ...wish }))
  const body = await response.text()
  return { status: response.status, code: /<Code>(\w+)/.exec(body)?.[1], body }
}

describe('refusals', () => {
  const minutes = 60_000
  const disabled = addKey(world, resources, undefined, { status: 'disabled' })
  const expired = addKey(world, resources, undefined, { expiresOn: '2020-01-01T00:00:00Z' })
  const fresh = addKey(world, resources, undefined, { issuedAt: Date.now() + 60 * minutes })
  const elsewhere = addKey(world, resources, undefined, {
    condition: { request_ip: { in: ['203.0.113.7/32'] } },
  })
  const stranger = { ...key, credentials: { ...key.credentials, accessKeyId: 'f'.repeat(32) } }
  const liar = { ...key, credentials: { ...key.credentials, secretAccessKey: '0'.repeat(64) } }

  test.each<[string, Wish, number, string]>([
    ['an unknown key', { key: stranger }, 401, 'Unauthorized'],
    ['a wrong secret', { key: liar }, 403, 'SignatureDoesNotMatch'],
    ['a disabled key', { key: disabled }, 401, 'Unauthorized'],
    ['an expired key', { key: expired }, 401, 'Unauthorized'],
    ['a key that has not spread yet', { key: fresh }, 401, 'Unauthorized'],
    ['a key for another address', { key: elsewhere }, 403, 'AccessDenied'],
    ['a clock 16 minutes slow', { skew: -16 * minutes }, 403, 'RequestTimeTooSkewed'],
    ['a clock 16 minutes fast', { skew: 16 * minutes }, 403, 'RequestTimeTooSkewed'],
    ['a bucket that is not there', { path: '/nowhere/x' }, 404, 'NoSuchBucket'],
    ['an object that is not there', { path: '/media/nothing' }, 404, 'NoSuchKey'],
    ['a new bucket', { method: 'PUT', path: '/fresh' }, 403, 'AccessDenied'],
    ['deleting the bucket', { method: 'DELETE', path: '/media' }, 403, 'AccessDenied'],
    ['the list of buckets', { path: '/' }, 403, 'AccessDenied'],
    ['writing with a reader’s key', { key: reader, method: 'PUT' }, 403, 'AccessDenied'],
    ['deleting with a reader’s key', { key: reader, method: 'DELETE' }, 403, 'AccessDenied'],
    ['an account without R2', { key: unpaid, path: '/unpaid/x' }, 403, 'NotEntitled'],
    ['a broken address', { path: '/media/%zz' }, 400, 'InvalidArgument'],
    [
      'signed chunks',
      { method: 'PUT', payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD' },
      501,
      'NotImplemented',
    ],
    [
      'signed chunks with a trailer',
      { method: 'PUT', payload: 'STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER' },
      501,
      'NotImplemented',
    ],
    [
      'unknown grants',
      { method: 'PUT', headers: { 'x-amz-tagging': 'a=b' } },
      501,
      'NotImplemented',
    ],
    ['an unknown ACL', { method: 'PUT', headers: { 'x-amz-acl': 'mine' } }, 501, 'NotImplemented'],
    ['the CORS rules', { path: '/media', query: { cors: '' } }, 501, 'NotImplemented'],
    ['a range that is none', { headers: { range: 'bytes=x-' } }, 400, 'InvalidArgument'],
  ])('%s', async (_name, wish, status, code) => {
    expect(await send(wish)).toMatchObject({ status, code })
  })

  test.each<[string, Record<string, string>, number, string]>([
    ['nothing', {}, 400, 'InvalidArgument'],
    ['signature version 2', { authorization: 'AWS id:signature' }, 400, 'InvalidRequest'],
    ['half a header', { authorization: 'AWS4-HMAC-SHA256 Credential=x' }, 400, 'InvalidRequest'],
  ])('authorization by %s', async (_name, headers, status, code) => {
    const rest = headers.authorization
      ? { 'x-amz-content-sha256': 'UNSIGNED-PAYLOAD', 'x-amz-date': '20260101T000000Z' }
      : {}
    const response = await fetch(`${front.url}/media/x`, { headers: { ...headers, ...rest } })
    expect(response.status).toBe(status)
    expect(await response.text()).toContain(`<Code>${code}</Code>`)
  })

  test.each(['/media/a/../b', '/media/%2e%2e/other/b', '/media/.'])(
    'climbing out of the bucket by %s',
    async (path) => {
      const [, init] = signed(front.url, { key, path })
      const status = await new Promise((resolve, reject) => {
        httpRequest(front.url, { path, headers: init.headers })
          .on('response', (answer) => resolve(answer.statusCode))
          .on('error', reject)
          .end()
      })
      expect(status).toBe(400)
    },
  )

  test('secrets are in no answer', async () => {
    const { body } = await send({ key: liar })
    expect(body).not.toContain(key.credentials.secretAccessKey)
    expect(body).not.toContain(key.token.value)
  })
})

test('a new key works once it has spread', async () => {
  world.delays.keyMs = 1000
  const now = Date.now()
  const minted = addKey(world, resources, undefined, { issuedAt: now })
  stand.now = now + 999
  const before = await send({ key: minted, path: '/media' })
  stand.now = now + 1000
  const after = await send({ key: minted, path: '/media' })
  world.delays.keyMs = 0
  expect([before.status, after.status]).toEqual([401, 200])
})

test('each jurisdiction sees its own bucket only', async () => {
  expect(await send({ path: '/media' }, eu.url)).toMatchObject({ status: 403 })
  const euKey = addKey(world, { [bucketResource('media', 'eu')]: '*' })
  const put = { key: euKey, method: 'PUT', path: '/media/where', body: 'eu' }
  expect((await send(put, eu.url)).status).toBe(200)
  expect(await send({ path: '/media/where' })).toMatchObject({ status: 404, code: 'NoSuchKey' })
})

describe('presigned addresses', () => {
  test('open an object until they expire', async () => {
    await send({ method: 'PUT', path: '/media/gift', body: 'for you' })
    const url = presign(front.url, { key, path: '/media/gift', expires: 60 })
    const first = await fetch(url)
    expect([first.status, await first.text()]).toEqual([200, 'for you'])
    stand.now = Date.now() + 61_000
    const late = await fetch(url)
    expect(late.status).toBe(403)
    expect(await late.text()).toContain('ExpiredRequest')
    expect(JSON.stringify(stand.entries)).not.toContain('X-Amz-Signature')
  })

  test('are refused when touched', async () => {
    const url = presign(front.url, { key, path: '/media/gift', expires: 60 })
    const other = await fetch(url.replace('/gift', '/other'))
    expect(other.status).toBe(403)
    const tooLong = await fetch(presign(front.url, { key, path: '/media/x', expires: 700_000 }))
    expect(tooLong.status).toBe(400)
  })
})

describe('bodies', () => {
  const crc = (data: string) => {
    const bytes = Buffer.alloc(4)
    bytes.writeUInt32BE(crc32(data))
    return bytes.toString('base64')
  }
  const chunked = (data: string, checksum: string): Wish => ({
    method: 'PUT',
    payload: 'STREAMING-UNSIGNED-PAYLOAD-TRAILER',
    headers: {
      'content-encoding': 'aws-chunked',
      'x-amz-decoded-content-length': String(data.length),
      'x-amz-trailer': 'x-amz-checksum-crc32',
    },
    body: `${data.length.toString(16)}\r\n${data}\r\n0\r\nx-amz-checksum-crc32:${checksum}\r\n\r\n`,
  })

  test('are stored without their framing', async () => {
    const put = await send({ ...chunked('hello', crc('hello')), path: '/media/chunked' })
    expect(put.status).toBe(200)
    expect((await send({ path: '/media/chunked' })).body).toBe('hello')
  })

  test.each<[string, Wish, string]>([
    ['a wrong CRC32 trailer', chunked('hello', crc('other')), 'BadDigest'],
    [
      'a wrong CRC32 header',
      { method: 'PUT', body: 'hello', headers: { 'x-amz-checksum-crc32': crc('other') } },
      'BadDigest',
    ],
    [
      'a wrong MD5',
      { method: 'PUT', body: 'hello', headers: { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' } },
      'BadDigest',
    ],
    [
      'another hash',
      { method: 'PUT', body: 'x', payload: '0'.repeat(64) },
      'XAmzContentSHA256Mismatch',
    ],
  ])('with %s are refused and nothing is stored', async (name, wish, code) => {
    const path = `/media/refused-${encodeURIComponent(name)}`
    expect(await send({ ...wish, path })).toMatchObject({ status: 400, code })
    expect((await send({ path })).status).toBe(404)
  })

  test('of unknown length are refused', async () => {
    const [url, init] = signed(front.url, { key, method: 'PUT', path: '/media/x' })
    const status = await new Promise((resolve, reject) => {
      const request = httpRequest(url, { method: 'PUT', headers: init.headers })
      request.on('response', (answer) => resolve(answer.statusCode)).on('error', reject)
      request.write('some')
      request.end('thing')
    })
    expect(status).toBe(411)
  })

  test.each([
    ['is told to go on', () => front.url, true],
    ['hears nothing, as at R2', () => silent.url, false],
  ])('a client that asks whether to continue %s', async (name, base, expected) => {
    const path = `/media/continue-${encodeURIComponent(name)}`
    const [url, init] = signed(base(), { key, method: 'PUT', path, body: 'hello' })
    let told = false
    const answer = await new Promise<number | undefined>((resolve, reject) => {
      const headers = { ...init.headers, expect: '100-continue', 'content-length': 5 }
      const request = httpRequest(url, { method: 'PUT', headers })
      request.on('continue', () => {
        told = true
        request.end('hello')
      })
      request.on('response', ({ statusCode }) => resolve(statusCode)).on('error', reject)
      request.flushHeaders()
      if (!expected) request.end('hello')
    })
    expect([answer, told]).toEqual([200, expected])
    expect((await send({ path })).body).toBe('hello')
  })
})

describe('faults', () => {
  const put = { method: 'PUT', path: '/media/fault', body: 'hello' }

  test('status comes with R2’s code and the wished headers, once', async () => {
    stand.faults.add({ side: 's3', kind: 'status', status: 503, headers: { 'retry-after': '1' } })
    const response = await fetch(...signed(front.url, { key, ...put }))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.text()).toContain('<Code>ServiceUnavailable</Code>')
    expect((await send(put)).status).toBe(200)
  })

  test('reset', async () => {
    stand.faults.add({ side: 's3', kind: 'reset', method: 'DELETE' })
    await expect(send({ ...put, method: 'DELETE', body: undefined })).rejects.toThrow()
    expect(stand.entries.at(-1)).toMatchObject({ side: 's3', method: 'DELETE', status: 'reset' })
    expect((await send({ path: put.path })).status).toBe(200)
  })

  test('applied-then-reset', async () => {
    stand.faults.add({ side: 's3', kind: 'applied-then-reset', path: 'applied' })
    await expect(send({ ...put, path: '/media/applied' })).rejects.toThrow()
    expect((await send({ path: '/media/applied' })).body).toBe('hello')
  })

  test('malformed', async () => {
    stand.faults.add({ side: 's3', kind: 'malformed' })
    const answer = await send({ path: '/media', query: { 'list-type': '2' } })
    expect(answer.status).toBe(200)
    expect(answer.body).not.toMatch(/>$/)
  })

  test('hang ends with the server', async () => {
    const own = await startTestFront(stand)
    stand.faults.add({ side: 's3', kind: 'hang', path: 'hang' })
    const hanging = fetch(...signed(own.url, { key, path: '/media/hang' }))
    hanging.catch(() => undefined)
    await expect.poll(() => stand.entries.at(-1)?.status).toBe('hang')
    await own.close()
    await expect(hanging).rejects.toThrow()
  })
})

test('the log names requests, not secrets', async () => {
  await send({ path: '/media', query: { 'list-type': '2', prefix: 'a' } })
  expect(stand.entries.at(-1)).toEqual({
    at: expect.any(Number),
    side: 's3',
    method: 'GET',
    path: '/media?list-type=2&prefix=a',
    status: 200,
  })
})

test('an object that is XML comes back as it is', async () => {
  const body = '<a><Name>slot-1</Name><Bucket>slot-1</Bucket></a>'
  const headers = { 'content-type': 'application/xml' }
  await send({ method: 'PUT', path: '/media/x.xml', body, headers })
  const response = await fetch(...signed(front.url, { key, path: '/media/x.xml' }))
  expect(await response.text()).toBe(body)
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})
