import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { scratch, unprivileged, write } from './scratch.ts'

const root = scratch()
write(root, { plain: 'A=1\n', binary: 'A=\0', big: '#'.repeat(300_000), 'shut/env': 'A=1\n' })
await mkdir(join(root, 'folder'))
await symlink('ring', join(root, 'ring'))
await symlink('plain', join(root, 'link'))
await chmod(join(root, 'plain'), 0o640)
await chmod(join(root, 'shut'), 0o700)

test('a file, by a symlink', async () => {
  expect(await readEnvFile(join(root, 'link'))).toEqual({
    path: join(root, 'link'),
    realPath: join(root, 'plain'),
    exists: true,
    text: 'A=1\n',
    mode: 0o640,
    writable: true,
  })
})

test('no file yet', async () => {
  expect(await readEnvFile(join(root, 'folder/new'))).toMatchObject({
    realPath: join(root, 'folder/new'),
    exists: false,
    text: '',
    mode: undefined,
    writable: true,
  })
})

test.each([
  ['folder', 'env-file-is-folder'],
  ['none/env', 'env-file-folder-missing'],
  ['plain/env', 'env-file-folder-missing'],
  ['binary', 'env-file-not-text'],
  ['big', 'env-file-not-text'],
  ['/dev/null', 'env-file-not-text'],
  ['ring', 'env-file-unreadable'],
  ['shut/env', 'env-file-unreadable'],
])('%s is refused: %s', async (name, code) => {
  const path = name.startsWith('/') ? name : join(root, name)
  if (name.startsWith('shut')) await chmod(join(root, 'shut'), 0o000)
  const reading = unprivileged(() => readEnvFile(path))
  await expect(reading).rejects.toMatchObject({ code, exit: 2, next: expect.stringMatching(/\S/) })
})
