import { mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { makeFolder } from '../../src/core/make-folder.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-make-folder-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

test('with those above it, for their owner alone; twice, and two at once', async () => {
  const path = join(folder, 'a/b/c')
  await Promise.all([makeFolder(path), makeFolder(path), makeFolder(join(folder, 'a/b/d'))])
  await makeFolder(path)
  for (const one of [path, join(folder, 'a')]) expect(statSync(one).mode & 0o777).toBe(0o700)
})

test('a link to a folder is as good', async () => {
  symlinkSync(folder, join(folder, 'link'))
  await makeFolder(join(folder, 'link/below'))
  expect(statSync(join(folder, 'below')).isDirectory()).toBe(true)
})

test.each([
  ['a file', 'file'],
  ['a name below a file', 'file/below/it'],
  ['a link that leads nowhere', 'nowhere'],
])('%s in its place is no folder', async (_, name) => {
  writeFileSync(join(folder, 'file'), '')
  rmSync(join(folder, 'nowhere'), { force: true })
  symlinkSync(join(folder, 'gone'), join(folder, 'nowhere'))
  await expect(makeFolder(join(folder, name))).rejects.toMatchObject({ code: 'ENOTDIR' })
})

test.skipIf(process.platform !== 'linux')('where nothing can be made it ends', async () => {
  await expect(makeFolder('/proc/nothing/below')).rejects.toMatchObject({ code: 'ENOENT' })
})
