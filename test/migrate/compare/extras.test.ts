import { describe, expect, test } from 'vitest'
import { removeExtras } from '../../../src/migrate/compare/extras.ts'
import { blankCheckpoint } from '../../../src/services/checkpoint/port.ts'
import { copyWorld, objectOf } from '../../fakes/fake-copy.ts'

/** 100 files on both sides; of `gone` numbers the file is deleted, all were put there by us. */
async function deletedAtSource(gone: readonly number[], folder = 'media') {
  const world = copyWorld()
  for (let at = 0; at < 100; at++) {
    const key = `${folder}/${String(at).padStart(3, '0')}`
    world.s3.objects.set(key, objectOf('picture'))
    await world.checkpoint.record([key])
    if (!gone.includes(at)) world.source.put(key, 'picture', 0)
  }
  world.source.put('other/1', 'x', 0)
  const step = removeExtras(world.migration)
  return { ...world, step, look: () => step.look(world.at), change: () => step.change?.(world.at) }
}

const upTo = (count: number) => Array.from({ length: count }, (_, at) => at)
const held = (switchedAt: string) => ({ ...blankCheckpoint, switchedAt })

describe('remove-extras', () => {
  test('nothing to do', async () => {
    const { look, s3 } = await deletedAtSource([])
    s3.objects.set('by/mastodon', objectOf('x'))
    expect(await look()).toMatchObject({ is: 'ready' })
  })

  test('what this migration put there and is gone is removed, nothing else', async () => {
    const { look, change, s3, source } = await deletedAtSource([3, 4, 5])
    s3.objects.set('by/mastodon', objectOf('x'))
    expect(await look()).toMatchObject({
      is: 'change',
      changes: [{ what: expect.stringContaining('3 objects (21 bytes)'), risk: 'destructive' }],
    })
    source.put('media/004', 'picture', 0)
    await change()
    expect(s3.calls.at(-1)).toBe('delete-many media/003 media/005')
    expect(s3.objects.size).toBe(99)
    expect(await look()).toMatchObject({ is: 'ready' })
  })

  test('a thousand a request', async () => {
    const world = copyWorld()
    world.source.put('a/first', 'x', 0)
    for (let at = 0; at < 4000; at++) {
      const key = `a/${String(at).padStart(5, '0')}`
      world.s3.objects.set(key, objectOf('x'))
      await world.checkpoint.record([key])
      if (at >= 1500) world.source.put(key, 'x', 0)
    }
    const step = removeExtras(world.migration)
    await step.look(world.at)
    await step.change?.(world.at)
    expect(world.s3.calls.filter((call) => call.startsWith('delete-many'))).toHaveLength(2)
    expect(world.s3.objects.size).toBe(2500)
    expect(world.told.at(-1)).toBe('Removed 1,500 of 1,500')
  })

  test('what could not be removed keeps the step from being ready', async () => {
    const { look, change, s3 } = await deletedAtSource([1])
    s3.forgetsToDelete = true
    await look()
    await change()
    expect(await look()).toMatchObject({
      is: 'later',
      note: expect.stringContaining('1 object more'),
    })
  })

  test('Ctrl-C ends it', async () => {
    const { look, change, stop, s3 } = await deletedAtSource([1])
    await look()
    stop.abort()
    await expect(change()).rejects.toMatchObject({ name: 'Cancelled' })
    expect(s3.objects.size).toBe(100)
  })

  test.each<[string, (world: Awaited<ReturnType<typeof deletedAtSource>>) => void, RegExp]>([
    ['the source is empty', ({ source }) => source.tree.clear(), /no file at all/],
    [
      'a folder is gone',
      ({ source }) => {
        for (const key of source.tree.keys()) if (key.startsWith('media/')) source.tree.delete(key)
      },
      /All of media\/ is gone/,
    ],
    [
      'more is gone than left',
      ({ source }) => {
        for (const at of upTo(60)) source.tree.delete(`media/${String(at).padStart(3, '0')}`)
      },
      /More is gone/,
    ],
    [
      'a part can not be read',
      ({ source }) => {
        source.oddities = [{ path: 'cache', kind: 'unreadable', note: '' }]
      },
      /could not be read at cache/,
    ],
    [
      'a link leads nowhere',
      ({ source }) => {
        source.oddities = [{ path: 'cache', kind: 'dangling-link', note: '' }]
      },
      /could not be read at cache/,
    ],
    [
      'Mastodon has been on R2 for long',
      ({ checkpoint }) => {
        checkpoint.held = held('2026-11-01T10:00:00.000Z')
      },
      /more than 7 days ago/,
    ],
  ])('nothing is removed when %s', async (_, arrange, why) => {
    const world = await deletedAtSource([1])
    arrange(world)
    expect(await world.look()).toMatchObject({
      is: 'blocked',
      problem: { code: 'extras-doubtful', why: expect.stringMatching(why) },
    })
    expect(world.s3.objects.size).toBe(100)
  })

  test('a week after the switch it still may', async () => {
    const world = await deletedAtSource([1])
    world.checkpoint.held = held('2026-11-20T10:00:00.000Z')
    expect(await world.look()).toMatchObject({ is: 'change' })
  })
})
