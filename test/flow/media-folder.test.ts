import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  chownSync,
  existsSync,
  lchownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { openMediaFolder } from '../../src/flow/media-folder.ts'
import { cli } from '../e2e/program.ts'
import { scratch } from '../services/mastodon/scratch.ts'
import { readAll } from '../services/media/scratch-tree.ts'

/** Ordinary users; this machine knows the second one by its number alone. */
const [OWNER, OTHER] = [33, 4711]
const isRoot = process.getuid?.() === 0
const needsRoot = isRoot ? '' : ' (needs root: runs in CI)'

/** A media folder of OWNER's below a folder that only root may search, as with Docker in /root. */
function media(files: Readonly<Record<string, string>> = {}) {
  const home = scratch()
  const root = join(home, 'live/public/system')
  mkdirSync(root, { recursive: true })
  for (const [key, text] of Object.entries({ 'a/own.png': 'own', ...files })) put(root, key, text)
  chmodSync(home, 0o700)
  give(root)
  return { home, root }
}

function put(root: string, key: string, text = 'x', mode = 0o644): string {
  const path = join(root, key)
  mkdirSync(dirname(path), { recursive: true })
  writeFileSync(path, text)
  chmodSync(path, mode)
  return path
}

const give = (path: string, uid = OWNER) => execFileSync('chown', ['-hR', `${uid}:${uid}`, path])

function link(target: string, path: string, uid = OWNER): void {
  symlinkSync(target, path)
  lchownSync(path, uid, uid)
}

async function open(root: string) {
  const atEnd: (() => Promise<unknown>)[] = []
  onTestFinished(async () => {
    for (const end of atEnd) await end()
  })
  const host = { userId: 0, execPath: process.execPath, script: cli, environment: process.env }
  return openMediaFolder({ host, atEnd }, root)
}

const bytes = (text: string) => new TextEncoder().encode(text)
const text = (body: Uint8Array) => Buffer.from(body).toString()

describe.runIf(isRoot)(`root reads with the rights of the folder's owner${needsRoot}`, () => {
  test.each<{ what: string; lay: (at: { home: string; root: string }) => void; odd: string[] }>([
    {
      what: "a link to root's secret",
      lay: ({ home, root }) => link(put(home, 'secret', 's', 0o600), join(root, 'a/l.png')),
      odd: ['foreign a/l.png'],
    },
    {
      what: 'a link to a file for all',
      lay: ({ root }) => link('/etc/passwd', join(root, 'a/l')),
      odd: ['foreign a/l'],
    },
    {
      what: 'a link to a folder',
      lay: ({ root }) => link('/etc', join(root, 'etc')),
      odd: ['foreign etc/'],
    },
    {
      what: 'a file that is closed to the owner',
      lay: ({ root }) => put(root, 'a/closed.png', 'c', 0o600),
      odd: ['unreadable a/closed.png'],
    },
    {
      what: 'a folder that is closed to the owner',
      lay: ({ root }) => {
        put(root, 'b/c.png')
        chmodSync(join(root, 'b'), 0o700)
      },
      odd: ['unreadable b/'],
    },
    {
      what: "another user's file behind a link to an own folder",
      lay: ({ root }) => {
        const elsewhere = scratch()
        chmodSync(elsewhere, 0o755)
        put(elsewhere, 'd/foreign.png')
        put(elsewhere, 'd/e/foreign.png')
        chownSync(join(elsewhere, 'd'), OWNER, OWNER)
        link(join(elsewhere, 'd'), join(root, 'linked'))
      },
      odd: ['outside-link linked/', 'foreign linked/e/', 'foreign linked/foreign.png'],
    },
  ])('$what is left out, and named', async ({ lay, odd }) => {
    const at = media()
    lay(at)
    const { source } = await open(at.root)
    const read = await readAll(source)
    expect({ keys: read.keys, odd: read.odd }).toEqual({ keys: ['a/own.png'], odd })
    for (const path of odd
      .map((line) => line.replace(/^\S+ /, ''))
      .filter((p) => !p.endsWith('/'))) {
      await expect(source.read(path)).rejects.toMatchObject({ code: 'media-file-unreadable' })
    }
  })

  test.each<{ what: string; lay: () => string }>([
    { what: 'as it usually is', lay: () => media().root },
    {
      what: 'as a whole a link of its owner',
      lay: () => {
        const { home, root } = media()
        link(root, join(home, 'link'))
        return join(home, 'link')
      },
    },
    {
      what: "as a whole root's link",
      lay: () => {
        const { home, root } = media()
        link(root, join(home, 'link'), 0)
        return join(home, 'link')
      },
    },
    {
      what: "root's mount point with what is the owner's",
      lay: () => {
        const { root } = media()
        chownSync(root, 0, 0)
        return root
      },
    },
    {
      what: 'a part of it elsewhere',
      lay: () => {
        const { root } = media({ 'b/c.png': 'c' })
        const elsewhere = scratch()
        chmodSync(elsewhere, 0o755)
        put(elsewhere, 'd/a/own.png', 'own')
        give(join(elsewhere, 'd'))
        execFileSync('rm', ['-r', root])
        mkdirSync(root)
        chownSync(root, OWNER, OWNER)
        link(join(elsewhere, 'd/a'), join(root, 'a'))
        return root
      },
    },
  ])('a media folder works on: $what', async ({ lay }) => {
    const { source, from } = await open(lay())
    const { files } = await readAll(source)
    expect(files.map(({ key, size, mode }) => [key, size, mode])).toEqual([['a/own.png', 3, 0o644]])
    expect(from.as?.uid).toBe(OWNER)
    expect(await source.find('a/own.png')).toMatchObject({ key: 'a/own.png', size: 3 })
    expect(text(await source.read('a/own.png'))).toBe('own')
    const pieces: Uint8Array[] = []
    for await (const piece of source.content?.('a/own.png') ?? []) pieces.push(piece)
    expect(text(Buffer.concat(pieces))).toBe('own')
    expect(await from.look?.('a/none.png')).toBe('ENOENT')
  })

  test("a link that the owner made in the folder's place gives nobody else's files", async () => {
    const { root } = media()
    const theirs = scratch()
    chmodSync(theirs, 0o755)
    put(theirs, 'd/open.png')
    put(theirs, 'd/closed.png', 'x', 0o600)
    give(join(theirs, 'd'), OTHER)
    execFileSync('rm', ['-r', root])
    link(join(theirs, 'd'), root)
    const { source, from } = await open(root)
    expect(from.as?.uid).toBe(OWNER)
    expect((await readAll(source)).odd).toContain('unreadable closed.png')
    await expect(source.read('closed.png')).rejects.toMatchObject({ code: 'media-file-unreadable' })
  })

  test("a swapped link gives nothing that was not the owner's to read", async () => {
    const { home, root } = media()
    const { source } = await open(root)
    expect((await readAll(source)).keys).toEqual(['a/own.png'])
    execFileSync('rm', [join(root, 'a/own.png')])
    link(put(home, 'secret', 's', 0o600), join(root, 'a/own.png'))
    await expect(source.read('a/own.png')).rejects.toMatchObject({ code: 'media-file-unreadable' })
  })

  test('it has the groups of the account, and no way back', async () => {
    const { root } = media()
    const { from } = await open(root)
    const groups = execFileSync('id', ['-G', 'www-data'], { encoding: 'utf8' }).trim().split(' ')
    expect(from.as?.groups.map(String).sort()).toEqual(groups.sort())
  })

  test('many files arrive in their order, and reading ends when nobody wants more', async () => {
    const files = Object.fromEntries(
      Array.from({ length: 3_500 }, (_, index) => [`d/${String(index).padStart(6, '0')}.png`, 'x']),
    )
    const { source } = await open(media(files).root)
    expect((await readAll(source)).keys).toEqual(['a/own.png', ...Object.keys(files)])
    for await (const batch of source.files({ few: true })) {
      expect(batch.length).toBeLessThan(100)
      break
    }
    const stopped = readAll(source, { signal: AbortSignal.abort() })
    await expect(stopped).rejects.toMatchObject({ name: 'Cancelled' })
  })
})

