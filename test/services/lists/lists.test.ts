import { execFileSync } from 'node:child_process'
import { randomUUID } from 'node:crypto'
import {
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { KeyPack } from '../../../src/core/key-pack.ts'
import type { KeyBatches } from '../../../src/core/sorted-keys.ts'
import { openLists } from '../../../src/services/lists/lists.ts'
import { problemOf } from '../../fakes/found.ts'

const stateHome = mkdtempSync(join(tmpdir(), 'mastodon-r2-lists-'))
afterAll(() => rmSync(stateHome, { recursive: true, force: true }))
let nth = 0
let lists: ReturnType<typeof openLists>
beforeEach(() => {
  nth += 1
  lists = openLists({ stateHome, endpoint: 'https://a.example', bucket: `media-${nth}` })
})

const day = (number: number) => new Date(Date.UTC(2026, 10, number))

async function pack(keys: readonly string[]) {
  const made = new KeyPack()
  await made.add(keys)
  return made.end()
}

async function all(batches: KeyBatches | undefined): Promise<string[]> {
  const keys: string[] = []
  for await (const some of batches ?? []) keys.push(...some.map(({ key }) => key))
  return keys
}

async function keep(
  on: number,
  keys: readonly string[],
  from?: number,
  gone: readonly string[] = [],
) {
  const went =
    from === undefined
      ? undefined
      : { from: day(from), first: 'list' as const, keys: await pack(gone) }
  await lists.keep({ at: day(on), keys: await pack(keys), gone: went })
}

test('nothing was kept', async () => {
  expect(await lists.read()).toBeUndefined()
})

test('the newest list, and what went before it, each from when to when', async () => {
  await keep(1, ['a', 'b', 'c'])
  await keep(2, ['a', 'b'], 1, ['c'])
  await keep(5, ['a'], 2, ['b'])
  const kept = await lists.read()
  expect([kept?.at, await all(kept?.keys())]).toEqual([day(5), ['a']])
  expect(kept?.gone.map(({ from, to }) => [from, to])).toEqual([
    [day(2), day(5)],
    [day(1), day(2)],
  ])
  expect(await Promise.all((kept?.gone ?? []).map((one) => all(one.keys())))).toEqual([
    ['b'],
    ['c'],
  ])
})

test('what lies before a gap does not count', async () => {
  await keep(1, ['a', 'b'])
  await keep(2, ['a'], 1, ['b'])
  await keep(3, ['a'])
  await keep(4, ['a'], 3)
  expect((await lists.read())?.gone).toHaveLength(1)
})

test('what a clock that was set back has named hangs together all the same', async () => {
  await keep(1, ['a', 'b', 'c', 'd'])
  await keep(20, ['a', 'b', 'c'], 1, ['d'])
  await keep(3, ['a', 'b'], 20, ['c'])
  await keep(4, ['a'], 3, ['b'])
  const kept = await lists.read()
  expect(kept?.gone.map(({ from, to }) => [from, to])).toEqual([
    [day(3), day(4)],
    [day(20), day(3)],
    [day(1), day(20)],
  ])
})

test('and goes no earlier for it', async () => {
  mkdirSync(lists.path, { recursive: true })
  const head = gzipSync('{"version":1,"from":"2025-01-01","to":"2025-01-02"}\n')
  for (let one = 0; one < 399; one += 1) {
    const name = `gone-${new Date(Date.UTC(2025, 0, 1) + one * 86_400_000).toISOString().replaceAll(/[-:.]/g, '')}.gz`
    writeFileSync(join(lists.path, name), head)
  }
  await keep(-20_000, ['a', 'b'])
  await keep(-19_999, ['a'], -20_000, ['b'])
  await keep(2, ['a'], -19_999)
  expect((await lists.read())?.gone).toHaveLength(2)
})

test('other buckets and other endpoints have lists of their own', async () => {
  await keep(1, ['a'])
  const { path } = lists
  for (const other of [
    { endpoint: 'https://a.example', bucket: 'other' },
    { endpoint: 'https://b.example', bucket: `media-${nth}` },
  ]) {
    expect(openLists({ stateHome, ...other }).path).not.toBe(path)
    expect(await openLists({ stateHome, ...other }).read()).toBeUndefined()
  }
})

test('nobody else may read them, whatever lay in the way', async () => {
  mkdirSync(lists.path, { recursive: true })
  const foreign = join(stateHome, `foreign-${nth}`)
  writeFileSync(foreign, 'theirs')
  symlinkSync(foreign, join(lists.path, 'list.gz'))
  await keep(1, ['a'])
  await keep(2, ['a'], 1)
  const modes = readdirSync(lists.path).map((name) => statSync(join(lists.path, name)).mode & 0o777)
  expect(modes).toEqual([0o600, 0o600])
  expect(statSync(foreign).size).toBe(6)
})

test('the oldest go: there are never more than 400', async () => {
  mkdirSync(lists.path, { recursive: true })
  for (let one = 0; one < 405; one += 1) {
    const name = `gone-${new Date(Date.UTC(2025, 0, 1) + one * 86_400_000).toISOString().replaceAll(/[-:.]/g, '')}.gz`
    writeFileSync(join(lists.path, name), '')
  }
  await keep(2, ['a'], 1)
  const names = readdirSync(lists.path).filter((name) => name.startsWith('gone-'))
  expect(names).toHaveLength(400)
  expect(names.sort().at(-1)).toContain('gone-20261102')
})

describe('what can not be read is told, and not taken for nothing', () => {
  test.each([
    ['no gzip', () => writeFileSync(join(lists.path, 'list.gz'), 'words')],
    [
      'a part of it',
      () => writeFileSync(join(lists.path, 'list.gz'), Buffer.from([0x1f, 0x8b, 8, 0])),
    ],
    [
      'a folder',
      () => {
        rmSync(join(lists.path, 'list.gz'))
        mkdirSync(join(lists.path, 'list.gz'))
      },
    ],
    [
      'a link',
      () => {
        rmSync(join(lists.path, 'list.gz'))
        symlinkSync('/etc/hostname', join(lists.path, 'list.gz'))
      },
    ],
  ])('%s', async (_, spoil) => {
    await keep(1, ['a'])
    spoil()
    const why = expect.stringMatching(/^list\.gz(: It is a (folder\.|link,)| is damaged\.)/)
    await expect(lists.read()).rejects.toMatchObject({ code: 'lists-unreadable', why })
  })

  test('the line that begins anew works each time', async () => {
    for (let time = 1; time <= 3; time += 1) {
      await keep(1, ['a'])
      writeFileSync(join(lists.path, 'list.gz'), `words ${time}`)
      const { next } = await problemOf(lists.read())
      execFileSync('sh', ['-c', String(next).split('they know: ')[1] ?? ''])
      expect(await lists.read()).toBeUndefined()
    }
    const aside = readdirSync(dirname(lists.path)).filter((name) =>
      name.startsWith(`${basename(lists.path)}.old-`),
    )
    const kept = aside.map((name) =>
      readFileSync(join(dirname(lists.path), name, 'list.gz'), 'utf8'),
    )
    expect(kept.sort()).toEqual(['words 1', 'words 2', 'words 3'])
  })

  test('nowhere to keep it', async () => {
    writeFileSync(join(stateHome, `file-${nth}`), '')
    lists = openLists({
      stateHome: join(stateHome, `file-${nth}`),
      endpoint: 'https://a.example',
      bucket: 'media',
    })
    await expect(keep(1, ['a'])).rejects.toMatchObject({ code: 'list-not-kept' })
  })
})

test('two runs at once: what is kept is whole, and reaches back to where both began', async () => {
  await keep(1, ['a', 'b'])
  const many = Array.from({ length: 50_000 }, (_, nth) => `b/${String(nth).padStart(8, '0')}`)
  await Promise.all([
    keep(2, ['a', ...many], 1, ['b']),
    keep(3, ['a', ...many], 1, ['b']),
    keep(4, ['a'], 1, ['b']),
  ])
  const kept = await lists.read()
  expect(await all(kept?.keys())).toHaveLength(kept?.at.getTime() === day(4).getTime() ? 1 : 50_001)
  expect(kept?.gone.map(({ from }) => from)).toEqual([day(1)])
  expect(await all(kept?.gone[0]?.keys())).toEqual(['b'])
  expect(readdirSync(lists.path).filter((name) => name.endsWith('.new'))).toEqual([])
})

test('what a killed run left half written goes a day later', async () => {
  await keep(1, ['a'])
  const [old, young, foreign] = [
    `gone-20261101T000000000Z.gz.${randomUUID()}.new`,
    `list.gz.${randomUUID()}.new`,
    'site.conf.new',
  ]
  for (const name of [old, young, foreign]) writeFileSync(join(lists.path, name), 'half')
  for (const name of [old, foreign]) utimesSync(join(lists.path, name), new Date(0), new Date(0))
  await keep(2, ['a'], 1)
  const left = readdirSync(lists.path).filter((name) => name.endsWith('.new'))
  expect(left.sort()).toEqual([young, foreign])
})
