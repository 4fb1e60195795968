import { request as httpRequest } from 'node:http'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { presign, sender, signed, type Wish } from './sign.ts'
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
const send = sender(key, () => front.url)

beforeAll(async () => {
  front = await startTestFront(stand)
  eu = await startTestFront(stand, 'eu')
  await stand.pool.start()
}, 30_000)
afterAll(async () => {
  await Promise.all([front.close(), eu.close()])
  await stand.pool.close()
})
beforeEach(() => {
  stand.now = undefined
})

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
