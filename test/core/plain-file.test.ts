import { execFileSync } from 'node:child_process'
import { mkdirSync, renameSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { holdFolder, readPlain } from '../../src/core/plain-file.ts'
import { scratch } from '../services/mastodon/scratch.ts'

test.each<[what: string, lay: (path: string) => void, code: string]>([
  ['a link', (path) => symlinkSync('/etc/passwd', path), 'ELOOP'],
  ['a link that leads nowhere', (path) => symlinkSync('/nowhere', path), 'ELOOP'],
  ['a folder', (path) => mkdirSync(path), 'EISDIR'],
  ['a pipe', (path) => execFileSync('mkfifo', [path]), 'ENOTSUP'],
  ['too much', (path) => writeFileSync(path, 'x'.repeat(101)), 'EFBIG'],
  ['nothing', () => undefined, 'ENOENT'],
])('%s is not read', async (_, lay, code) => {
  const path = join(scratch(), 'file')
  lay(path)
  await expect(readPlain(path, { most: 100 })).rejects.toMatchObject({ code })
})

test('a plain file is read, and behind a link where that is allowed', async () => {
  const folder = scratch()
  writeFileSync(join(folder, 'a'), 'x'.repeat(100))
  symlinkSync('a', join(folder, 'b'))
  expect((await readPlain(join(folder, 'a'), { most: 100 })).bytes).toHaveLength(100)
  expect((await readPlain(join(folder, 'b'), { follow: true })).bytes).toHaveLength(100)
  await expect(readPlain('/dev/zero', { most: 100 })).rejects.toMatchObject({ code: 'ENOTSUP' })
})

test('a held folder stays the same, whatever takes its place', async () => {
  const folder = scratch()
  mkdirSync(join(folder, 'a'))
  mkdirSync(join(folder, 'elsewhere'))
  const held = await holdFolder(join(folder, 'a'))
  renameSync(join(folder, 'a'), join(folder, 'moved'))
  symlinkSync('elsewhere', join(folder, 'a'))
  writeFileSync(held.at('file'), 'x')
  expect((await readPlain(join(folder, 'moved/file'))).bytes.toString()).toBe('x')
  await held.close()
  await expect(holdFolder(join(folder, 'a'))).rejects.toMatchObject({ code: 'ENOTDIR' })
  mkdirSync(join(folder, 'elsewhere/deep'))
  await expect(holdFolder(join(folder, 'a/deep'))).rejects.toMatchObject({ code: 'ELOOP' })
})
