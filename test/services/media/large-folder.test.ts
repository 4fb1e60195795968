import { describe, expect, it } from 'vitest'
import { localTree } from '../../../src/services/media/tree.ts'
import { folderEntries } from '../../../src/services/media/walk.ts'
import { FakeTreeFs } from '../../fakes/fake-tree-fs.ts'

const MB = 1_000_000
const COUNT = 300_000

function* scattered(): Generator<string> {
  for (let at = 0; at < COUNT; at++) {
    yield `${((at * 7919) % COUNT).toString(16).padStart(16, '0')}.jpg`
  }
}

describe('a large folder', () => {
  it('is streamed, and given in order', async () => {
    const fs = new FakeTreeFs({ '/m': { names: scattered(), size: 12 * MB } })
    let files = 0
    let last = ''
    let sorted = true
    for await (const batch of localTree('/m', { fs }).files()) {
      for (const { key } of batch) {
        sorted &&= key > last
        last = key
        files += 1
      }
    }
    expect({ files, sorted }).toEqual({ files: COUNT, sorted: true })
    expect([fs.listed, fs.streamed]).toEqual([[], ['/m']])
  })

  it('comes out as a small one does', () => {
    const names = ['b', 'a', 'a-b', 'a0', '\u{1F600}', '\uFB01', '\u00e9', 'z'.repeat(300)]
    const all = { '/m/a': { names: [] } }
    const read = (size: number) => {
      const entries = folderEntries(new FakeTreeFs({ ...all, '/m': { names, size } }), '/m')
      return Array.from({ length: entries.length }, (_, at) => {
        return [entries.name(at), entries.kind(at)]
      })
    }
    expect(read(MB)).toEqual(read(4096))
    expect(read(MB).slice(0, 3)).toEqual([
      ['a-b', 'file'],
      ['a/', 'folder'],
      ['a0', 'file'],
    ])
  })

  it.each([
    ['/m/accounts/avatars/109', false],
    ['/m/accounts/avatars/109/original', false],
    ['/m/accounts/avatars', true],
    ['/m/flat', true],
  ])("%s: asked how large it is, %s: id partitions aren't", (path, isAsked) => {
    const fs = new FakeTreeFs({ [path]: { names: ['a'], size: MB } })
    expect(folderEntries(fs, path).length).toBe(1)
    expect(fs.streamed.length > 0).toBe(isAsked)
  })
})
