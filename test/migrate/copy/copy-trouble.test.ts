import { describe, expect, test } from 'vitest'
import { Cancelled, Problem } from '../../../src/core/problem.ts'
import { copyMedia } from '../../../src/migrate/copy/copy.ts'
import { worded } from '../../fakes/found.ts'
import { expectEqual, filled, HOUR, lists, NOON, OLD, run } from './copy-runs.ts'

describe('what rclone says is held against what was asked', () => {
  test('not mentioned and gone; not mentioned and there', async () => {
    const world = filled()
    world.rclone.fate = (key) => (/00[12]/.test(key) ? 'silent' : undefined)
    world.rclone.stop = () => void world.source.tree.delete('files/001.png') as undefined
    const { after, facts } = await run(world)
    expect(facts.mediaCopied).toMatchObject({
      objects: 23,
      vanished: 1,
      failed: [{ key: 'files/002.png', reason: 'rclone did not say that it copied it' }],
    })
    expect(after.is).toBe('blocked')
    expect(world.checkpoint.held?.vanished).toEqual(['files/001.png'])
  })

  test('names that it can not be told are sent one by one', async () => {
    const world = filled(2)
    world.source.put('files/a\nb.png', 'odd', OLD)
    expect((await run(world)).after.is).toBe('ready')
    expect(world.rclone.asked).not.toContain('files/a\nb.png')
    expect(world.s3.calls).toContain('put files/a\nb.png')
    expect(world.s3.objects.get('files/a\nb.png')).toMatchObject({ contentType: 'image/png' })
    expectEqual(world)
  })

  test('many failures: some are told, all are noted', async () => {
    const world = filled(100)
    world.rclone.fate = () => ({ reason: 'EIO' })
    const { after } = await run(world)
    expect(after).toMatchObject({ problem: { why: expect.stringContaining('and 95 more') } })
    expect(world.said).toHaveLength(21)
    expect(world.checkpoint.held?.failed).toHaveLength(100)
  })

  test('a file that can not be read is tried again, without a listing', async () => {
    const world = filled()
    const oddity = { path: 'files/004.png', kind: 'unreadable', note: 'may not be read' } as const
    world.source.oddities = [oddity]
    const problem = { code: 'copy-incomplete', why: 'files/004.png (may not be read).' }
    expect((await run(world)).after).toMatchObject({ is: 'blocked', problem })
    expect((await run(world)).after).toMatchObject({ is: 'blocked', problem })
    world.source.oddities = []
    expect((await run(world)).after.is).toBe('ready')
    expect(lists(world)).toBe(1)
    expectEqual(world)
  })

  test('what can not be read and is left out anyway is no trouble', async () => {
    const world = filled()
    world.source.put('files/004.png', 'suspended', OLD, 0o600)
    world.source.oddities = [{ path: 'files/004.png', kind: 'unreadable', note: 'no' }]
    const selection = { ...world.migration.selection, withSuspended: false }
    const { after } = await run({ ...world, migration: { ...world.migration, selection } })
    expect(after).toMatchObject({
      is: 'ready',
      note: expect.stringContaining('on purpose: 1 file'),
    })
  })

  test('a folder of private files that can not be read is no trouble', async () => {
    const world = filled()
    world.source.oddities = [{ path: 'backups/', kind: 'unreadable', note: 'no' }]
    const selection = { ...world.migration.selection, withPrivate: false }
    const { after } = await run({ ...world, migration: { ...world.migration, selection } })
    expect(after.is).toBe('ready')
  })

  test('folders and files are told apart, each path once, and the first can be looked at', async () => {
    const world = filled()
    const note = (path: string) => `${path} may not be read by the user mastodon.`
    world.source.oddities = ["it's/", 'files/004.png'].map((path) => {
      return { path, kind: 'unreadable', note: note(path) }
    })
    const { after } = await run(world)
    expect(after).toMatchObject({
      problem: {
        what: 'Not everything could be copied: 1 folder not looked into, 1 file not copied, 24 files copied.',
        why: "it's/ (may not be read by the user mastodon), files/004.png (may not be read by the user mastodon).",
        next: worded("ls -ld '/srv/system/it'\\''s'\n"),
      },
    })
    expect(world.said).toEqual(['Not copied: files/004.png: may not be read by the user mastodon'])
  })

  test('a folder that can not be read: nothing counts as complete', async () => {
    const world = filled()
    world.source.oddities = [{ path: 'closed/', kind: 'unreadable', note: 'permission denied' }]
    const { after } = await run(world)
    expect(after).toMatchObject({ is: 'blocked', problem: { why: 'closed/ (permission denied).' } })
    expect(world.checkpoint.held?.completeSince).toBeUndefined()
    world.source.oddities = []
    expect((await run(world)).after.is).toBe('ready')
    expect(lists(world)).toBe(2)
  })
})

test('what failed is not forgotten while its folder can not be read', async () => {
  const world = filled()
  world.source.put('closed/a.png', 'a', OLD)
  world.rclone.fate = (key) => (key === 'closed/a.png' ? { reason: 'EIO' } : undefined)
  await run(world)
  world.source.oddities = [{ path: 'closed/', kind: 'unreadable', note: 'permission denied' }]
  expect((await run(world)).after).toMatchObject({ problem: { code: 'copy-incomplete' } })
  world.source.oddities = []
  world.rclone.fate = () => undefined
  expect((await run(world)).after.is).toBe('ready')
  expectEqual(world)
})

