import { describe, expect, test } from 'vitest'
import { type CompareWishes, compareMedia } from '../../../src/migrate/compare/compare.ts'
import { compareSides } from '../../../src/migrate/compare/sides.ts'
import { type Comparison, comparisonSchema } from '../../../src/plan/report-schema.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { copyWorld, objectOf } from '../../fakes/fake-copy.ts'
import { worded } from '../../fakes/found.ts'
import { noted } from './comparisons.ts'

const NOW = Date.UTC(2026, 10, 22, 9)
/** `count` files that are in the bucket too. */
function copied(count = 30) {
  const world = copyWorld()
  for (let at = 0; at < count; at++) {
    const key = `accounts/avatars/${String(at).padStart(3, '0')}.png`
    world.source.put(key, `picture ${at}`, NOW)
    world.s3.objects.set(key, objectOf(`picture ${at}`))
  }
  return world
}
type Copied = ReturnType<typeof copied>

async function compare(world: Copied, wishes: Partial<CompareWishes> = {}) {
  let comparison: Comparison | undefined
  const step = compareMedia(world.migration, {
    usualModes: 'open',
    compared: (told) => {
      comparison = comparisonSchema.parse(told)
    },
    ...wishes,
  })
  const finding = await step.look({ clock: world.clock, facts: {} })
  if (!comparison) throw new Error('Nothing was compared.')
  return { finding, comparison }
}