describe.runIf(isRoot)(`what comes back is written as the owner${needsRoot}`, () => {
  test('with owner, group and mode of the files around it', async () => {
    const { root } = media()
    const { bringBack } = await open(root)
    expect(await bringBack.add('a/b/new.png', bytes('new'))).toBe(true)
    expect(await bringBack.add('a/own.png', bytes('other'))).toBe(false)
    for (const path of ['a/b', 'a/b/new.png']) {
      const { uid, gid } = statSync(join(root, path))
      expect([path, uid, gid]).toEqual([path, OWNER, OWNER])
    }
    expect(statSync(join(root, 'a/b/new.png')).mode & 0o777).toBe(0o644)
    expect(readFileSync(join(root, 'a/own.png'), 'utf8')).toBe('own')
  })

  test.each<{ what: string; key: string; lay: (root: string, elsewhere: string) => void }>([
    {
      what: 'a link to a folder',
      key: 'evil/x.png',
      lay: (root, to) => link(to, join(root, 'evil')),
    },
    {
      what: 'a link deep below',
      key: 'a/b/evil/c/x.png',
      lay: (root, to) => {
        mkdirSync(join(root, 'a/b'))
        give(join(root, 'a/b'))
        link(to, join(root, 'a/b/evil'))
      },
    },
    {
      what: "root's link",
      key: 'evil/x.png',
      lay: (root, to) => link(to, join(root, 'evil'), 0),
    },
    {
      what: 'a link that leads nowhere yet',
      key: 'a/x.png',
      lay: (root, to) => link(join(to, 'x.png'), join(root, 'a/x.png')),
    },
    { what: 'a name that leads out', key: '../x.png', lay: () => undefined },
  ])('never through $what', async ({ key, lay }) => {
    const { root } = media()
    const elsewhere = scratch()
    chmodSync(elsewhere, 0o777)
    lay(root, elsewhere)
    const { bringBack } = await open(root)
    const outcome = await bringBack
      .add(key, bytes('new'))
      .catch((error: { code: string }) => error.code)
    expect([false, 'media-not-brought-back']).toContain(outcome)
    expect(readdirSync(elsewhere)).toEqual([])
    expect(existsSync(join(root, '../x.png'))).toBe(false)
  })
})
