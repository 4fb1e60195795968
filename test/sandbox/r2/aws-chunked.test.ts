import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { AwsChunked } from '../../../src/sandbox/r2/body.ts'

/** The body in pieces of `size` bytes. */
async function unframe(body: string, size = body.length || 1) {
  const bytes = Buffer.from(body)
  const pieces: Buffer[] = []
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size))
  const chunked = new AwsChunked()
  const source = Readable.from(pieces, { objectMode: false })
  const data = await buffer(source.on('error', () => undefined).pipe(chunked))
  return { text: data.toString(), trailers: Object.fromEntries(chunked.trailers) }
}

const two = '5\r\nhello\r\n6;ext=1\r\n, you!\r\n0\r\nX-Amz-Checksum-Crc32: AAAAAA==\r\n\r\n'

describe('AwsChunked', () => {
  test.each([1, 2, 3, 7, 1000])('reads a body that comes in pieces of %i bytes', async (size) => {
    expect(await unframe(two, size)).toEqual({
      text: 'hello, you!',
      trailers: { 'x-amz-checksum-crc32': 'AAAAAA==' },
    })
  })

  test.each([
    ['no data', '0\r\n\r\n', ''],
    ['data that looks like framing', '6\r\n0\r\n\r\n0\r\n0\r\n\r\n', '0\r\n\r\n0'],
    ['no empty line at the end', '1\r\nx\r\n0\r\n', 'x'],
    ['upper-case sizes', 'A\r\n0123456789\r\n0\r\n\r\n', '0123456789'],
  ])('reads %s', async (_name, body, expected) => {
    expect((await unframe(body)).text).toBe(expected)
  })

  test.each([
    ['nothing at all', '', 'IncompleteBody'],
    ['an end inside the data', '5\r\nhel', 'IncompleteBody'],
    ['an end before the last chunk', '1\r\nx\r\n', 'IncompleteBody'],
    ['plain data', 'hello', 'IncompleteBody'],
    ['a size that is none', 'hello\r\n', 'InvalidRequest'],
    ['a chunk longer than announced', '1\r\nxyz\r\n0\r\n\r\n', 'InvalidRequest'],
    ['a trailer without a name', '0\r\nwhat\r\n\r\n', 'InvalidRequest'],
    ['an endless line', '1'.repeat(9000), 'InvalidRequest'],
  ])('refuses %s', async (_name, body, code) => {
    await expect(unframe(body)).rejects.toMatchObject({ code })
  })
})
