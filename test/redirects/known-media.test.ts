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

const many = (kind: string, count: number) =>
  Array.from({ length: count }, (_, at) => `${kind}/files/${String(at).padStart(3, '0')}/x.png`)
const object = { body: new Uint8Array(1), contentType: '', cacheControl: '' }

/** Media on disk, some of which is in the bucket; whether a migration has copied all of it. */
async function sample(disk: readonly string[], bucket: readonly string[], isCopied: boolean) {
  const { world } = redirectingWorld()
  world.s3.objects.clear()
  for (const key of bucket) world.s3.objects.set(key, object)
  const known = knownMedia(onDisk(disk), async () => isCopied)
  const problem = await known.fault(world)
  return problem ? [problem.code] : await known.keys(world)
}

const [accounts, emojis] = [many('accounts', 50), many('custom_emojis', 1)]

it.each<[string, readonly string[], readonly string[], boolean, readonly string[]]>([
  ['the oldest was replaced', accounts, accounts.slice(1), false, [accounts[1]!]],
  ['nine of the oldest are gone', accounts, accounts.slice(9), false, [accounts[9]!]],
  [
    'half of them are gone: the newest are looked for',
    accounts,
    accounts.slice(25),
    false,
    [accounts[49]!],
  ],
  ['all were copied, and a kind is gone', [...accounts, ...emojis], accounts, true, [accounts[0]!]],
  [
    'the same, and nothing tells that all were copied',
    [...accounts, ...emojis],
    accounts,
    false,
    ['media-not-copied'],
  ],
  ['none is there, and all were copied: the bucket tells', emojis, KEYS, true, KEYS],
  ['none is there', accounts, KEYS, false, ['media-not-copied']],
  ['none is anywhere', accounts, [], true, ['no-media-to-prove']],
])(
  'files that Mastodon removed since the switch: %s',
  async (_, disk, bucket, copied, expected) => {
    expect(await sample(disk, bucket, copied)).toEqual(expected)
  },
)

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
