import { describe, expect, it } from 'vitest'
import type { RunningProcess } from '../../src/services/mastodon/port.ts'
import { freshProcesses } from '../../src/setup/restart.ts'
import { found, problemOf } from '../fakes/found.ts'
import { rotatingWorld, rotationOf, written } from './rotating.ts'

const step = freshProcesses({ assumeRestarted: false })
const vouched = freshProcesses({ assumeRestarted: true })
const changedAt = new Date(Date.UTC(2026, 10, 22, 9))
const restartedAt = new Date(Date.UTC(2026, 10, 22, 9, 1))
const switched = { rotation: rotationOf(), envWritten: written }
const running = (web: number, sidekiq: number): RunningProcess[] => [
  { role: 'web', name: 'mastodon-web.service', startedAt: new Date(changedAt.getTime() + web) },
  { role: 'sidekiq', name: 'pid 7', startedAt: new Date(changedAt.getTime() + sidekiq) },
]
const will = 'change see that all of Mastodon runs with the new key'

describe('looking', () => {
  it.each<[string, object, RunningProcess[] | undefined, string]>([
    ['before the switch', { envWritten: undefined }, [], 'waiting envWritten'],
    ['all young', {}, running(9, 9), 'ready all 2 began after the env file changed'],
    ['one old', {}, running(9, -9), 'later run with the old key still: pid 7'],
    ['one old after our restart', { restartedAt }, running(9, -9), will],
    ['none yet after our restart', { restartedAt }, [], will],
  ])('%s', async (_, more, list, expected) => {
    const world = rotatingWorld({ ...switched, ...more })
    world.processes.list = list
    expect(found(await step.look(world))).toBe(expected)
  })

  it.each<[string, object, boolean]>([
    ['of an earlier run’s switch', { rotation: rotationOf({ kind: 'finish' }) }, true],
    ['after our commands', { restartedAt }, true],
    ['of this run’s switch', {}, false],
  ])('a person’s word where nothing is seen: %s', async (_, more, believed) => {
    const world = rotatingWorld({ ...switched, ...more })
    const finding = await vouched.look(world)
    expect(finding.is).toBe(believed ? 'ready' : 'later')
    if (believed) {
      expect(finding).toMatchObject({ facts: { allFresh: { fileChangedAt: changedAt } } })
    }
  })

  it('a person’s word never outweighs an old process', async () => {
    const world = rotatingWorld({ ...switched, rotation: rotationOf({ kind: 'finish' }) })
    world.processes.list = running(9, -9)
    expect((await vouched.look(world)).is).toBe('later')
  })

  it('hidden processes are said to be so, also after our restart', async () => {
    const world = rotatingWorld({ ...switched, restartedAt })
    expect(found(await step.look(world))).toContain('--assume-restarted')
  })

  it('an env file that is gone', async () => {
    const world = rotatingWorld(switched)
    world.processes.fileChangedAt = undefined
    expect((await problemOf(step.look(world))).code).toBe('env-file-gone')
  })
})

describe('waiting after a restart', () => {
  const waiting = (world: ReturnType<typeof rotatingWorld>) =>
    step.change?.(world) ?? Promise.reject(new Error('no change'))

  it('until the last one is young', async () => {
    const world = rotatingWorld({ ...switched, restartedAt })
    world.processes.onLook = (look) => {
      world.processes.list = look < 3 ? running(9, -9) : running(9_000, 8_000)
    }
    const since = new Date(changedAt.getTime() + 9_000)
    expect(await waiting(world)).toEqual({ allFresh: { since, fileChangedAt: changedAt } })
    expect(world.clock.slept).toBe(2_000)
  })

  it.each<[string, RunningProcess[], string, string]>([
    ['a unit', running(-9, -9), 'processes-old', 'systemctl restart mastodon-web.service'],
    ['a loose process', running(9, -9), 'processes-old', 'named above'],
    ['none', [], 'processes-unseen', '--assume-restarted'],
  ])('not for ever: %s', async (_, list, code, next) => {
    const world = rotatingWorld({ ...switched, restartedAt })
    world.processes.list = list
    const problem = await problemOf(waiting(world))
    expect(problem.code).toBe(code)
    expect(String(problem.next)).toContain(next)
  })
})
