import { describe, expect, it } from 'vitest'
import type { RunningProcess } from '../../src/services/mastodon/port.ts'
import { type RestartWishes, restart } from '../../src/setup/restart.ts'
import { found, problemOf } from '../fakes/found.ts'
import { rotatingWorld, rotationOf, written } from './rotating.ts'

const commands = [
  {
    command: { program: 'systemctl', args: ['restart', 'mastodon-sidekiq'], env: {} },
    line: 'systemctl restart mastodon-sidekiq',
  },
  {
    command: { program: 'docker', args: ['compose', 'up', '-d'], env: {} },
    cwd: '/srv/it is',
    line: "cd '/srv/it is' && docker compose up -d",
  },
]
const line = "systemctl restart mastodon-sidekiq && cd '/srv/it is' && docker compose up -d"
const wishes: RestartWishes = { mode: 'run', commands, assumeRestarted: false }
const switched = { rotation: rotationOf(), envWritten: written }
const changedAt = new Date(Date.UTC(2026, 10, 22, 9))
const running = (seconds: number): RunningProcess[] =>
  (['web', 'sidekiq'] as const).map((role) => ({
    role,
    name: role,
    startedAt: new Date(changedAt.getTime() + seconds * 1000),
  }))

describe('looking', () => {
  it('waits for the env file', async () => {
    expect(found(await restart(wishes).look(rotatingWorld()))).toBe('waiting envWritten')
  })

  it.each<[string, Partial<RestartWishes>, RunningProcess[] | undefined, string]>([
    ['runs the commands', {}, running(-9), `change [public] run: ${line}`],
    ['runs them where nothing can be seen', {}, undefined, `change [public] run: ${line}`],
    ['leaves them to a person', { mode: 'print' }, running(-9), 'later to be done by you'],
    ['knows no commands', { commands: [] }, [], 'later restart Mastodon, web and Sidekiq'],
    ['has nothing to do', {}, running(9), 'ready Mastodon was restarted already'],
  ])('%s', async (_, more, list, expected) => {
    const world = rotatingWorld(switched)
    world.processes.list = list
    const finding = await restart({ ...wishes, ...more }).look(world)
    expect(found(finding)).toBe(expected)
    if (more.mode === 'print') expect(finding).toMatchObject({ next: line })
  })

  const vouched = { ...wishes, mode: 'print', assumeRestarted: true } as const
  it.each<[string, 'begin' | 'finish', RunningProcess[] | undefined, string]>([
    ['is believed of an earlier switch', 'finish', undefined, 'ready done, as you say'],
    ['can’t be true of this very switch', 'begin', undefined, 'later to be done by you'],
    ['is not believed against what is seen', 'finish', running(-9), 'later to be done by you'],
  ])('a person’s word %s', async (_, kind, list, expected) => {
    const world = rotatingWorld({ ...switched, rotation: rotationOf({ kind }) })
    world.processes.list = list
    expect(found(await restart(vouched).look(world))).toBe(expected)
  })
})

describe('running', () => {
  it('in order, in the next second, and tells when', async () => {
    const world = rotatingWorld(switched)
    const learned = await restart(wishes).change?.(world)
    expect(world.clock.slept).toBeGreaterThan(1_000)
    expect(world.runner.ran).toEqual([
      'systemctl restart mastodon-sidekiq',
      'docker compose up -d (in /srv/it is)',
    ])
    expect(learned).toEqual({ restartedAt: world.clock.now() })
    const after = await restart(wishes).look(rotatingWorld({ ...switched, ...learned }))
    expect(found(after)).toBe('ready the commands were run')
  })

  it('stops at the first that fails, and says what it said', async () => {
    const world = rotatingWorld(switched)
    world.runner.result = () => ({ exitCode: 5, stderr: 'a\nUnit not loaded.\n' })
    const work = restart(wishes).change?.(world) ?? Promise.resolve()
    const problem = await problemOf(work)
    expect(problem.code).toBe('command-failed')
    expect(problem.why).toContain('Unit not loaded.')
    expect(world.runner.ran).toHaveLength(1)
  })
})
