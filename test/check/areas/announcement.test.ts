import { expect, test } from 'vitest'
import { announcement } from '../../../src/check/areas/mastodon.ts'
import { toType } from '../../../src/core/to-type.ts'
import type { Announced, CheckWorld } from '../../../src/plan/verdict.ts'

const one: Announced = {
  mediaHost: 'files.example.com',
  at: '2026-11-15T12:00:00.000Z',
  switchWith: toType('migrate'),
}

const look = (now: string, announced: readonly Announced[] = [one]) =>
  announcement.look({
    announced: async () => announced,
    clock: { now: () => new Date(now) } as CheckWorld['clock'],
  })

test.each([
  ['2026-11-15T12:00:01Z', '2026-11-22.', 'On 2026-11-22 or later: npx mastodon-r2 migrate'],
  ['2026-11-22T11:59:59Z', '2026-11-22.', 'On 2026-11-22 or later: npx mastodon-r2 migrate'],
  ['2026-11-22T12:00:00Z', '2026-11-22: now.', 'npx mastodon-r2 migrate'],
])('at %s', async (now, until, next) => {
  const [verdict] = await look(now)
  expect({ ...verdict, next: String(verdict && 'next' in verdict && verdict.next) }).toMatchObject({
    severity: 'note',
    saw: `files.example.com is announced since 2026-11-15; a switch is safe from ${until}`,
    next,
  })
})

test('nothing announced is all well', async () => {
  expect(await look('2026-11-22T12:00:00Z', [])).toMatchObject([{ severity: 'ok' }])
})
