import { describe, expect, test } from 'vitest'
import { bytesOf, count, duration } from '../../../src/core/amounts.ts'
import { type CopyState, copyLine } from '../../../src/migrate/copy/tally.ts'

const known: CopyState = {
  objects: 8_400,
  bytes: 1_240_000_000,
  total: { objects: 20_000, bytes: 2_900_000_000 },
  failed: 0,
  elapsedMs: 60_000,
}
const unknown: CopyState = { ...known, total: undefined }

describe('where a copy stands, in one line', () => {
  test.each<[string, CopyState, number, string]>([
    [
      'all is known',
      known,
      100,
      '42 %, 8,400 of 20,000 files, 1.2 GB of 2.9 GB, 21 MB/s, 140 files/s, 83 s left',
    ],
    ['narrow', known, 60, '42 %, 8,400 files, 1.2 GB, 21 MB/s, 140 files/s, 83 s left'],
    ['narrower', known, 30, '42 %, 8,400 files, 83 s left'],
    ['failures stay', { ...known, failed: 3 }, 40, '42 %, 8,400 files, 83 s left, 3 failed'],
    ['no total', unknown, 100, '8,400 files, 1.2 GB, 21 MB/s, 140 files/s'],
    ['too early for a rate', { ...unknown, elapsedMs: 900 }, 100, '8,400 files, 1.2 GB'],
    [
      'all of it',
      { ...known, objects: 20_000, bytes: 2_900_000_000 },
      60,
      '100 %, 20,000 files, 2.9 GB, 48 MB/s, 333 files/s, 0 s left',
    ],
    ['no room', known, 3, ''],
  ])('%s', (_, state, width, line) => {
    expect(copyLine(state, width)).toBe(line)
    expect(line.length).toBeLessThanOrEqual(width)
  })
})

describe('amounts', () => {
  test.each([
    [bytesOf(0), '0 bytes'],
    [bytesOf(1), '1 byte'],
    [bytesOf(999), '999 bytes'],
    [bytesOf(1000), '1.0 KB'],
    [bytesOf(9_960), '10 KB'],
    [bytesOf(999_600), '1.0 MB'],
    [bytesOf(3_400_000_000), '3.4 GB'],
    [bytesOf(2.5e15), '2.5 PB'],
    [count(1234567), '1,234,567'],
    [duration(0), '0 s'],
    [duration(89_000), '89 s'],
    [duration(90_000), '2 min'],
    [duration(7_500_000), '2 h 5 min'],
    [duration(36_000_000), '10 h'],
    [duration(273_600_000), '3 d 4 h'],
  ])('%s', (words, expected) => {
    expect(words).toBe(expected)
  })
})
