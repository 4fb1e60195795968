import { describe, expect, test } from 'vitest'
import { Cancelled } from '../../../src/core/problem.ts'
import { copyMedia } from '../../../src/migrate/copy/copy.ts'
import { objectOf } from '../../fakes/fake-copy.ts'
import { worded } from '../../fakes/found.ts'
import { type CopyWorld, expectEqual, filled, HOUR, lists, NOON, run } from './copy-runs.ts'

describe('the first copy', () => {
  test('brings everything, with one listing', async () => {
    const world = filled()
    const { before, after, facts } = await run(world)
    expect(before).toMatchObject({ changes: [{ what: expect.stringContaining('lacks') }] })
    expect(after).toMatchObject({
      is: 'ready',
      note: expect.stringMatching(/^25 files, .*nothing left out$/),
    })
    expect(facts.mediaCopied).toMatchObject({ objects: 25, failed: [], vanished: 0 })
    expectEqual(world)
    expect(lists(world)).toBe(1)
    const begun = new Date(NOON).toISOString()
    expect(world.checkpoint.written[0]).toMatchObject({ begunAt: begun, completeSince: undefined })
    expect(world.checkpoint.held).toMatchObject({ completeSince: begun, copied: { objects: 25 } })
    expect(world.checkpoint.held?.begunAt).toBeUndefined()
    expect(world.checkpoint.puts).toHaveLength(25)
  })

  test('leaves what is there with the same size', async () => {
    const world = filled()
    world.s3.objects.set('files/001.png', objectOf('text 1'))
    world.s3.objects.set('files/002.png', objectOf('longer than the file'))
    world.s3.objects.set('not/here.png', objectOf('theirs'))
    await run(world)
    expect(world.rclone.asked).not.toContain('files/001.png')
    expect(world.rclone.asked).toContain('files/002.png')
    expect(world.s3.calls.filter((call) => call.startsWith('delete'))).toEqual([])
  })

  test('says what the survey counted', async () => {
    const world = filled()
    await run(world)
    const held = world.checkpoint.held
    if (!held) throw new Error('No checkpoint.')
    const surveyed = { at: held.completeSince ?? '', objects: 1234, bytes: 5_600_000 }
    world.checkpoint.held = { ...held, completeSince: undefined, surveyed }
    const { before } = await run(world)
    expect(before).toMatchObject({
      changes: [{ what: expect.stringContaining('at most 1,234 files, 5.6 MB') }],
    })
  })

  test('other rules are a first copy again', async () => {
    const world = filled()
    await run(world)
    const selection = { ...world.migration.selection, skip: ['cache/'] }
    const { after } = await run({ ...world, migration: { ...world.migration, selection } })
    expect(after).toMatchObject({
      is: 'ready',
      note: expect.stringContaining('nothing was missing'),
    })
    expect(lists(world)).toBe(2)
  })
})

