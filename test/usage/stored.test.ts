import { describe, expect, test } from 'vitest'
import { causesOf } from '../../src/usage/causes.ts'
import { StoredCount } from '../../src/usage/stored.ts'

const now = new Date('2026-11-29T12:00:00Z')
const DAY_MS = 86_400_000
const object = (key: string, size: number, days: number) => {
  return { key, size, etag: '', lastModified: now.getTime() - days * DAY_MS }
}

describe('what is stored', () => {
  const counted = new StoredCount(now)
  counted.see([
    object('accounts/avatars/1/original/a.png', 10, 1),
    object('cache/media_attachments/files/1/original/b.mov', 20, 6),
    object('cache/media_attachments/files/2/original/c.JPG', 30, 8),
  ])
  counted.see([
    object('cache/preview_cards/images/3/original/d.jpg', 40, 181),
    object('backups/dumps/4/original/e.tar.gz', 50, 400),
    object('odd/no-extension', 60, 400),
  ])
  const stored = counted.stored()

  test('by kind, in a fixed order', () => {
    expect(stored.kinds.map(({ class: name, objects, bytes }) => [name, objects, bytes])).toEqual([
      ['avatars', 1, 10],
      ['cachedAttachments', 2, 50],
      ['previewCards', 1, 40],
      ['backups', 1, 50],
      ['other', 1, 60],
    ])
    expect(stored).toMatchObject({ objects: 6, bytes: 210, listRequests: 2 })
  })

  test('by age, each object once', () => {
    expect(stored.ages.map(({ days, bytes }) => [days, bytes])).toEqual([
      [7, 30],
      [30, 30],
      [90, 0],
      [365, 40],
      [null, 110],
    ])
  })

  test('types that are not cached by default, but for what is private', () => {
    expect(stored.notCachedByDefault).toEqual({ objects: 2, bytes: 80 })
  })

  test('what tootctl would remove by its own defaults', () => {
    expect(counted.removable().map(({ class: name, bytes }) => [name, bytes])).toEqual([
      ['cachedAttachments', 30],
      ['previewCards', 40],
    ])
  })
})

test('a million objects take no more room than one', () => {
  const counted = new StoredCount(now)
  const page = Array.from({ length: 1000 }, (_, at) => object(`cache/x/${at}.jpg`, 5, at))
  for (let pages = 0; pages < 1000; pages += 1) counted.see(page)
  const stored = counted.stored()
  expect(stored).toMatchObject({ objects: 1_000_000, listRequests: 1000 })
  expect(JSON.stringify(stored).length).toBeLessThan(2000)
})

describe('why', () => {
  const counted = new StoredCount(now)
  counted.see(Array.from({ length: 1000 }, (_, at) => object(`accounts/avatars/${at}.png`, 5, 1)))
  const stored = counted.stored()
  const operation = (action: string, requests: number, more = {}) => ({
    action,
    class: 'A' as const,
    requests,
    elsewhere: 0,
    notFound: 0,
    listPrice: 1,
    ...more,
  })

  test.each([
    ['a backup that lists', operation('ListObjects', 60_000), /2,000 times a day/],
    ['a storm of heads', operation('HeadObject', 50_000), /50 times for each object/],
    ['what is not there', operation('GetObject', 200_000, { notFound: 50_000 }), /25 %/],
  ])('%s', (_, row, fact) => {
    const causes = causesOf([row], stored)
    expect(causes).toEqual([{ fact: expect.stringMatching(fact), advice: expect.anything() }])
  })

  test.each([
    ['a few lists', operation('ListObjects', 900)],
    ['lists of another bucket', operation('ListObjects', 60_000, { elsewhere: 60_000 })],
    ['misses among many hits', operation('GetObject', 10_000_000, { notFound: 50_000 })],
    ['uploads of a server without a cache', operation('PutObject', 50_000)],
  ])('nothing stands out: %s', (_, row) => {
    expect(causesOf([row], stored)).toEqual([])
  })
})
