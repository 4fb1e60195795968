import { describe, expect, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import { SENT_IN_PARTS } from '../../../src/services/rclone/port.ts'
import { filled, run } from './copy-runs.ts'

/** 25 small files, and two that are sent in parts. */
function mixed(transfers?: number, bwlimit?: string) {
  const world = filled()
  for (const key of ['files/000.mp4', 'files/zzz.mp4']) {
    world.source.put(key, key, 0)
    const file = world.source.tree.get(key)
    if (file) world.source.tree.set(key, { ...file, size: SENT_IN_PARTS + 1 })
  }
  return { ...world, migration: { ...world.migration, wishes: { transfers, bwlimit } } }
}

describe('files that are sent in parts', () => {
  test.each([undefined, 8])('have a lane of their own (--transfers %s)', async (transfers) => {
    const world = mixed(transfers)
    const { after, facts } = await run(world)
    expect([after.is, facts.mediaCopied?.objects]).toEqual(['ready', 27])
    for (const { keys, isLarge = false, transfers: told } of world.rclone.batches) {
      expect(keys.every((key) => key.endsWith('.mp4') === isLarge)).toBe(true)
      expect(told).toBe(transfers)
    }
  })

  test.each([
    ['number', 8, undefined],
    ['rate', undefined, '8M'],
  ])('with a %s that was asked for, one after the other', async (_, transfers, bwlimit) => {
    const world = mixed(transfers, bwlimit)
    await run(world)
    expect(world.rclone.batches.map(({ isLarge }) => isLarge === true)).toEqual([false, true])
  })

  test('what stops their lane stops all, and is told', async () => {
    const world = mixed()
    const refused = new Problem({ code: 'rclone-refused', what: 'no', why: 'no', next: 'no' })
    world.rclone.stop = (key) => (key.endsWith('.mp4') ? refused : undefined)
    await expect(run(world)).rejects.toThrow(refused)
  })
})
