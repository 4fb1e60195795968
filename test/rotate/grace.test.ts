import { describe, expect, it } from 'vitest'
import { grace } from '../../src/rotate/retire.ts'
import { found } from '../fakes/found.ts'
import { rotatingWorld } from './rotating.ts'

const HOUR = 3_600_000
const minutesAgo = (minutes: number) => new Date(Date.UTC(2026, 10, 22, 10) - minutes * 60_000)
const facts = (restart: number, file: number) => ({
  allFresh: { since: minutesAgo(restart), fileChangedAt: minutesAgo(file) },
  publicProven: {} as const,
})
const words = 'so that links signed with the old key run out'

describe('looking', () => {
  it.each([
    ['no proof yet', {}, HOUR, 'waiting allFresh'],
    ['no public read yet', { allFresh: facts(1, 1).allFresh }, HOUR, 'waiting publicProven'],
    ['just restarted', facts(0, 5), HOUR, `change wait 60 min, ${words}`],
    ['ten minutes ago', facts(10, 12), HOUR, `change wait 50 min, ${words}`],
    ['an hour ago', facts(60, 70), HOUR, 'ready over: no link signed with the old key is left'],
    [
      'an hour ago by the file, not by the processes',
      facts(10, 61),
      HOUR,
      `change wait 50 min, ${words}`,
    ],
    [
      'less than links live',
      facts(0, 5),
      HOUR / 2,
      'change wait 30 min, as wished; links signed with the old key live for an hour',
    ],
    [
      'less than links live, and over',
      facts(30, 30),
      HOUR / 2,
      'ready over; a link signed with the old key may end before its hour',
    ],
    ['none wanted', facts(0, 0), 0, 'ready none wanted'],
  ])('%s', async (_, known, ms, expected) => {
    expect(found(await grace(ms).look(rotatingWorld(known)))).toBe(expected)
  })
})

describe('waiting', () => {
  it('as long as is left, telling how long that is', async () => {
    const world = rotatingWorld(facts(50, 60))
    const told: string[] = []
    const finding = await grace(HOUR).confirm?.(world, (state) => told.push(state))
    expect(world.clock.slept).toBe(600_000)
    expect(told[0]).toContain('10 min left')
    expect(told.at(-1)).toContain('15 s left')
    expect(finding).toMatchObject({ is: 'ready', facts: { graceOver: true } })
  })
})