describe('compare', () => {
  test('equal sides: lists alone are asked for', async () => {
    const world = copied(30)
    world.s3.pageSize = 10
    const { finding, comparison } = await compare(world)
    expect(finding).toMatchObject({ is: 'ready', note: 'equal: 30 files, 290 bytes', warnings: [] })
    expect(comparison).toMatchObject({ equal: true, same: { objects: 30, bytes: 290 } })
    expect(new Set(world.s3.calls)).toEqual(new Set(['page']))
    expect(world.told.at(-1)).toContain('30 files')
  })

  test('missing and different files are told, and what to type', async () => {
    const world = copied()
    world.s3.objects.delete('accounts/avatars/003.png')
    world.s3.objects.set('accounts/avatars/004.png', objectOf('cut'))
    const { finding, comparison } = await compare(world)
    expect(finding).toMatchObject({
      is: 'blocked',
      problem: {
        code: 'not-equal',
        exit: 1,
        why: expect.stringContaining('1 missing, 1 different'),
        next: worded('\n  npx mastodon-r2 migrate --mastodon-env E --stage copy'),
      },
    })
    expect(comparison).toMatchObject({
      equal: false,
      same: { objects: 28 },
      missing: { objects: 1, bytes: 9, examples: ['accounts/avatars/003.png'] },
      sizeDiffers: { objects: 1, examples: ['accounts/avatars/004.png'] },
    })
  })

  test('a source that held what was copied, and holds nothing, is no equal one', async () => {
    const world = copied()
    world.checkpoint.held = { ...noted, copied: { objects: 30, bytes: 290 } }
    world.source.tree.clear()
    await expect(compare(world)).rejects.toMatchObject({ code: 'source-empty' })
    expect(world.checkpoint.held.equalAt).toBeUndefined()
  })

  test('thousands missing: few requests, all of them counted, 20 named', async () => {
    const world = copied(1000)
    world.s3.objects.clear()
    const { comparison } = await compare(world)
    expect(comparison.missing).toMatchObject({ objects: 1000, bytes: 10_890 })
    expect(comparison.missing.examples).toHaveLength(20)
    expect(world.s3.calls.filter((call) => call.startsWith('head'))).toHaveLength(200)
  })

  test('what vanished or came meanwhile is looked at once more', async () => {
    const world = copied()
    const late = 'accounts/avatars/005.png'
    const gone = 'accounts/avatars/006.png'
    const fresh = 'accounts/avatars/0055.png'
    world.s3.objects.delete(late)
    world.s3.objects.delete(gone)
    await world.checkpoint.record([fresh])
    world.s3.objects.set(fresh, objectOf('new'))
    world.s3.refuse = (verb) => {
      if (verb !== 'head-object' || world.s3.objects.has(late)) return undefined
      world.s3.objects.set(late, objectOf('picture 5'))
      world.source.tree.delete(gone)
      world.source.put(fresh, 'new', NOW)
      return undefined
    }
    world.source.find = async (key) => {
      await new Promise((resolve) => setImmediate(resolve))
      return world.source.tree.get(key)
    }
    const { comparison } = await compare(world)
    expect(comparison).toMatchObject({ equal: true, same: { objects: 30 }, extra: { objects: 0 } })
  })

  test('what the selection leaves out, and what others put there, is no difference', async () => {
    const world = copied(3)
    const early = { ...world.migration.selection, onlyLocal: true, withSuspended: false }
    Object.assign(world.migration, { selection: early })
    world.source.put('cache/1.png', 'x', NOW)
    world.source.put('media/suspended.png', 'x', NOW, 0o600)
    world.source.put('media/being-stored.png', 'x', world.clock.now().getTime(), 0o600)
    world.s3.objects.set('media/by-mastodon.png', objectOf('x'))
    // A test file that is read in public is removed beside the steps that follow.
    world.s3.objects.set('mastodon-r2-probe/1.txt', objectOf('x'))
    world.s3.objects.set('media/ours.png', objectOf('yy'))
    await world.checkpoint.record(['media/ours.png'])
    const { finding, comparison } = await compare(world)
    expect(comparison).toMatchObject({
      equal: true,
      leftOut: { cache: 1, suspended: 1, unfinished: 1 },
      extra: { objects: 1, bytes: 2, examples: ['media/ours.png'] },
      uploaded: { objects: 1, examples: ['media/by-mastodon.png'] },
    })
    expect(finding).toMatchObject({
      is: 'ready',
      warnings: [worded(' --mastodon-env E --stage compare --remove-extras')],
    })
  })

  test.each([
    ['before the switch', {}, 1, 0],
    ['after it, with a proof', { switchedAt: iso(NOW + 1), equalAt: iso(NOW + 2) }, 0, 1],
    ['after it, without one', { switchedAt: iso(NOW + 1) }, 1, 0],
    ['newer than the proof', { switchedAt: iso(NOW - 9), equalAt: iso(NOW - 8) }, 1, 0],
  ])('gone from the bucket %s', async (_, more, missing, deleted) => {
    const world = copied()
    const key = 'accounts/avatars/007.png'
    await world.checkpoint.record([key])
    world.checkpoint.held = { ...noted, ...more }
    world.s3.objects.delete(key)
    const { comparison } = await compare(world)
    expect(comparison.missing.objects).toBe(missing)
    expect(comparison.deletedSince.objects).toBe(deleted)
  })

  test('what can not be read is a fault, and nothing below it is called extra', async () => {
    const world = copied(2)
    world.source.oddities = [
      { path: 'cache', kind: 'unreadable', note: '' },
      { path: 'x', kind: 'dangling-link', note: '' },
      { path: 'y', kind: 'vanished', note: '' },
    ]
    world.s3.objects.set('cache/1.png', objectOf('x'))
    await world.checkpoint.record(['cache/1.png'])
    const { finding, comparison } = await compare(world)
    expect(comparison).toMatchObject({
      unreadable: { objects: 1, examples: ['cache'] },
      extra: { objects: 0 },
      oddities: 1,
    })
    expect(finding).toMatchObject({
      is: 'blocked',
      problem: { next: worded('ls -ld /srv/system/cache') },
    })
  })

  test('what can not be read and is left out by a copy is no fault', async () => {
    const world = copied(2)
    world.source.put('accounts/avatars/9.png', 'of root alone', 0, 0o600)
    const paths = ['accounts/avatars/9.png', 'backups/', 'cache/preview_cards/', 'skipped/a/']
    world.source.oddities = paths.map((path) => ({ path, kind: 'unreadable', note: '' }))
    const selection = {
      onlyLocal: true,
      skip: ['skipped/'],
      withPrivate: false,
      withSuspended: false,
    }
    const migration = { ...world.migration, selection }
    const { finding, comparison } = await compare({ ...world, migration })
    expect(comparison).toMatchObject({ equal: true, leftOut: { suspended: 1 } })
    expect(finding.is).toBe('ready')
    const all = await compare({
      ...world,
      migration: { ...migration, selection: { ...selection, withSuspended: true } },
    })
    expect(all.comparison.unreadable.examples).toEqual(paths.slice(0, 1))
  })

  test('waits for the fact of a step that changes something first', async () => {
    const { migration, clock } = copied()
    const wishes = { usualModes: 'open', compared: () => {}, after: 'restartedAt' } as const
    const step = compareMedia(migration, wishes)
    expect(await step.look({ clock, facts: {} })).toMatchObject({
      is: 'waiting',
      on: 'restartedAt',
    })
    const facts = { restartedAt: new Date() }
    expect(await step.look({ clock, facts })).toMatchObject({ is: 'ready' })
  })

  test('Ctrl-C and refusals end it', async () => {
    const world = copied()
    world.s3.refuse = (verb) => (verb === 'page' ? refusal('s3-403') : undefined)
    await expect(compare(world)).rejects.toMatchObject({ code: 's3-403' })
    world.stop.abort()
    await expect(compare(copied(0))).resolves.toMatchObject({ comparison: { equal: true } })
    world.s3.refuse = () => undefined
    await expect(compare(world)).rejects.toMatchObject({ name: 'Cancelled' })
  })
})

