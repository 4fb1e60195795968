import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { compareKeys, merge } from '../../src/core/streams.ts'
import { sideBySide } from '../../src/moving/side-by-side.ts'
import type { MediaFile } from '../../src/services/media/port.ts'
import type { ListedObject } from '../../src/services/s3/port.ts'

const PAGE = 1000
const never = new AbortController().signal

const keyOf = (at: number) => `media_attachments/files/${String(at).padStart(9, '0')}.png`
const fileOf = (key: string): MediaFile => ({ key, size: 1, changedAt: 0, mode: 0o644 })
const objectOf = (key: string): ListedObject => ({ key, size: 1, etag: '', lastModified: 0 })
const range = (from: number, to: number, every = 1) =>
  Array.from({ length: Math.ceil((to - from) / every) }, (_, nth) => keyOf(from + nth * every))

async function* inLists<Item>(items: readonly Item[], each: number) {
  for (let at = 0; at < items.length; at += each) yield items.slice(at, at + each)
}

/** A bucket with these keys. `most`: requests that were under way at the same time. */
function bucketOf(keys: readonly string[], { heeds = true } = {}) {
  const seen = { lists: 0, most: 0, now: 0 }
  const from = (after: string | undefined) => {
    const [low, high] = [0, keys.length]
    if (after === undefined || !heeds) return low
    let [a, b] = [low, high]
    while (a < b) {
      const middle = (a + b) >> 1
      if (compareKeys(keys[middle] ?? '', after) <= 0) a = middle + 1
      else b = middle
    }
    return a
  }
  return {
    seen,
    async pageAfter(after: string | undefined, signal?: AbortSignal) {
      seen.lists += 1
      seen.now += 1
      seen.most = Math.max(seen.most, seen.now)
      await new Promise((resolve) => setImmediate(resolve))
      seen.now -= 1
      signal?.throwIfAborted()
      const at = from(after)
      return {
        objects: keys.slice(at, at + PAGE).map(objectOf),
        isLast: at + PAGE >= keys.length,
      }
    },
    pages: (_prefix?: string) => inLists(keys.map(objectOf), PAGE),
  }
}

async function sidesOf(files: readonly string[], bucket: ReturnType<typeof bucketOf>) {
  const sides = sideBySide(inLists(files.map(fileOf), 700), bucket, never)
  const told: string[] = []
  for await (const pairs of merge(sides.files, sides.objects))
    for (const { file, object } of pairs)
      told.push(`${file ? 'f' : '-'}${object ? 'o' : '-'} ${(file ?? object)?.key}`)
  return told
}

function expected(files: readonly string[], objects: readonly string[]): string[] {
  const [here, there] = [new Set(files), new Set(objects)]
  const all = [...new Set([...files, ...objects])].sort(compareKeys)
  return all.map((key) => `${here.has(key) ? 'f' : '-'}${there.has(key) ? 'o' : '-'} ${key}`)
}

/** Files, objects, and LISTs for each page that the bucket has. */
const shapes: readonly [string, readonly string[], readonly string[], number][] = [
  ['both alike', range(0, 60_000), range(0, 60_000), 1.02],
  [
    'one object in 10,000 more',
    range(0, 60_000).filter((_, n) => n % 10_000 !== 5),
    range(0, 60_000),
    1.02,
  ],
  [
    'one file in 100 more',
    range(0, 60_000),
    range(0, 60_000).filter((_, n) => n % 100 !== 5),
    1.04,
  ],
  ['every other object is no file', range(0, 60_000, 2), range(0, 60_000), 1.2],
  ['an empty bucket', range(0, 60_000), [], 4],
  ['an empty source', [], range(0, 20_000), 1.05],
  ['the bucket has the first tenth', range(0, 60_000), range(0, 6_000), 3],
  ['the bucket has the last tenth', range(0, 60_000), range(54_000, 60_000), 3],
  [
    'the bucket lacks a folder',
    [...range(0, 60_000)],
    [...range(0, 20_000), ...range(40_000, 60_000)],
    1.5,
  ],
  [
    'the bucket has a folder more',
    [...range(0, 20_000), ...range(40_000, 60_000)],
    range(0, 60_000),
    1.3,
  ],
  ['nothing in common', range(0, 20_000, 2), range(1, 20_000, 2), 1.3],
]

