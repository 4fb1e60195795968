import { describe, expect, test } from 'vitest'
import { changed, missing } from '../../../src/migrate/copy/work.ts'
import { CLOCK_MARGIN_MS } from '../../../src/migrate/migration.ts'
import type { MediaFile } from '../../../src/services/media/port.ts'

const T = 1_800_000_000_000
const HOUR = 3_600_000
const file = (key: string, size = 1, changedAt = T - 24 * HOUR): MediaFile => ({
  key,
  size,
  changedAt,
  mode: 0o644,
})
const object = (key: string, size = 1, lastModified = T) => ({ key, size, lastModified, etag: '' })
const never = { since: Number.POSITIVE_INFINITY, versions: new Map(), failed: new Set<string>() }

async function* lists<Item>(...all: Item[][]) {
  yield* all
}

async function keys(files: AsyncIterable<readonly MediaFile[]>): Promise<string[]> {
  const found: string[] = []
  for await (const list of files) found.push(...list.map(({ key }) => key))
  return found
}

describe('what a first copy brings', () => {
  test.each([
    ['absent', [file('a')], [], ['a']],
    ['there', [file('a')], [object('a')], []],
    ['another size', [file('a', 2)], [object('a')], ['a']],
    ['only in the bucket', [], [object('a')], []],
    ['between others', [file('b')], [object('a'), object('c')], ['b']],
    ['touched lately, no run before', [file('a', 1, T + HOUR)], [object('a')], []],
  ])('%s', async (_, files, objects, expected) => {
    expect(await keys(missing(lists(files), lists(objects), never))).toEqual(expected)
  })

  test.each([
    ['before the object was stored', T - HOUR, []],
    ['shortly before', T - CLOCK_MARGIN_MS / 2, ['a']],
    ['after', T + HOUR, ['a']],
    ['known to be copied', T + 7, []],
  ])('gone on with: a file that changed %s', async (_, changedAt, expected) => {
    const known = { ...never, since: T - 2 * HOUR, versions: new Map([['a', T + 7]]) }
    const files = lists([file('a', 1, changedAt)])
    expect(await keys(missing(files, lists([object('a')]), known))).toEqual(expected)
  })
})

describe('what a later copy brings', () => {
  const known = { since: T, versions: new Map([['seen', T - 1]]), failed: new Set(['left']) }
  test.each([
    ['old', file('old'), false],
    ['new', file('new', 1, T + 1), true],
    ['by a clock that is behind', file('new', 1, T - CLOCK_MARGIN_MS + 1), true],
    ['seen by the run before', file('seen', 1, T - 1), false],
    ['seen, and changed since', file('seen', 1, T), true],
    ['left by the run before', file('left'), true],
  ])('%s', async (_, item, isCopied) => {
    expect(await keys(changed(lists([item]), known))).toEqual(isCopied ? [item.key] : [])
  })
})
