import { describe, expect, test } from 'vitest'
import type { R2Day } from '../../src/services/cloudflare/port.ts'
import { monthOf, monthOfStorage, savedBy } from '../../src/usage/month.ts'
import { dayRows, daysUpTo, operationRows } from '../../src/usage/requests.ts'

const GB = 1e9

function days(now: Date, of: (day: string, at: number) => Partial<R2Day>): R2Day[] {
  return daysUpTo(now).map((day, at) => {
    return { day, isCutOff: false, operations: [], storage: [], ...of(day, at) }
  })
}

const stored = (bytes: number) => [{ bucket: 'media', objects: 1, bytes }]
const asked = (action: string, requests: number, status = 200, bucket = 'media') => {
  return { bucket, action, status, requests }
}

describe('the days that are asked for', () => {
  test.each([
    ['2026-11-29T12:00:00Z', 30, '2026-10-31'],
    ['2026-12-01T00:00:00Z', 30, '2026-11-02'],
    ['2026-12-31T23:59:59Z', 31, '2026-12-01'],
    ['2028-02-29T05:00:00Z', 30, '2028-01-31'],
  ])('up to %s: %d, from %s on', (now, count, first) => {
    const found = daysUpTo(new Date(now))
    expect([found.length, found[0], found.at(-1)]).toEqual([count, first, now.slice(0, 10)])
  })
})

describe('a month', () => {
  test('in the middle: what was used, and what the last week says of the rest', () => {
    const now = new Date('2026-11-15T12:00:00Z')
    const read = days(now, (day) => ({
      storage: stored(100 * GB),
      operations: [asked('PutObject', day === '2026-11-15' ? 5000 : 10_000)],
    }))
    const { first, days: length, soFar, expected } = monthOf(dayRows(read), now)
    expect([first, length]).toEqual(['2026-11-01', 30])
    expect(soFar).toMatchObject({ gbMonths: 50, classA: 145_000 })
    expect(expected).toMatchObject({ gbMonths: 100, classA: 300_000, classB: 0 })
  })

  test('a bucket that grew counts each day by its peak', () => {
    // Cloudflare's own example: 1 GB for 5 days, then 3 GB for 25 days.
    const now = new Date('2026-11-30T23:59:59Z')
    const read = days(now, (day) => ({ storage: stored(day <= '2026-11-05' ? GB : 3 * GB) }))
    expect(monthOf(dayRows(read), now).soFar?.gbMonths).toBeCloseTo(2.67, 2)
  })

  test('a day without a sample holds what the day before held', () => {
    const now = new Date('2026-11-02T00:00:00Z')
    const read = days(now, (day) => ({ storage: day === '2026-10-30' ? stored(30 * GB) : [] }))
    expect(dayRows(read).at(-1)).toMatchObject({ bytes: 30 * GB })
    expect(monthOf(dayRows(read), now).expected.gbMonths).toBeCloseTo(30, 6)
  })

  test('its first hour is told from the week before', () => {
    const now = new Date('2026-12-01T01:00:00Z')
    const read = days(now, () => ({ operations: [asked('HeadObject', 24_000)] }))
    const { soFar, expected } = monthOf(dayRows(read), now)
    expect(soFar?.classB).toBe(24_000)
    expect(expected.classB).toBe(24_000 + 24_000 * 30 + 23_000)
  })

  test('from the list alone: the storage of a whole month, and no request', () => {
    const month = monthOfStorage(45 * GB, new Date('2026-11-15T12:00:00Z'))
    expect(month.soFar).toBeNull()
    expect(month.expected.bill.total).toBeCloseTo(0.525, 6)
  })

  test('what is free anyway saves nothing', () => {
    const use = { gbMonths: 9, classA: 0, classB: 9_000_000 }
    expect(savedBy(use, { bytes: 5 * GB, classB: 5_000_000 })).toBe(0)
    expect(savedBy({ ...use, gbMonths: 110 }, { bytes: 50 * GB })).toBeCloseTo(0.75, 6)
  })
})

describe('requests', () => {
  test('what was refused for want of rights is not charged, and not counted', () => {
    const read = days(new Date('2026-11-29T12:00:00Z'), (_, at) => ({
      operations: at === 0 ? [asked('PutObject', 7), asked('PutObject', 900, 403)] : [],
    }))
    expect(dayRows(read)[0]).toMatchObject({ classA: 7 })
    expect(operationRows(read, 'media')[0]).toMatchObject({ action: 'PutObject', requests: 7 })
  })

  test('the dearest come first; misses and other buckets are told', () => {
    const read = days(new Date('2026-11-29T12:00:00Z'), (_, at) => ({
      operations:
        at === 3
          ? [
              asked('GetObject', 1_000_000),
              asked('GetObject', 500_000, 404, 'other'),
              asked('ListObjects', 200_000),
              asked('SomethingNew', 5_000_000),
            ]
          : [],
    }))
    expect(operationRows(read, 'media')).toEqual([
      row('ListObjects', 'A', 200_000, 0, 0, 0.9),
      row('GetObject', 'B', 1_500_000, 500_000, 500_000, 0.54),
      row('SomethingNew', 'unlisted', 5_000_000, 0, 0, 0),
    ])
  })
})

function row(
  action: string,
  name: string,
  requests: number,
  elsewhere: number,
  notFound: number,
  listPrice: number,
) {
  const price = expect.closeTo(listPrice, 6)
  return { action, class: name, requests, elsewhere, notFound, listPrice: price }
}
