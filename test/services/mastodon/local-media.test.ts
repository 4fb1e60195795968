import { chmod, mkdir, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { localMedia, mediaRoot } from '../../../src/services/mastodon/candidate.ts'
import { scratch, unprivileged, write } from './scratch.ts'

const root = scratch()
const limits = { files: 3, ms: 10_000 }

test.each([
  [undefined, '/live/public/system'],
  ['', '/live/public/system'],
  ['media', '/live/media'],
  ['/srv/media', '/srv/media'],
  [':rails_root/public/media', '/live/public/media'],
])('PAPERCLIP_ROOT_PATH %j means %s', (value, path) => {
  expect(mediaRoot('/live', value)).toBe(path)
})

test('counts files below, hidden ones left out, through a symlinked root', async () => {
  write(root, { 'two/a/b/1.png': '', 'two/c/2.png': '', 'two/.keep': '', 'two/.git/x': '' })
  await symlink('two', join(root, 'link'))
  for (const name of ['two', 'link']) {
    const found = await localMedia(join(root, name), limits)
    expect(found).toEqual({ root: join(root, name), files: 2, more: false, readable: true })
  }
})

test('stops at the bound', async () => {
  write(root, { 'many/1': '', 'many/2': '', 'many/3': '', 'many/4': '' })
  expect(await localMedia(join(root, 'many'), limits)).toMatchObject({ files: 3, more: true })
})

test('stops when the time is up', async () => {
  write(root, { 'deep/a/1': '', 'deep/b/2': '' })
  const found = await localMedia(join(root, 'deep'), { files: 1000, ms: 0 })
  expect(found).toMatchObject({ files: 0, more: true })
})

test('no folder holds no files', async () => {
  expect(await localMedia(join(root, 'none'))).toMatchObject({ files: 0, readable: true })
})

test('says when it may not look', async () => {
  await mkdir(join(root, 'shut'))
  await chmod(join(root, 'shut'), 0o000)
  const found = await unprivileged(() => localMedia(join(root, 'shut')))
  expect(found).toMatchObject({ files: 0, more: false, readable: false })
})
