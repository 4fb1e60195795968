import { describe, expect, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import { copyMedia } from '../../../src/migrate/copy/copy.ts'
import { expectEqual, filled, lists, run } from './copy-runs.ts'

const alone = { round: 'copy', atOnce: true, isAlone: true } as const

describe('a first copy that nobody reads the plan of', () => {
  test('is looked at and copied with one listing and one walk', async () => {
    const world = filled()
    const { after } = await run(world, alone)
    expect(after.is).toBe('ready')
    expectEqual(world)
    // One more reads how the files are usually readable; here nothing depends on that.
    expect([lists(world), world.source.walks]).toEqual([1, 1])
  })

  test('the bucket is listed while rclone is asked for its version', async () => {
    const world = filled()
    let listed = 0
    world.rclone.version = async () => {
      for (let turn = 0; turn < 50; turn += 1) await new Promise((go) => setImmediate(go))
      listed = lists(world)
      return '1.60.1'
    }
    const finding = await copyMedia(world.migration, alone).look(world.at)
    expect([finding.is, listed]).toEqual(['change', 1])
  })

  test('a look writes nothing, and without rclone it ends', async () => {
    const world = filled()
    const missing = new Problem({ code: 'rclone-missing', what: 'no', why: 'no', next: 'no' })
    world.rclone.version = async () => {
      throw missing
    }
    await expect(copyMedia(world.migration, alone).look(world.at)).rejects.toThrow(missing)
    expect([world.checkpoint.written, world.rclone.batches]).toEqual([[], []])
  })

  test('what comes between the look and the copy is for the next one, by when the look began', async () => {
    const world = filled()
    const step = copyMedia(world.migration, alone)
    await step.look(world.at)
    const looked = world.clock.now().toISOString()
    world.clock.slept += 3_000
    await step.change?.(world.at)
    expect(world.checkpoint.held?.completeSince).toBe(looked)
  })

  test.each([
    ['others bring media to the bucket before', { ...alone, isAlone: false }],
    ['somebody reads the plan', { ...alone, atOnce: false }],
  ])('the bucket is not listed by a look where %s', async (_, wishes) => {
    const world = filled()
    await copyMedia(world.migration, wishes).look(world.at)
    expect([lists(world), world.source.walks]).toEqual([0, 0])
  })

  test('what stops the listing stops the copy', async () => {
    const world = filled()
    const refused = new Problem({ code: 's3-403', what: 'no', why: 'no', next: 'no' })
    world.s3.pageAfter = async () => {
      throw refused
    }
    await expect(run(world, alone)).rejects.toThrow(refused)
    expect(world.rclone.batches).toEqual([])
  })
})
