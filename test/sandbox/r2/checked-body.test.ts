import { Readable, Writable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { describe, expect, test } from 'vitest'
import { type BodyPromise, CheckedBody } from '../../../src/sandbox/r2/body.ts'

/** `hello world`, as computed by Python's zlib and hashlib. */
const pieces = ['hello ', 'wor', 'ld']
const right = {
  'x-amz-checksum-crc32': 'DUoRhQ==',
  'content-md5': 'XrY7u+Ae7tCTyyK7j1rNww==',
  'x-amz-checksum-sha1': 'Kq5sNclPz7QV2+lfQIuc6R7oRu0=',
  'x-amz-checksum-sha256': 'uU0nuZNNPgilLlLX2n2r+sSE7+N6U4DukIj3rOLvzek=',
}
const sha256Hex = 'b94d27b9934d3e08a52e52d7da7dabfac484efe37a5380ee9088f7ace2efcde9'

async function check(sent: Record<string, string>, promise: Partial<BodyPromise> = {}) {
  let seen = ''
  const body = new CheckedBody(
    { length: 11, checksums: () => new Map(Object.entries(sent)), ...promise },
    Object.keys(sent),
  )
  const sink = new Writable({
    write(chunk: Buffer, _encoding, done) {
      seen += chunk.toString()
      done()
    },
  })
  const error = await pipeline(
    Readable.from(pieces.map((piece) => Buffer.from(piece))),
    body,
    sink,
  ).catch((cause: unknown) => cause)
  return { seen, code: (error as { code?: string } | undefined)?.code }
}

describe('CheckedBody', () => {
  test.each([
    ['nothing promised', {}, {}],
    ['every checksum right', right, { sha256Hex }],
    ['a checksum it does not know', { 'x-amz-checksum-crc64nvme': 'whatever' }, {}],
  ])('lets the body through: %s', async (_name, sent, promise) => {
    expect(await check(sent, promise)).toEqual({ seen: 'hello world', code: undefined })
  })

  test.each([
    ['a wrong CRC32', { 'x-amz-checksum-crc32': 'AAAAAA==' }, {}, 'BadDigest'],
    ['a wrong MD5', { 'content-md5': 'AAAAAAAAAAAAAAAAAAAAAA==' }, {}, 'BadDigest'],
    ['an MD5 of the wrong length', { 'content-md5': 'AAAA' }, {}, 'InvalidDigest'],
    ['another SHA-256', {}, { sha256Hex: '0'.repeat(64) }, 'XAmzContentSHA256Mismatch'],
    ['a short body', {}, { length: 12 }, 'IncompleteBody'],
    ['a long body', {}, { length: 10 }, 'InvalidRequest'],
  ])('holds the end back: %s', async (_name, sent, promise, code) => {
    const result = await check(sent as Record<string, string>, promise)
    expect(result.code).toBe(code)
    expect('hello world'.startsWith(result.seen)).toBe(true)
    expect(result.seen.length).toBeLessThan(11)
  })

  test('an announced trailer that never comes is a wrong one', async () => {
    const body = new CheckedBody({ length: 0, checksums: () => new Map() }, [
      'x-amz-checksum-crc32',
    ])
    await expect(pipeline(Readable.from([]), body)).rejects.toMatchObject({ code: 'BadDigest' })
  })
})
