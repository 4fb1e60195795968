import { request as httpRequest } from 'node:http'
import { crc32 } from 'node:zlib'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { sender, signed, type Wish } from './sign.ts'
import { addBucket, addKey, bucketResource, createStand, startTestFront } from './stand.ts'

const stand = createStand()
addBucket(stand.world, 'media')
const key = addKey(stand.world, { [bucketResource('media')]: '*' })
let front: Front
let silent: Front
const send = sender(key, () => front.url)

beforeAll(async () => {
  front = await startTestFront(stand)
  silent = await startTestFront(stand, 'default', true)
  await stand.pool.start()
}, 30_000)
afterAll(async () => {
  await Promise.all([front.close(), silent.close()])
  await stand.pool.close()
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

test('an object that is XML comes back as it is', async () => {
  const body = '<a><Name>slot-1</Name><Bucket>slot-1</Bucket></a>'
  const headers = { 'content-type': 'application/xml' }
  await send({ method: 'PUT', path: '/media/x.xml', body, headers })
  const response = await fetch(...signed(front.url, { key, path: '/media/x.xml' }))
  expect(await response.text()).toBe(body)
  expect(response.headers.get('access-control-allow-origin')).toBeNull()
})