describe('compare of contents', () => {
  const options = (world: Copied) => ({
    usualModes: 'open' as const,
    checksum: true,
    async *content(key: string) {
      const file = world.source.tree.get(key)
      if (!file) throw Object.assign(new Error('gone'), { code: 'ENOENT' })
      if (file.text === 'locked') throw Object.assign(new Error('no'), { code: 'EACCES' })
      yield Buffer.from(file.text)
    },
  })

  test('files are read; the same size hides nothing', async () => {
    const world = copied()
    world.s3.objects.set('accounts/avatars/008.png', objectOf('picturX 8'))
    world.source.put('accounts/avatars/009.png', 'locked', NOW)
    world.s3.objects.set('accounts/avatars/009.png', objectOf('locked'))
    const etag = `${'a'.repeat(32)}-9`
    world.s3.objects.set('accounts/avatars/010.png', { ...objectOf('picture 10'), etag })
    const comparison = await compareSides(world.migration, options(world), world.clock.now())
    expect(comparison).toMatchObject({
      equal: false,
      same: { objects: 28 },
      contentDiffers: { objects: 1, examples: ['accounts/avatars/008.png'] },
      unreadable: { objects: 1, examples: ['accounts/avatars/009.png'] },
      contents: { compared: 28, notComparable: 1 },
    })
  })

  test('objects of another provider by their ETags', async () => {
    const world = copied(3)
    const one = 'accounts/avatars/000.png'
    for (const [key, file] of world.source.tree) {
      const { etag = '' } = (await world.s3.head(key)) ?? {}
      world.source.tree.set(key, { ...file, etag: key === one ? 'b'.repeat(32) : etag })
    }
    world.s3.calls.length = 0
    const how = { usualModes: 'open', checksum: true } as const
    const comparison = await compareSides(world.migration, how, world.clock.now())
    expect(comparison).toMatchObject({
      same: { objects: 2 },
      contentDiffers: { objects: 1, examples: [one] },
    })
    expect(world.s3.calls).toEqual(['page', `head-object ${one}`])
  })
})

test('headers of a sample are asked for only when they are wished', async () => {
  const world = copied(100)
  const cacheControl = 'Immutable, public'
  for (const object of world.s3.objects.values()) {
    Object.assign(object, { cacheControl: 'public,immutable' })
  }
  const odd = world.s3.objects.get('accounts/avatars/000.png')
  if (odd) Object.assign(odd, { contentType: 'application/octet-stream' })
  const expected = () => ({ contentType: 'image/png; q=1', cacheControl })
  const { finding, comparison } = await compare(world, { expected })
  expect(comparison.headers).toMatchObject({
    sampled: 10,
    wrong: { objects: 1, examples: [{ header: 'Content-Type', is: 'application/octet-stream' }] },
  })
  expect(finding).toMatchObject({ is: 'ready', warnings: [expect.stringContaining('1 of 10')] })
})

function iso(ms: number): string {
  return new Date(ms).toISOString()
}
