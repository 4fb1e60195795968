import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeEach, expect, test } from 'vitest'
import { noteHolder } from '../../src/core/lock-file.ts'
import { removeAbandoned } from '../../src/rehearse/scratch-folder.ts'

const all = mkdtempSync(join(tmpdir(), 'mastodon-r2-scratch-'))
afterAll(() => rmSync(all, { recursive: true, force: true }))
const own = process.getuid?.()
let parent: string
beforeEach(() => {
  parent = mkdtempSync(join(all, 'tmp-'))
})

/** As a rehearsal leaves it, whose process is gone unless `runs`. */
async function folderOf({ name = 'mastodon-r2-rehearsal-aB3xYz', runs = false } = {}) {
  const folder = join(parent, name)
  mkdirSync(folder)
  writeFileSync(join(folder, '.env.production'), 'SECRET_KEY_BASE=abc\n')
  const lock = join(folder, 'rehearsal.lock')
  await noteHolder(lock, { pid: process.pid, command: 'init' })
  if (!runs)
    writeFileSync(lock, readFileSync(lock, 'utf8').replace(/"started":"\d+"/, '"started":"1"'))
  return folder
}

test('what a killed run has left goes', async () => {
  const folder = await folderOf()
  await removeAbandoned(parent, own)
  expect(existsSync(folder)).toBe(false)
})

test.each([
  ['a rehearsal that runs', () => folderOf({ runs: true })],
  ['a folder by another name', () => folderOf({ name: 'mastodon-r2-rehearsals' })],
  [
    'a folder that does not say whose it is',
    async () => {
      const folder = await folderOf()
      rmSync(join(folder, 'rehearsal.lock'))
      return folder
    },
  ],
])('%s stays', async (_, make) => {
  const folder = await make()
  await removeAbandoned(parent, own)
  expect(existsSync(folder)).toBe(true)
})

test('what belongs to somebody else stays, and a link is no folder', async () => {
  const folder = await folderOf()
  await removeAbandoned(parent, (own ?? 0) + 1)
  expect(existsSync(folder)).toBe(true)
  const elsewhere = await folderOf({ name: 'elsewhere' })
  symlinkSync(elsewhere, join(parent, 'mastodon-r2-rehearsal-link00'))
  await removeAbandoned(parent, own)
  expect(existsSync(join(elsewhere, '.env.production'))).toBe(true)
})

test('a folder that can not be read stops nothing', async () => {
  await removeAbandoned(join(parent, 'nothing'), own)
})
