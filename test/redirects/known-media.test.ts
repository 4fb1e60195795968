import { expect, it } from 'vitest'
import { knownMedia, knownMediaIsPublic } from '../../src/redirects/known-media.ts'
import { HOST } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'
import { KEYS, onDisk, redirectingWorld } from './redirecting-world.ts'

const strict = { strict: true }

it.each<[string, readonly string[], number, readonly string[]]>([
  ['one of each kind', [...KEYS, 'accounts/avatars/1/b.png'], 0o644, KEYS],
  ['no archives, no media of others', ['backups/a.zip', 'cache/a/b.png', ...KEYS], 0o644, KEYS],
  ['none of suspended users, but the bucket', ['site_uploads/files/1/x.png'], 0o600, KEYS],
])('known files: %s', async (_, files, mode, keys) => {
  const { world } = redirectingWorld()
  expect(await knownMedia(onDisk(files, mode)).keys(world)).toEqual(keys)
})

it('known files: listed in the bucket where nothing is on disk', async () => {
  const { world } = redirectingWorld()
  expect(await knownMedia(undefined).keys(world)).toEqual(KEYS)
  world.s3.objects.clear()
  const other = { body: new Uint8Array(1), contentType: '', cacheControl: '' }
  for (const key of ['backups/a.zip', 'mastodon-r2-probe/a', 'x/y.png']) {
    world.s3.objects.set(key, other)
  }
  expect(await knownMedia(undefined).keys(world)).toEqual(['x/y.png'])
})

it('ready once they are in the bucket and public', async () => {
  const { world, redirecting } = redirectingWorld()
  expect(found(await knownMediaIsPublic(redirecting, strict).look(world))).toBe(
    `ready 2 known files are in the bucket and at https://${HOST}`,
  )
})

it.each<[string, (all: ReturnType<typeof redirectingWorld>) => unknown]>([
  ['media-not-copied', ({ world }) => world.s3.objects.delete(KEYS[0]!)],
  ['media-not-public', ({ world }) => Object.assign(world.web, { blindFor: 1 })],
  ['no-media-to-prove', ({ world }) => world.s3.objects.clear()],
])('%s keeps redirects from being made', async (code, spoil) => {
  const local = code === 'media-not-copied' ? onDisk(KEYS) : undefined
  const all = redirectingWorld(301, local)
  spoil(all)
  expect(found(await knownMediaIsPublic(all.redirecting, strict).look(all.world))).toBe(
    `blocked ${code}`,
  )
  if (code === 'media-not-copied') {
    expect(all.world.web.requests).toEqual([])
  }
})

it('so does a Mastodon that stores elsewhere; the web server looks on its disk first', async () => {
  const { world, redirecting } = redirectingWorld()
  const old = { ...redirecting, switchedOn: false }
  expect(found(await knownMediaIsPublic(old, strict).look(world))).toBe(
    'blocked storage-not-switched',
  )
  expect((await knownMediaIsPublic(old, { strict: false }).look(world)).is).toBe('later')
})
