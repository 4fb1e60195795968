import { describe, expect, test } from 'vitest'
import { renderText, toType } from '../../src/core/to-type.ts'
import { refuseBeforeRestart } from '../../src/leave/restarted.ts'
import type { RunningProcess } from '../../src/services/mastodon/port.ts'
import { runsWithSettings } from '../../src/setup/restart.ts'
import { FakeProcesses } from '../fakes/fake-processes.ts'
import { installationOf } from '../fakes/fake-world.ts'

const CHANGED = new Date(Date.UTC(2026, 10, 22, 9))
const at = (minutes: number) => new Date(CHANGED.getTime() + minutes * 60_000)
const process = (role: RunningProcess['role'], minutes: number): RunningProcess => ({
  role,
  name: `mastodon-${role}.service`,
  startedAt: at(minutes),
})

const leaving = {
  installation: installationOf(),
  there: { words: { fetch: '', fetched: '', on: 'on the disk' } },
  lineFor: (stage: 'cutover' | 'redirects', more = {}) => toType('leave', { stage, ...more }),
} as unknown as Parameters<typeof refuseBeforeRestart>[0]

function world(list: readonly RunningProcess[] | undefined) {
  const processes = new FakeProcesses()
  processes.list = list
  processes.fileChangedAt = CHANGED
  return { processes }
}

const refused = (list: readonly RunningProcess[] | undefined, assumed = false) =>
  refuseBeforeRestart(leaving, world(list), { assumed }).then(
    () => undefined,
    (error: { code: string; exit: number; why: string; next: string }) => ({
      ...error,
      said: `${renderText(error.why)} ${renderText(error.next)}`,
      code: error.code,
    }),
  )

describe('a redirect waits until all of Mastodon runs with the new settings', () => {
  test('all began after the change', async () => {
    expect(await refused([process('web', 1), process('sidekiq', 1)])).toBeUndefined()
  })

  test.each([false, true])('one began before it (--assume-restarted %s)', async (assumed) => {
    const problem = await refused([process('web', 1), process('sidekiq', -1)], assumed)
    expect(problem).toMatchObject({ code: 'leave-not-switched', exit: 2 })
    expect(problem?.said).toContain('mastodon-sidekiq.service')
    expect(problem?.said).not.toContain('mastodon-web.service')
    expect(problem?.said).toContain('leave --stage cutover')
    expect(problem?.said).toContain('systemctl restart mastodon-sidekiq.service')
  })

  test('one worker below an older Puma tells of no reload, and a restart shows', async () => {
    const below = { startedAt: at(-9), workers: 1, spreadMs: 0 }
    const problem = await refused([{ ...process('web', 1), below }, process('sidekiq', 1)])
    expect(problem?.said).toContain('systemctl restart mastodon-web.service')
  })

  test('streaming stores nothing', async () => {
    const all = [process('web', 1), process('sidekiq', 1), process('streaming', -1)]
    expect(await refused(all)).toBeUndefined()
  })

  test.each([
    ['none can be seen', undefined],
    ['none runs here', []],
    ['Sidekiq runs elsewhere', [process('web', 1)]],
  ])('%s: that is no restart until somebody says so', async (_, list) => {
    const problem = await refused(list)
    expect(problem).toMatchObject({ code: 'leave-restart-unseen', exit: 2 })
    expect(problem?.said).toContain('leave --stage redirects --assume-restarted')
    expect(await refused(list, true)).toBeUndefined()
  })

  test('a change of any file that hands settings to it counts', async () => {
    const files = installationOf({ composeFile: '/srv/docker-compose.yml', envFiles: [] })
    const { processes } = world([process('web', -1), process('sidekiq', -1)])
    expect((await runsWithSettings(files, { processes })).is).toBe('old')
    processes.fileChangedAt = undefined
    expect((await runsWithSettings(files, { processes })).is).toBe('unseen')
  })
})