describe('the bucket beside the source', () => {
  test.each(shapes)('%s', async (_, files, objects, most) => {
    const bucket = bucketOf(objects)
    expect(await sidesOf(files, bucket)).toEqual(expected(files, objects))
    const pages = Math.max(1, Math.ceil(objects.length / PAGE))
    expect(bucket.seen.lists / pages).toBeLessThanOrEqual(most)
  })

  test('several pages are under way at the same time, and not many more than ten', async () => {
    const keys = range(0, 60_000)
    const bucket = bucketOf(keys)
    await sidesOf(keys, bucket)
    expect(bucket.seen.most).toBeGreaterThanOrEqual(8)
    expect(bucket.seen.most).toBeLessThanOrEqual(12)
  })

  test('a server that does not heed where a page begins is read page by page', async () => {
    const [files, objects] = [range(0, 6_000), range(0, 6_000)]
    expect(await sidesOf(files, bucketOf(objects, { heeds: false }))).toEqual(
      expected(files, objects),
    )
  })

  test('any two sides', async () => {
    const side = fc.uniqueArray(fc.integer({ min: 0, max: 9_000 }), {
      maxLength: 6_000,
      minLength: 0,
    })
    const runs = fc.tuple(side, fc.integer({ min: 1, max: 9 }), fc.integer({ min: 0, max: 9_000 }))
    await fc.assert(
      fc.asyncProperty(runs, async ([picked, every, hole]) => {
        const objects = picked.sort((a, b) => a - b).map(keyOf)
        const files = range(0, 9_000, every).filter(
          (key) => key < keyOf(hole) || key > keyOf(hole + 2_000),
        )
        expect(await sidesOf(files, bucketOf(objects))).toEqual(expected(files, objects))
      }),
      { numRuns: 40 },
    )
  })

  test('what ends the source or the bucket ends both', async () => {
    async function* broken() {
      yield [fileOf(keyOf(0))]
      throw new Error('the disk is gone')
    }
    const keys = range(0, 5_000)
    const sides = sideBySide(broken(), bucketOf(keys), never)
    const all = async () => {
      for await (const _ of merge(sides.files, sides.objects));
    }
    await expect(all()).rejects.toThrow('the disk is gone')
  })

  test('a request that is refused is told once', async () => {
    const keys = range(0, 30_000)
    const bucket = bucketOf(keys)
    const refused = {
      ...bucket,
      pageAfter: (after: string | undefined, signal?: AbortSignal) =>
        after !== undefined && after > keyOf(15_000)
          ? Promise.reject(new Error('no right to list'))
          : bucket.pageAfter(after, signal),
    }
    await expect(sidesOf(keys, refused)).rejects.toThrow('no right to list')
  })
})

/** What of many files is still held when all but the last were compared with a bucket. */
async function heldBeside(bucket: ReturnType<typeof bucketOf>): Promise<number> {
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const lists: WeakRef<readonly MediaFile[]>[] = []
  async function* source() {
    for (let at = 0; at < 100_000; at += PAGE) {
      const list = range(at, at + PAGE).map(fileOf)
      lists.push(new WeakRef(list))
      yield list
    }
  }
  const { files, objects } = sideBySide(source(), bucket, never)
  let held = 0
  for await (const pairs of merge(files, objects)) {
    if (pairs.at(-1)?.file?.key !== keyOf(99_999)) continue
    await new Promise((resolve) => setImmediate(resolve))
    collect()
    held = lists.filter((list) => list.deref() !== undefined).length
  }
  return held
}

test.each([
  ['an empty bucket', bucketOf([])],
  ['a bucket that heeds no place', bucketOf(range(0, 3_000), { heeds: false })],
  ['a bucket with as much', bucketOf(range(0, 100_000))],
])('what was compared is not kept in memory, beside %s', async (_, bucket) => {
  expect(await heldBeside(bucket)).toBeLessThan(30)
})