describe('a source that holds nothing any more', () => {
  const problem = { code: 'source-empty', why: expect.stringContaining('25 files') }

  test('is none of which nothing is new', async () => {
    const world = filled()
    await run(world)
    world.source.tree.clear()
    await expect(run(world)).rejects.toMatchObject(problem)
    await expect(run(world, { round: 'catch-up' })).rejects.toMatchObject(problem)
  })

  test('may be one that never held anything, or that all was left out of', async () => {
    const world = filled(0)
    expect((await run(world)).after.is).toBe('ready')
    const other = filled()
    await run(other)
    const { migration } = other
    const selection = { ...migration.selection, skip: ['files/'] }
    other.source.tree.clear()
    expect((await run({ ...other, migration: { ...migration, selection } })).after.is).toBe('ready')
  })
})

describe('stopped half-way', () => {
  test.each([
    ['before the first file: nothing was changed', '000.png', 2],
    ['in between: something was', '010.png', 1],
  ])('by what is wrong here, %s', async (_, at, exit) => {
    const details = { code: 'media-missing', what: 'M.', why: 'W.', next: 'N.', exit: 2 } as const
    const world = filled()
    world.rclone.stop = (key) => (key.endsWith(at) ? new Problem(details) : undefined)
    await expect(run(world)).rejects.toMatchObject({ ...details, exit })
  })

  const refused = new Problem({ code: 'rclone-refused', what: 'R.', why: 'W.', next: 'N.' })

  test.each([
    ['refused', () => refused, { code: 'rclone-refused' }],
    ['by Ctrl-C', () => new Cancelled(), { name: 'Cancelled' }],
    ['by a bug', () => new Error('bug'), { message: 'bug' }],
  ])(
    '%s: the checkpoint claims what was done, the next run does the rest',
    async (_, stop, error) => {
      const world = filled()
      world.rclone.stop = (key) => (key.endsWith('010.png') ? stop() : undefined)
      await expect(run(world)).rejects.toMatchObject(error)
      expect(world.checkpoint.held).toMatchObject({
        copied: { objects: 10 },
        begunAt: expect.anything(),
      })
      expect(world.checkpoint.held?.completeSince).toBeUndefined()
      expect(world.checkpoint.puts).toHaveLength(10)
      world.rclone.stop = () => undefined
      world.rclone.batches.length = 0
      expect((await run(world)).after.is).toBe('ready')
      expect(world.rclone.asked).toHaveLength(15)
      expectEqual(world)
    },
  )

  test('says how far this run came', async () => {
    const world = filled()
    const step = copyMedia(world.migration)
    for (const [stopAt, reached] of [
      ['010.png', '10 files, 60 bytes copied'],
      ['012.png', '2 files, 14 bytes copied'],
      ['012.png', undefined],
    ] as const) {
      world.rclone.stop = (key) => (key.endsWith(stopAt) ? new Cancelled() : undefined)
      await step.look(world.at)
      await expect(step.change?.(world.at)).rejects.toBeInstanceOf(Cancelled)
      expect(step.reached?.()).toBe(reached)
    }
  })

  test('a file changed behind its copy, to the same size, is copied again', async () => {
    const world = filled()
    world.rclone.stop = (key) => (key.endsWith('010.png') ? refused : undefined)
    await expect(run(world)).rejects.toBe(refused)
    world.rclone.stop = () => undefined
    world.source.put('files/002.png', 'TEXT 2', NOON + 5)
    await run(world)
    expectEqual(world)
  })

  test('a delta: what it had copied is not copied again', async () => {
    const world = filled()
    await run(world)
    for (let nth = 0; nth < 9; nth += 1) world.source.put(`new/${nth}.png`, 'n', NOON + HOUR)
    world.rclone.stop = (key) => (key === 'new/4.png' ? refused : undefined)
    await expect(run(world)).rejects.toBe(refused)
    world.rclone.stop = () => undefined
    world.rclone.batches.length = 0
    expect((await run(world)).after.is).toBe('ready')
    expect(world.rclone.asked).toEqual([4, 3, 2, 1, 0].map((nth) => `new/${nth}.png`))
    expectEqual(world)
  })

  test.each(['record', 'write'] as const)(
    'nothing can be noted (%s): stopped and said',
    async (verb) => {
      const world = filled(1500)
      const problem = new Problem({
        code: 'checkpoint-not-writable',
        what: 'F.',
        why: 'W.',
        next: 'N.',
      })
      let calls = 0
      world.checkpoint.refuse = (what) => {
        if (what === verb) calls += 1
        return what === verb && calls > 1 ? problem : undefined
      }
      await expect(run(world)).rejects.toBe(problem)
      expect(world.checkpoint.held?.completeSince).toBeUndefined()
      world.checkpoint.refuse = () => undefined
      expect((await run(world)).after.is).toBe('ready')
      expectEqual(world)
    },
  )
})
