import { mkdirSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, it } from 'vitest'
import { compareKeys } from '../../../src/key-order.ts'
import type { MediaFile } from '../../../src/services/media/port.ts'
import { treeFs } from '../../../src/services/media/tree-fs.ts'
import { TreeWalk, type TreeWalkOptions } from '../../../src/services/media/tree-walk.ts'
import { scratchTree } from './scratch-tree.ts'

/** Id partitions, folders and files above them, links, and all that is told instead of given. */
function oddTree(): string {
  const ids = ['110/345/000', '110/345/001', '110/345/017', '110/346/998', '111/000/004']
  const root = scratchTree({
    ...Object.fromEntries(ids.map((id) => [`cache/files/${id}/678/original/a.jpg`, id])),
    ...Object.fromEntries(ids.map((id) => [`media/files/${id}/small/${id.length}-b.jpg`, id])),
    'media/files/110/345/003': 'a file where a folder of ids could be',
    'media/files/110/345/12x/c.jpg': 'no id',
    'media/files/110/345.jpg': 'between folders',
    'a.txt': 'at the top',
    '.hidden/d.jpg': '',
    'media/.keep': '',
    'cache/files/110/345/000/.DS_Store': '',
  })
  const outside = join(dirname(root), 'disk')
  mkdirSync(join(outside, '400/500'), { recursive: true })
  symlinkSync(outside, join(root, 'media/files/300'))
  symlinkSync(join(root, 'cache'), join(root, 'media/files/110/345/002'))
  symlinkSync('..', join(root, 'media/files/110/loop'))
  symlinkSync('nowhere', join(root, 'media/files/111/000/005'))
  return root
}

function walked(root: string, part: Pick<TreeWalkOptions, 'after' | 'share'> = {}) {
  const odd: string[] = []
  const walk = new TreeWalk({
    fs: treeFs,
    root,
    skip: [],
    canRead: () => true,
    onOddity: (kind, path) => odd.push(`${kind} ${path}`),
    ...part,
  })
  const files: MediaFile[] = []
  const seen: { readonly key: string; readonly files: number; readonly odd: number }[] = []
  while (walk.fill(files, files.length + 1, 0)) {
    seen.push({ key: walk.last, files: files.length, odd: odd.length })
  }
  return { files, odd, seen }
}

const byKey = (a: MediaFile, b: MediaFile) => compareKeys(a.key, b.key)

it.each([1, 2, 3, 7])('%i walks together give each file and each oddity once', (of) => {
  const root = oddTree()
  const whole = walked(root)
  const parts = Array.from({ length: of }, (_, index) => walked(root, { share: { index, of } }))
  expect(parts.flatMap(({ files }) => files).sort(byKey)).toEqual(whole.files)
  expect(parts.flatMap(({ odd }) => odd).sort()).toEqual([...whole.odd].sort())
  expect(parts.map(({ files }) => files)).toEqual(parts.map(({ files }) => [...files].sort(byKey)))
  if (of === 2) expect(parts.every(({ files }) => files.length > 3)).toBe(true)
})

it('a walk goes on behind any place where another one rested', () => {
  const root = oddTree()
  const whole = walked(root)
  expect(whole.odd.length).toBeGreaterThan(5)
  expect(whole.seen.length).toBeGreaterThan(15)
  for (const { key, files, odd } of whole.seen) {
    const parts = [0, 1].map((index) => walked(root, { after: key, share: { index, of: 2 } }))
    const rest = parts.flatMap((part) => part.files).sort(byKey)
    expect([key, rest]).toEqual([key, whole.files.slice(files)])
    const told = parts.flatMap((part) => part.odd).sort()
    expect([key, told]).toEqual([key, whole.odd.slice(odd).sort()])
  }
})
