import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Cancelled, Problem } from '../../../src/core/problem.ts'
import { localTree } from '../../../src/services/media/tree.ts'
import { readAll, scratchTree } from './scratch-tree.ts'

const inBytes = (keys: readonly string[]) =>
  [...keys].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)))

const problemOf = async (root: string) => {
  const error = await readAll(localTree(root)).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  if (!(error instanceof Problem)) throw new Error(`No Problem, but ${error}`)
  return error
}

describe('localTree', () => {
  it('gives files in the byte order of the whole keys', async () => {
    const keys = ['a/b', 'a-b', 'a0', 'a.jpg', 'a/b.d/e', 'a/b-c', 'z', 'Z', '\u00e9/1', 'a b/c']
    const odd = ['\u{1F600}.png', '\uFB01.png', 'line\nbreak.jpg', 'x'.repeat(200), '100/200/3']
    const wanted = [...keys, ...odd].filter((key) => key !== 'a/b')
    const root = scratchTree(Object.fromEntries(wanted.map((key) => [key, key])))
    const { keys: given, files, odd: told } = await readAll(localTree(root))
    expect(given).toEqual(inBytes(wanted))
    expect(told).toEqual([])
    for (const { key, size } of files) expect(size).toBe(Buffer.byteLength(key))
  })

  it('gives the same backwards where what is newest should come first', async () => {
    const ids = ['110/345/000', '110/345/001', '110/346/998', '111/000/004', '99', '111.jpg']
    const root = scratchTree({
      ...Object.fromEntries(ids.map((id) => [`media/files/${id}/original/a.jpg`, id])),
      'cache/b.jpg': 'at the end',
    })
    symlinkSync('nowhere', join(root, 'media/dangling'))
    const [forwards, backwards] = [
      await readAll(localTree(root)),
      await readAll(localTree(root), { newestFirst: true }),
    ]
    expect(backwards.files).toEqual(forwards.files.toReversed())
    expect(backwards.odd).toEqual(forwards.odd)
    expect(backwards.keys.at(-1)).toBe('cache/b.jpg')
  })

  it('tells mode, ctime as the time of change, and mtime as that of writing', async () => {
    const root = scratchTree({ 'a.jpg': 'a' })
    chmodSync(join(root, 'a.jpg'), 0o600)
    execFileSync('touch', ['-d', '2001-01-01', join(root, 'a.jpg')], { timeout: 10_000 })
    const { files } = await readAll(localTree(root))
    const { ctimeMs: changedAt, mtimeMs: writtenAt } = statSync(join(root, 'a.jpg'))
    expect(writtenAt).toBeLessThan(changedAt)
    expect(files).toEqual([{ key: 'a.jpg', size: 1, mode: 0o600, changedAt, writtenAt }])
    expect(await localTree(root).find('a.jpg')).toEqual(files[0])
  })

  it('gives batches of 1,000, and a turn to others in between', async () => {
    const names = Array.from({ length: 2500 }, (_, at) => [`f${String(at).padStart(4, '0')}`, ''])
    const root = scratchTree(Object.fromEntries(names))
    let turns = 0
    const timer = setInterval(() => (turns += 1), 0)
    const sizes: number[] = []
    for await (const batch of localTree(root).files()) {
      sizes.push(batch.length)
      const end = performance.now() + 5
      while (performance.now() < end);
    }
    clearInterval(timer)
    expect(sizes).toEqual([1000, 1000, 500])
    expect(turns).toBeGreaterThan(0)
  })

  it('follows a root that is a link, and does not enter what is skipped', async () => {
    const root = scratchTree({ 'cache/a': '', cache2: '', 'accounts/b': '', 'accounts/c': '' })
    const link = join(dirname(root), 'link')
    symlinkSync(root, link)
    symlinkSync('nowhere', join(root, 'cache/dangling'))
    const { keys, odd } = await readAll(localTree(link), { skip: ['cache/', 'accounts/b'] })
    expect(keys).toEqual(['accounts/c', 'cache2'])
    expect(odd).toEqual([])
  })

  it('follows links inside and outside, as old as the younger of link and file', async () => {
    const root = scratchTree({ 'real/a.jpg': 'a', 'b.jpg': 'bb' })
    const outside = join(dirname(root), 'disk')
    mkdirSync(outside)
    writeFileSync(join(outside, 'c.jpg'), 'ccc')
    await new Promise((resolve) => setTimeout(resolve, 30))
    symlinkSync('real', join(root, 'again'))
    symlinkSync(outside, join(root, 'disk'))
    symlinkSync(join(outside, 'c.jpg'), join(root, 'c.jpg'))
    const { files, keys, odd } = await readAll(localTree(root))
    expect(keys).toEqual(['again/a.jpg', 'b.jpg', 'c.jpg', 'disk/c.jpg', 'real/a.jpg'])
    expect(odd).toEqual(['outside-link c.jpg', 'outside-link disk/'])
    const changedAt = Object.fromEntries(files.map((file) => [file.key, file.changedAt]))
    expect(changedAt['again/a.jpg']).toBeGreaterThan(changedAt['real/a.jpg'] ?? 0)
    expect(changedAt['disk/c.jpg']).toBeGreaterThan(statSync(join(outside, 'c.jpg')).ctimeMs)
  })

  it.each<[string, (root: string) => void, string[], string[]]>([
    ['to its folder', (at) => symlinkSync('.', join(at, 'd/l')), ['d/a'], ['loop d/l/']],
    ['to the root', (at) => symlinkSync(at, join(at, 'd/l')), ['d/a'], ['loop d/l/']],
    ['to what holds the root', (at) => symlinkSync('/', join(at, 'd/l')), ['d/a'], ['loop d/l/']],
    ['to itself', (at) => symlinkSync('l', join(at, 'd/l')), ['d/a'], ['loop d/l']],
    ['to nothing', (at) => symlinkSync('gone', join(at, 'd/l')), ['d/a'], ['dangling-link d/l']],
    [
      'to one another, outside',
      (at) => {
        const outside = join(dirname(at), 'o')
        mkdirSync(outside)
        symlinkSync(outside, join(at, 'd/l'))
        symlinkSync(join(at, 'd'), join(outside, 'back'))
      },
      ['d/a'],
      ['outside-link d/l/', 'loop d/l/back/'],
    ],
    [
      'to a device',
      (at) => symlinkSync('/dev/null', join(at, 'd/l')),
      ['d/a'],
      ['outside-link d/l', 'not-a-file d/l'],
    ],
  ])('a link %s', async (_, make, keys, odd) => {
    const root = scratchTree({ 'd/a': '' })
    make(root)
    const read = await readAll(localTree(root))
    expect(read.keys).toEqual(keys)
    expect(read.odd).toEqual(odd)
  })

  it('tells of what is hidden, and does not give it', async () => {
    const root = scratchTree({ '.gitkeep': '', 'a/.DS_Store': '', 'a/b': '', '.git/c': '' })
    const { keys, odd } = await readAll(localTree(root))
    expect(keys).toEqual(['a/b'])
    expect(odd).toEqual(['hidden .git/', 'hidden .gitkeep', 'hidden a/.DS_Store'])
  })

  it('what a file system keeps for itself is no media, at the top of any disk', async () => {
    const root = scratchTree({ 'cache/b': '', 'cache/lost+found/1': '', 'lost+found/2': '' })
    const { keys, odd } = await readAll(localTree(root))
    expect(keys).toEqual(['cache/b'])
    expect(odd).toEqual([])
  })

  it('tells of names that are not UTF-8, and takes U+FFFD where it stands', async () => {
    const root = scratchTree({ 'ok\ufffd.jpg': 'x' })
    writeFileSync(Buffer.concat([Buffer.from(`${root}/bad`), Buffer.from([0xff])]), '')
    const folder = Buffer.concat([Buffer.from(`${root}/dir`), Buffer.from([0xfe])])
    mkdirSync(folder)
    writeFileSync(Buffer.concat([folder, Buffer.from('/x')]), '')
    const { keys, odd } = await readAll(localTree(root))
    expect(keys).toEqual(['ok\ufffd.jpg'])
    expect(odd).toEqual(['name-not-utf8 bad\ufffd', 'name-not-utf8 dir\ufffd/'])
  })

  it('goes on when files and folders vanish', async () => {
    const keys = Array.from({ length: 1500 }, (_, at) => `a/${String(at).padStart(4, '0')}`)
    const root = scratchTree(Object.fromEntries([...keys, 'z/1', 'z/2'].map((key) => [key, ''])))
    const seen: string[] = []
    const odd: string[] = []
    for await (const batch of localTree(root).files({ onOddity: ({ path }) => odd.push(path) })) {
      seen.push(...batch.map(({ key }) => key))
      rmSync(join(root, 'a'), { recursive: true, force: true })
      rmSync(join(root, 'z'), { recursive: true, force: true })
    }
    expect(seen).toEqual(keys.slice(0, 1000))
    expect(odd).toEqual([])
  })

  it('ends with Cancelled', async () => {
    const root = scratchTree({ a: '' })
    const reading = readAll(localTree(root), { signal: AbortSignal.abort() })
    await expect(reading).rejects.toBeInstanceOf(Cancelled)
  })

  it('says what is wrong with the root', async () => {
    const root = scratchTree({ file: '' })
    symlinkSync('loop', join(root, 'loop'))
    for (const name of ['missing', 'file', 'loop']) {
      const problem = await problemOf(join(root, name))
      expect(problem.code).toBe('media-missing')
      expect(problem.what).toContain(join(root, name))
    }
  })

  it('an empty root has no files', async () => {
    expect((await readAll(localTree(scratchTree()))).keys).toEqual([])
  })

  it('finds and reads single files, and nothing outside', async () => {
    const root = scratchTree({ 'a/b': 'content' })
    writeFileSync(join(dirname(root), 'secret'), 'no')
    const tree = localTree(root)
    expect(await tree.find('a/b')).toMatchObject({ key: 'a/b', size: 7, mode: 0o644 })
    expect(Buffer.from(await tree.read('a/b')).toString()).toBe('content')
    for (const key of ['a', 'gone', 'a/b/c', '../secret']) {
      expect(await tree.find(key)).toBeUndefined()
      await expect(tree.read(key)).rejects.toMatchObject({ code: 'media-file-unreadable' })
    }
  })
})
