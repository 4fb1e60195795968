import { describe, expect, test } from 'vitest'
import { bytesOf, count, duration } from '../../../src/core/amounts.ts'
import { CopyPace, type CopyState, copyLine } from '../../../src/migrate/copy/copy-line.ts'

const known: CopyState = {
  objects: 8_400,
  bytes: 1_240_000_000,
  total: { objects: 20_000, bytes: 2_900_000_000 },
  failed: 0,
  elapsedMs: 60_000,
  rate: { objects: 140, bytes: 1_240_000_000 / 60 },
}
const unknown: CopyState = { ...known, total: undefined }

describe('where a copy stands, in one line', () => {
  test.each<[string, CopyState, number, string]>([
    [
      'all is known',
      { ...known, now: 'attachments of others' },
      140,
      '[#####---------] 42 %, 8,400 of 20,000 files, 1.2 GB of 2.9 GB, 21 MB/s, 140 files/s, 83 s left, now: attachments of others',
    ],
    ['narrow', known, 72, '[#####---------] 42 %, 8,400 files, 1.2 GB, 21 MB/s, 83 s left'],
    ['without a bar', known, 59, '42 %, 8,400 files, 1.2 GB, 21 MB/s, 140 files/s, 83 s left'],
    ['narrower', known, 30, '42 %, 8,400 files, 83 s left'],
    ['failures stay', { ...known, failed: 3 }, 40, '42 %, 8,400 files, 83 s left, 3 failed'],
    ['no total', unknown, 100, '8,400 files, 1.2 GB, 21 MB/s, 140 files/s'],
    ['no rate yet', { ...unknown, elapsedMs: 900, rate: undefined }, 100, '8,400 files, 1.2 GB'],
    [
      'too early for what is left',
      { ...known, elapsedMs: 9_900 },
      100,
      '[#####---------] 42 %, 8,400 of 20,000 files, 1.2 GB of 2.9 GB, 21 MB/s, 140 files/s',
    ],
    [
      'standing still',
      { ...known, rate: { objects: 0, bytes: 0 } },
      50,
      '42 %, 8,400 files, 1.2 GB, 0 bytes/s, 0 files/s',
    ],
    [
      'large files are left',
      { ...known, objects: 19_999, rate: { objects: 300, bytes: 1_000_000 } },
      50,
      '42 %, 19,999 files, 1.2 GB, 1.0 MB/s, 28 min left',
    ],
    [
      'all of it',
      { ...known, objects: 20_000, bytes: 2_900_000_000 },
      60,
      '[##############] 100 %, 20,000 files, 2.9 GB, 0 s left',
    ],
    ['no room', known, 3, ''],
  ])('%s', (_, state, width, line) => {
    expect(copyLine(state, width)).toBe(line)
    expect(line.length).toBeLessThanOrEqual(width)
  })
})

describe('how fast it goes', () => {
  /** Files a second for so many seconds each, told four times a second. */
  function rates(...speeds: readonly [perSecond: number, seconds: number][]) {
    const pace = new CopyPace()
    let [objects, elapsedMs] = [0, 0]
    const seen: (number | undefined)[] = []
    for (const [perSecond, seconds] of speeds) {
      for (let at = 0; at < seconds * 4; at += 1) {
        objects += perSecond / 4
        elapsedMs += 250
        seen.push(pace.after({ ...unknown, objects, bytes: 0, elapsedMs })?.objects)
      }
    }
    return seen
  }

  test('a steady copy has its rate once it is settled', () => {
    const seen = rates([100, 20])
    expect(seen.slice(0, 7)).toEqual(Array(7).fill(undefined))
    for (const rate of seen.slice(7)) expect(rate).toBeCloseTo(100)
  })

  test('a slow beginning is outweighed, never by a jump', () => {
    const seen = rates([1, 5], [100, 120])
    for (const [at, rate = 0] of seen.entries()) {
      if (at > 40) expect(rate / (seen[at - 1] ?? 1)).toBeLessThan(1.1)
    }
    expect(seen.at(-1)).toBeGreaterThan(95)
  })

  test('one moment of rest does not change what is left by much', () => {
    const seen = rates([100, 60], [0, 2])
    expect(seen.at(-1)).toBeGreaterThan(90)
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
