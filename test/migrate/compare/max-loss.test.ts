import { describe, expect, test } from 'vitest'
import { compareMedia } from '../../../src/migrate/compare/compare.ts'
import { copyWorld, objectOf } from '../../fakes/fake-copy.ts'
import { filled, run } from '../copy/copy-runs.ts'

/** What may still be missing when Mastodon is switched. */
describe('--max-loss 1', () => {
  const failing = (...names: string[]) => {
    const world = filled()
    world.rclone.fate = (key) =>
      names.some((name) => key.endsWith(name)) ? { reason: '503 SlowDown' } : undefined
    return world
  }

  test.each(['catch-up', 'last', 'after'] as const)(
    'one failed file: %s goes on',
    async (round) => {
      const { after, facts } = await run(failing('007.png'), { round, maxLoss: 1 })
      expect(after).toMatchObject({
        is: 'ready',
        warnings: [expect.stringMatching(/^1 file .*files\/007\.png \(503 SlowDown\)/)],
      })
      expect(facts.mediaCopied).toMatchObject({ objects: 24 })
    },
  )

  test('two failed files stop it', async () => {
    const world = failing('007.png', '008.png')
    const { after } = await run(world, { round: 'last', maxLoss: 1 })
    expect(after).toMatchObject({ is: 'blocked', problem: { code: 'copy-incomplete' } })
  })

  test('without it one is too many', async () => {
    const { after } = await run(failing('007.png'), { round: 'last' })
    expect(after.is).toBe('blocked')
  })

  test.each([
    [1, 'ready'],
    [2, 'blocked'],
  ])('compare with %d missing is %s', async (missing, is) => {
    const world = copyWorld()
    for (const key of ['a.png', 'b.png', 'c.png']) world.source.put(key, key, 1)
    for (const key of ['a.png', 'b.png', 'c.png'].slice(missing)) {
      world.s3.objects.set(key, objectOf(key))
    }
    const step = compareMedia(world.migration, {
      usualModes: 'open',
      maxLoss: 1,
      compared: () => undefined,
    })
    const finding = await step.look({ clock: world.clock, facts: {} })
    expect(finding.is).toBe(is)
    if (finding.is === 'ready') {
      expect(finding.note).toContain('1 file')
      expect(finding.warnings?.join()).toContain('"a.png"')
    }
  })
})
