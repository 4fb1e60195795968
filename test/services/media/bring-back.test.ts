import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { connectBringBack } from '../../../src/services/media/bring-back.ts'
import { problemOf } from '../../fakes/found.ts'
import { scratch, write } from '../mastodon/scratch.ts'

const body = new TextEncoder().encode('picture')
const old = 'media_attachments/files/109/001/original/aaaa.png'
const fresh = 'media_attachments/files/109/002/original/bbbb.png'

function system(mode = 0o640): string {
  const root = join(scratch(), 'system')
  write(root, { [old]: 'old' })
  chmodSync(join(root, old), mode)
  chmodSync(join(root, 'media_attachments/files/109'), 0o2750)
  return root
}

test.each([0o640, 0o664, 0o600])('a file is added as the ones around it, mode %o', async (mode) => {
  const root = system(mode)
  expect(await connectBringBack(root).add(fresh, body)).toBe(true)
  const path = join(root, fresh)
  expect(readFileSync(path, 'utf8')).toBe('picture')
  expect(statSync(path).mode & 0o7777).toBe(mode)
  expect(statSync(join(root, 'media_attachments/files/109/002')).mode & 0o7777).toBe(0o2750)
  expect(readdirSync(join(path, '..'))).toEqual(['bbbb.png'])
})

test('media of a suspended user is no model for others', async () => {
  const root = system(0o600)
  write(root, { 'accounts/avatars/1/original/c.png': 'x' })
  chmodSync(join(root, 'accounts/avatars/1/original/c.png'), 0o644)
  await connectBringBack(root).add('accounts/avatars/2/original/d.png', body)
  expect(statSync(join(root, 'accounts/avatars/2/original/d.png')).mode & 0o777).toBe(0o644)
})

test('an empty folder takes what is usual', async () => {
  const root = join(scratch(), 'system')
  mkdirSync(root)
  await connectBringBack(root).add(fresh, body)
  expect(statSync(join(root, fresh)).mode & 0o777).toBe(0o644)
})

test('what is there stays', async () => {
  const root = system()
  expect(await connectBringBack(root).add(old, body)).toBe(false)
  expect(readFileSync(join(root, old), 'utf8')).toBe('old')
  expect(readdirSync(join(root, old, '..'))).toEqual(['aaaa.png'])
})

test.each(['../x', 'a/../../x', '/etc/x', 'a//b', './a', '', 'a\0b'])(
  'a key that leads elsewhere is refused: %j',
  async (key) => {
    const root = system()
    const problem = await problemOf(connectBringBack(root).add(key, body))
    expect(problem.code).toBe('media-not-brought-back')
    expect(existsSync(join(root, '../x'))).toBe(false)
  },
)

test('a folder that is a file is a Problem', async () => {
  const root = system()
  const problem = await problemOf(connectBringBack(root).add(`${old}/x.png`, body))
  expect(problem.why).toContain('still in the bucket')
})

test.runIf(process.geteuid?.() === 0)('owner and group are those of the folder above', async () => {
  const root = system()
  chownSync(join(root, 'media_attachments/files/109'), 4711, 4712)
  await connectBringBack(root).add(fresh, body)
  const { uid, gid } = statSync(join(root, fresh))
  expect([uid, gid]).toEqual([4711, 4712])
  expect(statSync(join(root, 'media_attachments/files/109/002')).uid).toBe(4711)
})
