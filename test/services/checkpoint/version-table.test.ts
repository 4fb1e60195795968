import { expect, test } from 'vitest'
import { VersionTable } from '../../../src/services/checkpoint/version-table.ts'

const keys = (from: number, to: number) =>
  Array.from({ length: to - from }, (_, nth) => `media/${from + nth}/original/a.png`)

test('knows each key, however many there are, and no other', () => {
  const table = new VersionTable(Number.POSITIVE_INFINITY)
  for (const [nth, key] of keys(0, 5_000).entries()) table.set(key, nth + 0.25)
  expect(table.size).toBe(5_000)
  expect(keys(0, 5_000).map((key) => table.get(key))).toEqual(
    Array.from({ length: 5_000 }, (_, nth) => nth + 0.25),
  )
  expect(keys(5_000, 10_000).filter((key) => table.get(key) !== undefined)).toEqual([])
})

test('the last version of a key counts, and a time of 0 is one', () => {
  const table = new VersionTable(10)
  table.set('a', 2)
  table.set('a', 0)
  expect([table.get('a'), table.size]).toEqual([0, 1])
})

test('what is beyond the most is forgotten; what is known goes on being kept', () => {
  const table = new VersionTable(2)
  for (const key of ['a', 'b', 'c']) table.set(key, 1)
  table.set('a', 2)
  expect(['a', 'b', 'c'].map((key) => table.get(key))).toEqual([2, 1, undefined])
})
