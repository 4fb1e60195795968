import { describe, expect, it } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import type { Reader } from '../../../src/services/media/tree.ts'
import { localTree } from '../../../src/services/media/tree.ts'
import { type FakeFile, FakeTreeFs } from '../../fakes/fake-tree-fs.ts'
import { readAll } from './scratch-tree.ts'

const files: Record<string, FakeFile> = {
  '/m/everyone': { mode: 0o644 },
  '/m/group': { mode: 0o640 },
  '/m/list': { mode: 0o600, readable: true },
  '/m/owner': { mode: 0o600 },
}
const names = ['everyone', 'group', 'list', 'owner']

describe('files that may not be read', () => {
  it.each<[string, Reader | undefined, string[], string[]]>([
    ['root', { uid: 0, gids: [0] }, names, []],
    ['the owner', { uid: 991, gids: [991] }, names, []],
    [
      'a member of the group',
      { uid: 1000, gids: [1000, 991] },
      names.slice(0, 3),
      ['list', 'owner'],
    ],
    ['a stranger', { uid: 1000, gids: [1000] }, ['everyone', 'list'], names.slice(1)],
    ['nobody told who', undefined, ['everyone', 'list'], names.slice(1)],
  ])('%s', async (_, reader, keys, asked) => {
    const fs = new FakeTreeFs({ '/m': { names } }, files)
    const read = await readAll(localTree('/m', reader ? { fs, reader } : { fs }))
    expect(read.keys).toEqual(keys)
    const missing = names.filter((name) => !keys.includes(name))
    expect(read.odd).toEqual(missing.map((name) => `unreadable ${name}`))
    expect(fs.asked).toEqual(asked.map((name) => `/m/${name}`))
  })

  it('folders and failing disks are told, and the walk goes on', async () => {
    const fs = new FakeTreeFs(
      {
        '/m': { names: ['closed', 'failing', 'gone', 'z'] },
        '/m/closed': { names: [], fails: 'EACCES' },
        '/m/gone': { names: [], fails: 'ENOENT' },
      },
      { '/m/failing': { fails: 'EIO' } },
    )
    const { keys, odd, oddities } = await readAll(localTree('/m', { fs }))
    expect(keys).toEqual(['z'])
    expect(odd).toEqual(['unreadable closed/', 'unreadable failing'])
    expect(oddities.map(({ note }) => note)).toEqual([
      'closed/ may not be read by this user.',
      "failing can't be read: the system says EIO.",
    ])
  })

  it.each([
    ['a user', { reader: { uid: 1000, gids: [] } }, 'sudo npx mastodon-r2 migrate'],
    ['root', { reader: { uid: 0, gids: [] } }, 'findmnt -T /m'],
    [
      'the owner, for root',
      { reader: { uid: 991, gids: [] }, who: 'the user mastodon' },
      'chmod u+rwx /m',
    ],
  ])(
    'a root that may not be read by %s is a Problem with what helps',
    async (_, options, words) => {
      const fs = new FakeTreeFs({ '/m': { names: [], fails: 'EACCES' } })
      const tree = localTree('/m', { fs, ...options })
      const problem = await readAll(tree).catch((thrown: unknown) => thrown)
      expect(problem).toBeInstanceOf(Problem)
      const { code, why, next } = problem as Problem
      expect(code).toBe('media-unreadable')
      expect(String(next)).toContain(words)
      expect(String(next).includes('sudo')).toBe(words.includes('sudo'))
      expect(String(why).includes('the user mastodon')).toBe('who' in options)
    },
  )
})
