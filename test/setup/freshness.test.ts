import { expect, it } from 'vitest'
import type { RunningProcess } from '../../src/services/mastodon/port.ts'
import { judgeFreshness } from '../../src/setup/restart.ts'

const at = (minutes: number) => new Date(Date.UTC(2026, 0, 1, 12, minutes))
const changedAt = at(0)
const one = (
  role: RunningProcess['role'],
  minutes: number,
  more: Partial<RunningProcess> = {},
) => ({
  role,
  name: `mastodon-${role}.service`,
  startedAt: at(minutes),
  ...more,
})
const below = (minutes: number, workers: number, spreadMs = 1_000) => ({
  below: { startedAt: at(minutes), workers, spreadMs },
})
const sidekiq = one('sidekiq', 1)

it.each<[string, RunningProcess[] | undefined, Date | undefined, string]>([
  ['all young', [one('web', 1), sidekiq], undefined, 'fresh'],
  ['a process of the same moment', [one('web', 0), sidekiq], undefined, 'old'],
  ['an old one of two', [one('web', 1), sidekiq, one('sidekiq', -5)], undefined, 'old'],
  [
    'old streaming, which has no storage',
    [one('web', 1), sidekiq, one('streaming', -9)],
    undefined,
    'fresh',
  ],
  ['hidden', undefined, undefined, 'unseen'],
  ['nothing runs', [], undefined, 'unseen'],
  ['no web here', [sidekiq], undefined, 'unseen'],
  ['no sidekiq here, and web is old', [one('web', -1)], undefined, 'old'],
  ['a young Puma with workers', [one('web', 2, below(1, 1)), sidekiq], undefined, 'fresh'],
  ['a reloaded Puma', [one('web', 2, below(-60, 2)), sidekiq], undefined, 'fresh'],
  [
    'workers replaced one by one',
    [one('web', 2, below(-60, 2, 600_000)), sidekiq],
    undefined,
    'old',
  ],
  [
    'one young worker, which may be a replaced one',
    [one('web', 2, below(-60, 1)), sidekiq],
    undefined,
    'old',
  ],
  [
    'one young worker after our own reload',
    [one('web', 2, below(-60, 1)), sidekiq],
    at(1),
    'fresh',
  ],
  ['one young worker before our own reload', [one('web', 2, below(-60, 1)), sidekiq], at(3), 'old'],
])('%s', (_, running, restartedAt, expected) => {
  expect(judgeFreshness(running, changedAt, restartedAt).is).toBe(expected)
})

it('tells who is old, and when the last one began', () => {
  const old = judgeFreshness([one('web', -1), one('sidekiq', -2)], changedAt)
  expect(old).toMatchObject({ names: ['mastodon-web.service', 'mastodon-sidekiq.service'] })
  const fresh = judgeFreshness([one('web', 7), sidekiq], changedAt)
  expect(fresh).toEqual({ is: 'fresh', since: at(7), count: 2 })
})
