import { describe, expect, it } from 'vitest'
import { costs, paceOf, uploadRequests } from '../../../src/migrate/survey/costs.ts'

const MIB = 1024 * 1024
const pace = { objectsPerSecond: 400, bytesPerSecond: 10_000_000 }

describe('uploadRequests', () => {
  it.each([
    [0, 1],
    [200 * MIB, 1],
    [200 * MIB + 1, 2 + 26],
    [1024 * MIB, 2 + 128],
    [400_000 * MIB, 2 + 10_000],
  ])('%d bytes: %d', (bytes, expected) => {
    expect(uploadRequests(bytes)).toBe(expected)
  })
})

describe('costs', () => {
  it.each<[string, number, number, number, number, number]>([
    ['nothing', 0, 0, 0, 0, 0],
    ['within the free tier', 100_000, 10e9, 0, 0, 0.28],
    ['a byte beyond the free storage', 100_000, 10e9 + 1, 0, 0.015, 0.28],
    ['as many requests as are free', 999_000, 1e9, 0, 0, 0.69],
    ['one request beyond', 999_001, 1e9, 4.5, 0, 0.69],
    ['up to the next million', 1_998_000, 1e9, 4.5, 0, 1.39],
    ['two millions', 2_500_000, 350e9, 9, 5.1, 9.72],
  ])('%s', (_, objects, bytes, classA, storage, hours) => {
    const told = costs({ objects, bytes, uploads: objects }, pace)
    expect(told.classADollars).toBe(classA)
    expect(told.storageDollars).toBeCloseTo(storage, 6)
    expect(told.firstMonthDollars).toBeCloseTo(classA + storage, 6)
    expect(told.hours).toBeCloseTo(hours, 2)
    expect(told.gbMonths).toBe(bytes / 1e9)
  })

  it('counts a listing before, and one afterwards', () => {
    expect(costs({ objects: 2001, bytes: 0, uploads: 2043 }, pace).classA).toBe(2043 + 1 + 3)
  })
})

describe('paceOf', () => {
  const usual = { transfers: 64, bwlimit: undefined }
  it.each<[string, Parameters<typeof paceOf>[0], number, number]>([
    ['nothing measured', usual, 400, 12_500_000],
    ['near', { ...usual, latencyMs: 10 }, 400, 12_500_000],
    ['far', { ...usual, latencyMs: 320 }, 200, 12_500_000],
    ['few at once', { ...usual, transfers: 4, latencyMs: 50 }, 80, 12_500_000],
    ['a line that was measured', { ...usual, bytesPerSecond: 1e6 }, 400, 1e6],
    ['limited', { ...usual, bwlimit: '8M' }, 400, 8 * MIB],
    ['limited, in KiB', { ...usual, bwlimit: '512k' }, 400, 512 * 1024],
    ['limited both ways', { ...usual, bwlimit: '8M:1M' }, 400, MIB],
    ['limited, in bytes', { ...usual, bwlimit: '1000B' }, 400, 1000],
    ['limited to a fraction', { ...usual, bwlimit: '1.5M' }, 400, 1.5 * MIB],
  ])('%s', (_, at, objects, bytes) => {
    expect(paceOf(at)).toEqual({ objectsPerSecond: objects, bytesPerSecond: bytes })
  })
})
