import { chmod, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { readEnvFile } from '../../../src/services/mastodon/env-read.ts'
import { findBackups, setAside, writeEnvFile } from '../../../src/services/mastodon/env-write.ts'
import { scratch, write } from './scratch.ts'

const noon = new Date('2026-11-22T12:00:00.123Z')

test('backups of writeEnvFile are found, the newest first', async () => {
  const path = join(write(scratch(), { env: 'A=0\n' }), 'env')
  const later = new Date(noon.getTime() + 60_000)
  for (const [index, now] of [noon, noon, later].entries()) {
    await writeEnvFile(await readEnvFile(path), `A=${index + 1}\n`, { now })
  }
  const texts = (await findBackups(path)).map(({ text }) => text)
  expect(texts).toEqual(['A=2\n', 'A=1\n', 'A=0\n'])
})

test('other files, folders and links are no backups', async () => {
  const names = ['env.mastodon-r2-20261122T120000Z.bak~', 'env.bak', 'env.mastodon-r2.lock']
  const other = 'other.mastodon-r2-20261122T120000Z.bak'
  const folder = write(scratch(), Object.fromEntries([...names, other].map((name) => [name, 'x'])))
  await symlink(other, join(folder, 'env.mastodon-r2-20261122T120000Z.bak'))
  expect(await findBackups(join(folder, 'env'))).toEqual([])
  expect(await findBackups(join(folder, 'none', 'env'))).toEqual([])
})

test('a file is set aside whole, for its owner alone', async () => {
  const folder = write(scratch(), { env: 'A=0\n' })
  await chmod(join(folder, 'env'), 0o644)
  const taken = join(folder, 'env.mastodon-r2-20261122T120000Z.bak')
  await writeFile(taken, 'older')
  const { backup } = await setAside(await readEnvFile(join(folder, 'env')), noon)
  expect(backup).toBe(join(folder, 'env.mastodon-r2-20261122T120000Z-2.bak'))
  expect(await readFile(backup, 'utf8')).toBe('A=0\n')
  expect((await stat(backup)).mode & 0o777).toBe(0o600)
  expect(await readdir(folder)).not.toContain('env')
  expect((await findBackups(join(folder, 'env'))).map(({ text }) => text)).toEqual([
    'A=0\n',
    'older',
  ])
})

test('a file that is gone can not be set aside', async () => {
  const path = join(write(scratch(), { env: 'A=0\n' }), 'env')
  const file = await readEnvFile(path)
  await rm(path)
  await expect(setAside(file, noon)).rejects.toMatchObject({ code: 'env-file-changed' })
})
