import { execFileSync } from 'node:child_process'
import { chownSync, linkSync, readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs'
import { chmod, mkdir, readFile, rm, stat, writeFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { beforeEach, expect, test } from 'vitest'
import { readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { writeEnvFile } from '../../../src/services/mastodon/env-write.ts'
import { run } from '../../../src/services/process/run.ts'
import { leftBehind } from '../../../src/setup/env-file.ts'
import { scratch, unprivileged } from './scratch.ts'

const root = scratch()
const now = new Date('2026-11-22T10:20:30.456Z')
let count = 0
let path: string

beforeEach(async () => {
  count += 1
  path = join(root, String(count), '.env.production')
  await mkdir(dirname(path))
  await writeFile(path, 'A=caf\xe9\n', 'latin1')
  await chmod(path, 0o640)
})

const names = () => readdirSync(dirname(path)).sort()

test('replaces the file and keeps a backup', async () => {
  const file = await readEnvFile(path)
  const written = await writeEnvFile(file, `${file.text}B=1\n`, { now })
  const backup = `${path}.mastodon-r2-20261122T102030Z.bak`
  expect(written).toEqual({ changed: true, backup })
  expect(await readFile(path, 'latin1')).toBe('A=caf\xe9\nB=1\n')
  expect(await readFile(backup, 'latin1')).toBe('A=caf\xe9\n')
  expect(names()).toEqual([basename(path), basename(backup)])
})

test.each([0o640, 0o644, 0o600, 0o660])('keeps mode %o; the backup is private', async (mode) => {
  await chmod(path, mode)
  const { backup } = await writeEnvFile(await readEnvFile(path), 'A=2\n', { now })
  expect((await stat(path)).mode & 0o7777).toBe(mode)
  expect((await stat(backup ?? '')).mode & 0o7777).toBe(0o600)
})

test('keeps the owner and group, of the backup too', async () => {
  const { uid, gid } = statSync(path)
  const owner = uid === 0 ? { uid: 1234, gid: 2345 } : { uid, gid }
  chownSync(path, owner.uid, owner.gid)
  const { backup } = await writeEnvFile(await readEnvFile(path), 'A=2\n', { now })
  expect(statSync(path)).toMatchObject(owner)
  expect(statSync(backup ?? '')).toMatchObject(owner)
})

test('writes nothing when there is nothing to change', async () => {
  const before = statSync(path)
  const file = await readEnvFile(path)
  expect(await writeEnvFile(file, file.text, { now })).toEqual({
    changed: false,
    backup: undefined,
  })
  expect(statSync(path)).toMatchObject({ ino: before.ino, mtimeMs: before.mtimeMs })
  expect(names()).toEqual([basename(path)])
})

test('makes a new file private, owned like its folder, without a backup', async () => {
  await rm(path)
  const folder = dirname(path)
  if (statSync(folder).uid === 0) chownSync(folder, 1234, 2345)
  const written = await writeEnvFile(await readEnvFile(path), 'A=1\n', { now })
  expect(written).toEqual({ changed: true, backup: undefined })
  const { uid, gid } = statSync(folder)
  expect(statSync(path)).toMatchObject({ uid, gid })
  expect(statSync(path).mode & 0o7777).toBe(0o600)
})

test('follows symlinks, and leaves them', async () => {
  const link = join(root, `link-${count}`)
  symlinkSync(path, link)
  const { backup } = await writeEnvFile(await readEnvFile(link), 'A=2\n', { now })
  expect(readFileSync(path, 'utf8')).toBe('A=2\n')
  expect(readFileSync(link, 'utf8')).toBe('A=2\n')
  expect(dirname(backup ?? '')).toBe(dirname(path))
})

test('makes the file that a dangling symlink means', async () => {
  await rm(path)
  const link = join(root, `dangling-${count}`)
  symlinkSync(path, link)
  await writeEnvFile(await readEnvFile(link), 'A=2\n', { now })
  expect(readFileSync(path, 'utf8')).toBe('A=2\n')
})

test('keeps both backups of one second', async () => {
  await writeEnvFile(await readEnvFile(path), 'A=2\n', { now })
  const { backup } = await writeEnvFile(await readEnvFile(path), 'A=3\n', { now })
  expect(backup).toMatch(/Z-2\.bak$/)
  expect(readFileSync(backup ?? '', 'utf8')).toBe('A=2\n')
})

test.each<[what: string, change: () => Promise<void>]>([
  ['edited', () => writeFile(path, 'A=other\n')],
  ['removed', () => rm(path)],
])('refuses a file that was %s in the meantime', async (_, change) => {
  const file = await readEnvFile(path)
  await change()
  const before = names()
  const writing = writeEnvFile(file, 'A=2\n', { now })
  await expect(writing).rejects.toMatchObject({ code: 'env-file-changed' })
  expect(names()).toEqual(before)
})

test('refuses a file that appeared in the meantime', async () => {
  await rm(path)
  const file = await readEnvFile(path)
  await writeFile(path, 'A=theirs\n')
  const writing = writeEnvFile(file, 'A=2\n', { now })
  await expect(writing).rejects.toMatchObject({ code: 'env-file-changed' })
})

test('says who may not write, and leaves nothing behind', async () => {
  await chmod(path, 0o644)
  await chmod(dirname(path), 0o555)
  const file = await unprivileged(() => readEnvFile(path))
  expect(file.writable).toBe(false)
  await unprivileged(async () => {
    const writing = writeEnvFile(file, 'A=2\n', { now })
    await expect(writing).rejects.toMatchObject({ code: 'env-file-not-writable' })
  })
  expect(names()).toEqual([basename(path)])
})

test("takes its backup back when the owner can't be kept", async () => {
  await chmod(path, 0o644)
  await chmod(dirname(path), 0o777)
  const foreign = statSync(path).uid === 0
  const file = await unprivileged(() => readEnvFile(path))
  expect(file.writable).toBe(!foreign)
  const outcome = await unprivileged(() =>
    writeEnvFile(file, 'A=2\n', { now }).then(
      () => 'written',
      (error: { code: string }) => error.code,
    ),
  )
  expect(outcome).toBe(foreign ? 'env-file-not-writable' : 'written')
  expect(names()).toHaveLength(foreign ? 1 : 2)
})

test('what a killed run left is removed, and nothing else', async () => {
  const left = `${dirname(path)}/.${basename(path)}.mastodon-r2-0123456789ab`
  const others = [`${left}.swp`, `${dirname(path)}/.${basename(path)}.swp`]
  for (const name of [left, ...others]) await writeFile(name, 'SECRET=1\n')
  const { backup } = await writeEnvFile(await readEnvFile(path), 'A=2\n', { now })
  const kept = [path, backup ?? '', ...others].map((name) => basename(name))
  expect(names()).toEqual(kept.sort())
})

const tell = (program: string, ...args: string[]) => execFileSync(program, args).toString()
const programs = (PATH = process.env.PATH) => ({
  run: (command: Parameters<typeof run>[0]) => run(command, { environment: { PATH } }),
})

test('keeps an ACL and extended attributes; the backup has none, so that it stays private', async () => {
  tell('setfacl', '-m', 'u:33:r--,m::r--', path)
  tell('setfattr', '-n', 'user.note', '-v', 'ours', path)
  const about = () => tell('getfacl', '-cpn', path) + tell('getfattr', '-d', '--only-values', path)
  const before = about()
  expect(before).toContain('user:33:r--')
  const warned: string[] = []
  const how = { now, runner: programs(), warn: (line: string) => void warned.push(line) }
  const { backup = '' } = await writeEnvFile(await readEnvFile(path), 'A=2\n', how)
  expect(await readFile(path, 'utf8')).toBe('A=2\n')
  expect(about()).toBe(before)
  expect(warned).toEqual([])
  expect(tell('getfacl', '-cpn', backup).trim()).toBe('user::rw-\ngroup::---\nother::---')
})

test('where no program can copy them, that is said, and the file is written', async () => {
  const warned: string[] = []
  const how = { now, runner: programs('/nowhere'), warn: (line: string) => void warned.push(line) }
  await writeEnvFile(await readEnvFile(path), 'A=2\n', how)
  expect(await readFile(path, 'utf8')).toBe('A=2\n')
  expect((await stat(path)).mode & 0o7777).toBe(0o640)
  expect(warned).toEqual([expect.stringMatching(/ACL or extended attributes, they are gone/)])
})

test('other names of the file are told of: they keep the old content', async () => {
  expect(leftBehind(await readEnvFile(path))).toEqual([])
  const other = join(dirname(path), 'other')
  linkSync(path, other)
  const file = await readEnvFile(path)
  expect(leftBehind(file)).toEqual([expect.stringMatching(/another name .*-samefile/)])
  await writeEnvFile(file, 'A=2\n', { now })
  expect(await readFile(other, 'latin1')).toBe('A=caf\xe9\n')
})
