import { expect, test } from 'vitest'
import { atTheLatest } from '../../src/purge/known-before.ts'

const day = (number: number) => new Date(Date.UTC(2026, 10, number))

test.each<[string, readonly number[], readonly number[]]>([
  ['as they follow one another', [9, 8, 1], [9, 8, 1]],
  ['one still to come, and what came before', [30, 8, 1], [10, 8, 1]],
  ['one still to come that another followed', [9, 30, 1], [9, 9, 1]],
  ['all still to come', [31, 30], [10, 10]],
  ['the first still to come', [9, 8, 30], [9, 8, 8]],
  ['one of a clock that had gone back', [9, -300, 7], [9, 9, 7]],
  ['several of one', [9, -299, -300, 7], [9, 9, 9, 7]],
  ['the newest of one', [-300, 9, 8], [10, 9, 8]],
])('%s', (_, told, expected) => {
  expect(atTheLatest(told.map(day), day(10))).toEqual(expected.map(day))
})
