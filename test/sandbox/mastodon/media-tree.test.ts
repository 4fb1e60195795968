import { lstatSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import {
  ageInDays,
  changeTree,
  idPartition,
  makeMediaTree,
  mediaClasses,
  OLDEST_DAYS,
} from '../../../src/sandbox/mastodon/media-tree.ts'
import { localTree } from '../../../src/services/media/tree.ts'
import { scratch } from './scratch.ts'

const NOW = Date.parse('2026-03-01T12:00:00Z')

/** What the product's own walk finds. */
async function walked(dir: string) {
  const files = []
  for await (const batch of localTree(dir).files()) files.push(...batch)
  return files
}

describe('makeMediaTree', () => {
  test('holds what it says, as the walk sees it', async () => {
    const dir = join(scratch(), 'system')
    const tree = await makeMediaTree(dir, { files: 400, now: NOW })
    const found = await walked(dir)
    const inOrder = (files: readonly { key: string }[]) => files.map(({ key }) => key).sort()
    expect(tree.files.length).toBe(400)
    expect(inOrder(found)).toEqual(inOrder(tree.files))
    const sizes = new Map(tree.files.map(({ key, size }) => [key, size]))
    expect(found.filter(({ key, size }) => sizes.get(key) !== size)).toEqual([])
    const closed = found.filter(({ mode }) => mode === 0o600).map(({ key }) => key)
    expect(closed.sort()).toEqual([...tree.suspended].sort())
    expect(closed.length).toBeGreaterThan(2)
    expect(closed.length).toBeLessThan(40)
  })

  test('has every class, an odd name, a large film, a link and a hidden file', async () => {
    const dir = join(scratch(), 'system')
    const { files, disk } = await makeMediaTree(dir, { files: 100, now: NOW })
    const without = mediaClasses.filter(
      ({ folder }) => !files.some(({ key }) => key.startsWith(`${folder}/`)),
    )
    expect(without).toEqual([])
    expect(files.filter(({ size }) => size > 5 * 1024 * 1024).length).toBe(1)
    const odd = files.filter(({ key }) => /[^\x21-\x7e]|["\\]/.test(key))
    expect(odd.length).toBe(4)
    expect(lstatSync(join(dir, 'cache/preview_cards')).isSymbolicLink()).toBe(true)
    expect(statSync(join(disk, 'preview_cards/images')).isDirectory()).toBe(true)
    expect(readFileSync(join(dir, '.gitkeep'), 'utf8')).toBe('')
  })

  test('its keys have the form of those of Mastodon', async () => {
    const dir = join(scratch(), 'system')
    const { files } = await makeMediaTree(dir, { files: 300, now: NOW })
    const usual =
      /^(cache\/)?[a-z_]+\/[a-z_]+\/(\d{3}\/){3,6}(original|static|small|@[12]x)\/[0-9a-f]{16}\.\w+$/
    expect(files.filter(({ key }) => !usual.test(key)).length).toBe(4)
    const ids = files.map(({ key }) => /\d{3}(\/\d{3})+/.exec(key)?.[0] ?? '')
    const ages = ids.slice(5).map((id) => ageInDays(id, NOW))
    expect(ages.filter((age) => !(age >= 0 && age <= OLDEST_DAYS))).toEqual([])
  })

  test.each([1, 2, 7])('%i files are exactly so many', async (files) => {
    const tree = await makeMediaTree(join(scratch(), 'system'), { files })
    expect((await walked(tree.dir)).length).toBe(files)
  })

  test('the same seed makes the same tree, another one another', async () => {
    const [a, b, c] = await Promise.all(
      [5, 5, 6].map((seed) =>
        makeMediaTree(join(scratch(), 'system'), { files: 60, seed, now: NOW }),
      ),
    )
    expect(b?.files).toEqual(a?.files)
    expect(c?.files.filter((file) => !a?.files.some(({ key }) => key === file.key)).length).toBe(56)
  })
})

test.each([
  ['1', '000/000/001'],
  ['123456789', '123/456/789'],
  ['1234567890', '001/234/567/890'],
  ['109876543210987654', '109/876/543/210/987/654'],
])('the id %s lies in %s', (id, partition) => {
  expect(idPartition(id)).toBe(partition)
})

describe('changeTree', () => {
  test('does what it says and nothing else', async () => {
    const dir = join(scratch(), 'system')
    await makeMediaTree(dir, { files: 120 })
    const before = new Map((await walked(dir)).map((file) => [file.key, file.size]))
    const { added, changed, removed } = changeTree(dir, { add: 5, change: 6, remove: 7 })
    const after = new Map((await walked(dir)).map((file) => [file.key, file.size]))
    expect([added.length, changed.length, removed.length]).toEqual([5, 6, 7])
    expect([...after.keys()].filter((key) => !before.has(key)).sort()).toEqual([...added].sort())
    expect([...before.keys()].filter((key) => !after.has(key)).sort()).toEqual([...removed].sort())
    const grown = changed.filter((key) => after.get(key) !== before.get(key))
    expect(grown.length).toBe(3)
  })

  test('the same seed does the same', async () => {
    const [a, b] = await Promise.all(
      [1, 1].map(async () => {
        const dir = join(scratch(), 'system')
        await makeMediaTree(dir, { files: 60, now: NOW })
        return changeTree(dir, { change: 3, remove: 3, seed: 9 })
      }),
    )
    expect(b).toEqual(a)
  })
})
