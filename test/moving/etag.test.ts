import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { hasEtag, partSizes, sameEtag } from '../../src/moving/content.ts'

const MIB = 1_048_576
const md5 = (data: Uint8Array) => createHash('md5').update(data).digest()
const body = (size: number) => Buffer.alloc(size, 'media ').fill(7, size - 1)

function inParts(data: Buffer, part: number): string {
  const sums: Buffer[] = []
  for (let at = 0; at < data.length; at += part) sums.push(md5(data.subarray(at, at + part)))
  return `${md5(Buffer.concat(sums)).toString('hex')}-${sums.length}`
}

/** In pieces that fit no part. */
async function* pieces(data: Buffer) {
  for (let at = 0; at < data.length; at += 777_777) yield data.subarray(at, at + 777_777)
}

const check = (data: Buffer, etag: string) => hasEtag(pieces(data), { etag, size: data.length })

/** Other contents are known to differ where the parts may be those of rclone and Mastodon. */
test.each<[string, number, (data: Buffer) => string, changed: false | undefined]>([
  ['an MD5', 1000, (data) => md5(data).toString('hex'), false],
  ['an MD5 in capitals', 1000, (data) => md5(data).toString('hex').toUpperCase(), false],
  ['nothing at all', 0, (data) => md5(data).toString('hex'), false],
  ['5 MiB parts', 16 * MIB + 5, (data) => inParts(data, 5 * MIB), false],
  ['8 MiB parts', 17 * MIB, (data) => inParts(data, 8 * MIB), undefined],
  ['parts that fit exactly', 15 * MIB, (data) => inParts(data, 5 * MIB), false],
  ['one part', 3 * MIB, (data) => inParts(data, 5 * MIB), false],
  ['16 MiB parts', 33 * MIB, (data) => inParts(data, 16 * MIB), undefined],
])('%s', async (_, size, etagOf, changed) => {
  const data = size === 0 ? Buffer.alloc(0) : body(size)
  const etag = etagOf(data)
  expect(await check(data, etag)).toBe(true)
  if (size === 0) return
  data[10] = 99
  expect(await check(data, etag)).toBe(changed)
})

test.each([
  ['not an MD5', 'x'.repeat(32)],
  ['nothing', ''],
  ['parts smaller than S3 takes', `${'0'.repeat(32)}-900`],
])('%s can not be told', async (_, etag) => {
  expect(await check(body(10 * MIB), etag)).toBeUndefined()
})

test.each([
  [10 * MIB, 2, [5, 6, 7, 8, 9]],
  [10 * MIB, 3, []],
  [10 * MIB, 0, []],
  [4_000 * MIB, 2, []],
  [300 * MIB, 60, [5]],
])('%d bytes in %d parts', (size, parts, sizes) => {
  const told = partSizes(size, parts)
  expect(told).toEqual(sizes.map((mib) => mib * MIB))
})

test('where many sizes would fit, the usual ones are tried', () => {
  expect(partSizes(100 * MIB, 2)).toEqual([50, 64].map((mib) => mib * MIB))
})

test.each([
  ['a'.repeat(32), 'A'.repeat(32), true],
  ['a'.repeat(32), 'b'.repeat(32), false],
  [`${'a'.repeat(32)}-2`, `${'a'.repeat(32)}-2`, true],
  [`${'a'.repeat(32)}-2`, `${'b'.repeat(32)}-2`, undefined],
  [`${'a'.repeat(32)}-2`, 'b'.repeat(32), undefined],
  ['', 'b'.repeat(32), undefined],
])('%s and %s', (one, other, told) => {
  expect(sameEtag(one, other)).toBe(told)
})
