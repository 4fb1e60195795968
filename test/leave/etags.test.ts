import { createHash } from 'node:crypto'
import { expect, test } from 'vitest'
import { compareSides } from '../../src/leave/compare.ts'
import { HOUR, leaving, PICTURE } from './to-s3.ts'

const other = (text: string) => createHash('md5').update(`kms ${text}`).digest('hex')

/** Two buckets that are the same, but for the ETags of the new one. */
async function encrypted(files: number) {
  const world = await leaving()
  const { s3, next, stored, copy } = world
  for (let nth = 0; nth < files; nth += 1)
    stored(s3, `accounts/avatars/${1000 + nth}/a.png`, `picture ${nth}`, 10 * HOUR)
  await copy()
  for (const [key, object] of next.objects)
    next.objects.set(key, { ...object, etag: other(key), lastModified: 10 * HOUR })
  const compare = () => compareSides(world.at, { checksum: true }).look({ facts: {} })
  const reads = () => next.calls.filter((call) => call.startsWith('get ')).length
  return { ...world, compare, reads }
}

test('ETags that are no MD5 (SSE-KMS of AWS): a few are read, the rest by sizes, which is said', async () => {
  const { compare, reads, runs, copy } = await encrypted(60)
  expect(await compare()).toMatchObject({
    is: 'ready',
    note: expect.stringMatching(/^contents are equal: 20 files, .*; sizes only: 43 files, /),
    warnings: [expect.stringContaining('contents of 43 files could not be compared')],
  })
  expect(reads()).toBe(20)
  const before = runs.length
  await copy()
  expect(runs.length).toBe(before)
})

test('of those that are read a difference is seen', async () => {
  const { next, compare, stored } = await encrypted(3)
  stored(next, PICTURE, 'erutcip', 20 * HOUR)
  const compared = await compare()
  expect(compared).toMatchObject({
    is: 'blocked',
    problem: { why: expect.stringContaining('1 not the same') },
  })
  // No copy would replace it.
  expect(String(compared.is === 'blocked' && compared.problem.next)).not.toContain('stage copy')
})

test('where they are the MD5 a difference is one, however many there are', async () => {
  const { s3, next, stored, copy, at } = await leaving()
  const keys = Array.from({ length: 40 }, (_, nth) => `accounts/avatars/${1000 + nth}/a.png`)
  for (const key of keys) stored(s3, key, 'picture', 10 * HOUR)
  await copy()
  for (const key of keys) stored(next, key, 'erutcip', 20 * HOUR)
  expect(await compareSides(at, { checksum: true }).look({ facts: {} })).toMatchObject({
    problem: { why: expect.stringContaining('40 not the same') },
  })
})

test('uploaded in parts of other sizes: by size, and said', async () => {
  const { at, s3, next, stored, copy } = await leaving()
  stored(s3, PICTURE, 'picture')
  await copy()
  const object = s3.objects.get(PICTURE)
  if (object) s3.objects.set(PICTURE, { ...object, etag: `${other('parts')}-2` })
  expect(next.objects.has(PICTURE)).toBe(true)
  expect(await compareSides(at, { checksum: true }).look({ facts: {} })).toMatchObject({
    is: 'ready',
    note: expect.stringMatching(/^contents are equal: 2 files, .*; sizes only: 1 file, /),
  })
})
