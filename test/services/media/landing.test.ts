import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { expect, test } from 'vitest'
import { connectLanding } from '../../../src/services/media/bring-back.ts'
import { scratch, write } from '../mastodon/scratch.ts'

const old = 'media_attachments/files/109/001/original/aaaa.png'
const fresh = 'media_attachments/files/109/002/original/bbbb.png'

function system(mode = 0o640): string {
  const root = join(scratch(), 'system')
  write(root, { [old]: 'old' })
  chmodSync(join(root, old), mode)
  return root
}

/** As somebody else would fetch it. */
function fetched(stage: string, key: string, text = 'picture'): void {
  mkdirSync(dirname(join(stage, key)), { recursive: true })
  writeFileSync(join(stage, key), text)
}

const open = { isClosed: false }

test('a fetched file gets its name, with the mode of those around or that of hidden media', async () => {
  const root = system(0o664)
  const landing = connectLanding(root)
  await landing.open()
  expect(statSync(landing.stage).mode & 0o777).toBe(0o700)
  const hidden = fresh.replace('bbbb', 'cccc')
  fetched(landing.stage, fresh)
  fetched(landing.stage, hidden)
  const files = [
    { key: fresh, isClosed: false },
    { key: hidden, isClosed: true },
  ]
  expect(await landing.place(files)).toEqual([])
  expect(statSync(join(root, fresh)).mode & 0o777).toBe(0o664)
  expect(statSync(join(root, hidden)).mode & 0o777).toBe(0o600)
  expect(readFileSync(join(root, fresh), 'utf8')).toBe('picture')
  await landing.close()
  expect(existsSync(landing.stage)).toBe(false)
})

test('what is there stays, and is told', async () => {
  const root = system()
  const landing = connectLanding(root)
  await landing.open()
  fetched(landing.stage, old, 'other')
  expect(await landing.place([{ key: old, ...open }])).toEqual([
    { key: old, reason: 'another file of that name is there' },
  ])
  expect(readFileSync(join(root, old), 'utf8')).toBe('old')
})

test('what is there gives way where it is told to, and has not changed since', async () => {
  const root = system()
  const landing = connectLanding(root)
  await landing.open()
  const { ctimeMs } = statSync(join(root, old))
  fetched(landing.stage, old, 'newer')
  expect(await landing.place([{ key: old, ...open, replaces: ctimeMs - 1 }])).toEqual([
    { key: old, reason: 'it was changed meanwhile' },
  ])
  expect(readFileSync(join(root, old), 'utf8')).toBe('old')
  fetched(landing.stage, old, 'newer')
  expect(await landing.place([{ key: old, ...open, replaces: ctimeMs }])).toEqual([])
  expect(readFileSync(join(root, old), 'utf8')).toBe('newer')
  expect(statSync(join(root, old)).mode & 0o777).toBe(0o640)
  expect(
    readdirSync(landing.stage, { recursive: true, withFileTypes: true }).filter((one) =>
      one.isFile(),
    ),
  ).toEqual([])
})

test('media that is hidden is for its owner alone, and no link leads that elsewhere', async () => {
  const root = system()
  const outside = join(scratch(), 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'a.png'), 'theirs', { mode: 0o644 })
  symlinkSync(outside, join(root, 'accounts'))
  symlinkSync(join(outside, 'a.png'), join(root, 'link.png'))
  const landing = connectLanding(root)
  const keys = [old, fresh, '../system/x', 'accounts/a.png', 'link.png']
  const { hidden, failed } = await landing.hide(keys)
  expect([hidden, failed.map(({ key }) => key)]).toEqual([1, ['accounts/a.png', 'link.png']])
  expect(statSync(join(root, old)).mode & 0o777).toBe(0o600)
  expect(statSync(join(outside, 'a.png')).mode & 0o777).toBe(0o644)
  expect(await landing.hide([old])).toEqual({ hidden: 0, failed: [] })
})

test.each(['../x', 'a/../../x', '/etc/x', 'a//b', './a', '', 'a\0b'])(
  'a name that leads elsewhere is refused: %j',
  async (key) => {
    const landing = connectLanding(system())
    await landing.open()
    expect(await landing.place([{ key, ...open }])).toEqual([
      { key, reason: 'its name leads elsewhere' },
    ])
  },
)

test('a link in the place of a folder, or of what was fetched, is not followed', async () => {
  const root = system()
  const outside = join(scratch(), 'outside')
  mkdirSync(outside)
  writeFileSync(join(outside, 'secret'), 'secret')
  symlinkSync(outside, join(root, 'accounts'))
  const landing = connectLanding(root)
  await landing.open()
  fetched(landing.stage, 'accounts/avatars/a.png')
  mkdirSync(join(landing.stage, 'backups'))
  symlinkSync(join(outside, 'secret'), join(landing.stage, 'backups/b.zip'))
  const files = ['accounts/avatars/a.png', 'backups/b.zip'].map((key) => ({ key, ...open }))
  const failed = await landing.place(files)
  expect(failed.map(({ key }) => key)).toEqual(files.map(({ key }) => key))
  expect(readdirSync(outside)).toEqual(['secret'])
  expect(existsSync(join(root, 'backups/b.zip'))).toBe(false)
})

test('what a run left that was cut off goes with the next one', async () => {
  const landing = connectLanding(system())
  await landing.open()
  fetched(landing.stage, fresh)
  await landing.open()
  expect(readdirSync(landing.stage)).toEqual([])
})