describe('again', () => {
  async function complete(): Promise<CopyWorld> {
    const world = filled()
    await run(world)
    world.clock.slept += HOUR
    world.s3.calls.length = 0
    world.rclone.batches.length = 0
    return world
  }

  test('nothing new: no request, one walk, ready in the plan', async () => {
    const world = await complete()
    const walks = world.source.walks
    const { before } = await run(world)
    expect(before).toMatchObject({ is: 'ready', note: 'nothing new since 2026-11-22 10:00 UTC' })
    expect([world.s3.calls, world.rclone.batches]).toEqual([[], []])
    expect(world.source.walks - walks).toBe(1)
  })

  test('only what is new and what changed, by its ctime, without a listing', async () => {
    const world = await complete()
    world.source.put('files/new.png', 'new', NOON + HOUR / 2)
    world.source.put('files/003.png', 'TEXT 3', NOON + HOUR / 2)
    const { before, after } = await run(world)
    expect(before).toMatchObject({
      changes: [{ what: expect.stringContaining('2 files, 9 bytes') }],
    })
    expect(world.rclone.asked).toEqual(['files/new.png', 'files/003.png'])
    expect(after.is).toBe('ready')
    expect(world.s3.calls).toEqual([])
    expectEqual(world)
  })

  describe('with nobody to read the plan first', () => {
    const wishes = { round: 'copy', atOnce: true } as const

    test('it goes up while the walk goes on, the newest first', async () => {
      const world = await complete()
      for (const nth of [50, 51]) world.source.put(`files/0${nth}.png`, 'new', NOON + HOUR / 2)
      world.source.put('files/003.png', 'TEXT 3', NOON + HOUR / 2)
      const copied = new Promise<void>((resolve) => {
        const { copy } = world.rclone
        world.rclone.copy = async (...batch) => {
          await copy.apply(world.rclone, batch)
          resolve()
        }
      })
      // The walk's second batch is not read before the first has been carried.
      world.source.beforeBatch = (nth) => (nth === 1 ? copied : Promise.resolve())
      const walks = world.source.walks
      const { before, after } = await run(world, wishes)
      expect(before).toMatchObject({ changes: [{ what: 'copy what is new since the last copy' }] })
      expect(world.rclone.batches.map(({ keys }) => keys)).toEqual([
        ['files/051.png', 'files/050.png'],
        ['files/003.png'],
      ])
      expect(after).toMatchObject({
        is: 'ready',
        note: expect.stringMatching(/^3 files, 12 bytes/),
      })
      expect([world.source.walks - walks, world.s3.calls]).toEqual([1, []])
      expectEqual(world)
    })

    test('nothing new: no request, one walk, ready in the plan', async () => {
      const world = await complete()
      const walks = world.source.walks
      const { before } = await run(world, wishes)
      expect(before).toMatchObject({ is: 'ready', note: 'nothing new since 2026-11-22 10:00 UTC' })
      expect([world.s3.calls, world.rclone.batches]).toEqual([[], []])
      expect(world.source.walks - walks).toBe(1)
    })

    test('stopped before the walk has ended it is not complete', async () => {
      const world = await complete()
      for (const nth of [50, 51]) world.source.put(`files/0${nth}.png`, 'new', NOON + HOUR / 2)
      const since = world.checkpoint.held?.completeSince
      world.source.beforeBatch = async (nth) => {
        if (nth === 1) world.stop.abort()
      }
      await expect(run(world, wishes)).rejects.toBeInstanceOf(Cancelled)
      expect(world.checkpoint.held?.completeSince).toBe(since)
    })
  })

  test('a clock that is off by minutes hides nothing, and what was copied is known', async () => {
    const world = filled(3)
    world.source.put('files/fresh.png', 'seen by the first run', NOON - 1000)
    await run(world)
    world.clock.slept += HOUR
    world.source.put('files/late.png', 'its server is behind', NOON - 60_000)
    world.rclone.batches.length = 0
    await run(world)
    expect(world.rclone.asked).toEqual(['files/late.png'])
  })

  test('what failed is tried once more, and said each time', async () => {
    const world = filled()
    world.rclone.fate = (key) =>
      key.endsWith('007.png') ? { reason: '403 AccessDenied' } : undefined
    const { after } = await run(world)
    expect(after).toMatchObject({
      is: 'blocked',
      problem: {
        code: 'copy-incomplete',
        why: 'files/007.png (403 AccessDenied).',
        next: worded('npx mastodon-r2 migrate --mastodon-env E --stage copy'),
      },
    })
    expect(world.said).toEqual(['Not copied: files/007.png: 403 AccessDenied'])
    expect(world.checkpoint.held?.completeSince).toBeDefined()
    world.rclone.fate = () => undefined
    world.rclone.batches.length = 0
    world.s3.calls.length = 0
    expect((await run(world)).after.is).toBe('ready')
    expect(world.rclone.asked).toEqual(['files/007.png'])
    expect(world.s3.calls).toEqual([])
    expect(world.checkpoint.held?.failed).toEqual([])
    expectEqual(world)
  })

  test('what failed and is gone by now is remembered as gone', async () => {
    const world = filled()
    world.rclone.fate = (key) => (key.endsWith('007.png') ? { reason: 'EIO' } : undefined)
    await run(world)
    world.source.tree.delete('files/007.png')
    const { before, after } = await run(world)
    expect(before).toMatchObject({ is: 'change' })
    expect(after).toMatchObject({ is: 'ready', note: expect.stringContaining('1 file gone') })
    expect(world.checkpoint.held).toMatchObject({ failed: [], vanished: ['files/007.png'] })
  })

  test('a cut-over repeats it at its time, whatever the plan saw', async () => {
    const world = await complete()
    const step = copyMedia(world.migration, { round: 'last' })
    expect(await step.look(world.at)).toMatchObject({ is: 'change' })
    world.source.put('files/new.png', 'new', NOON + HOUR / 2)
    await step.change?.(world.at)
    expect(await step.look(world.at)).toMatchObject({ is: 'ready' })
    expectEqual(world)
  })

  test('until little is left, five rounds at most', async () => {
    const world = await complete()
    let late = 0
    world.rclone.stop = () => {
      late += 1
      world.clock.slept += 1000
      world.source.put(`late/${late}.png`, 'late', NOON + HOUR + late)
      return undefined
    }
    for (let nth = 0; nth < 30; nth += 1) world.source.put(`new/${nth}.png`, 'n', NOON + HOUR / 2)
    await run(world, { round: 'catch-up' })
    expect(world.rclone.batches).toHaveLength(5)
  })
})

test('what others note while it goes on stays noted', async () => {
  const world = filled()
  const { checkpoint, rclone } = world
  const announcedAt = '2026-11-22T09:00:00.000Z'
  rclone.stop = (key) => {
    if (key.endsWith('010.png') && checkpoint.held) Object.assign(checkpoint.held, { announcedAt })
    return undefined
  }
  expect((await run(world)).after.is).toBe('ready')
  expect(checkpoint.held).toMatchObject({ announcedAt, copied: { objects: 25 } })
})
