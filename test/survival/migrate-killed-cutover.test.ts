import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { filesBelow } from '../e2e/machine.ts'
import { openMigratingServer, rcloneMissing, type Trap } from '../e2e/migrating-server.ts'
import { familyOf, isAlive } from '../e2e/processes.ts'
import type { Running } from '../e2e/program.ts'
import { until } from '../e2e/stage.ts'

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({ media: 100, uploadsPerSecond: 4 })
afterAll(() => server?.close())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}
const copy = ['--stage', 'copy', '--yes']
const cutover = ['--stage', 'cutover', '--yes']

/** Process ids of rclone below a run, once there are some. */
async function rclonesOf(running: Running): Promise<number[]> {
  for (const end = Date.now() + 20_000; Date.now() < end; await sleep(10)) {
    const found = familyOf(running.pid).filter(({ argv }) => /^\S*rclone .*copy/.test(argv))
    if (found.length > 0) return found.map(({ pid }) => pid)
  }
  throw new Error(`rclone never came.\n${running.said()}`)
}

/** What the program notes as put into the bucket. */
function noted(): number {
  const files = filesBelow(join(the().at.home, 'state'))
  const [text] = [...files].filter(([path]) => path.endsWith('checkpoint.json')).map(([, it]) => it)
  return text === undefined ? 0 : JSON.parse(text).copied.objects
}

describe.skipIf(rcloneMissing)(`a copy that is stopped ${rcloneMissing ?? ''}`, () => {
  beforeEach(() => server?.anew())

  test.each([
    ['SIGINT', 130],
    ['SIGKILL', null],
  ] as const)('%s: rclone goes too, and what is noted is true', async (signal, exit) => {
    const { start, stage, stored, migrateHere } = the()
    const { delays } = stage.sandbox.world
    delays.requestMs = 60
    const running = start([...copy, '--transfers', '2'])
    const rclones = await rclonesOf(running)
    const puts = () => stage.sandbox.log.filter(({ method }) => method === 'PUT').length
    const before = puts()
    await until('some were uploaded', () => puts() >= before + 8)
    running.child.kill(signal)
    const { code, stdout } = await running.ended
    delays.requestMs = 0
    expect(code).toBe(exit)
    await until('rclone is gone', () => !rclones.some(isAlive))
    const left = (await stored()).size
    expect(left).toBeGreaterThan(0)
    expect(noted()).toBeLessThanOrEqual(left)
    if (signal === 'SIGINT') {
      expect(stdout).toMatch(/Not done: Copy \(begun: \d+ files?, [\d.]+ \w+ copied\)\./)
      expect(stdout).toContain('What is done stays done.')
      expect(stdout).toContain('To go on from here')
      expect(noted()).toBeGreaterThan(0)
    }
    const next = await migrateHere(['--dry-run'])
    expect(next.stdout).toMatch(/^ {2}next {2}(survey|copy)/m)
  })
})

describe.skipIf(rcloneMissing)(`kill -9 in the middle of a cut-over ${rcloneMissing ?? ''}`, () => {
  beforeEach(() => server?.back())

  const systemctl = (args: string, then: Trap['then']) => ({ program: 'systemctl', args, then })

  test.each([
    {
      name: 'Sidekiq rests',
      trap: systemctl('kill*TSTP*', 'kill-after'),
      tells: /warning: Sidekiq rests and takes no jobs/,
      says: 'rests already',
    },
    {
      name: 'the env file is written',
      trap: systemctl('restart*', 'kill-before'),
      tells: /^ {2}next {2}cutover +begun and cut off/m,
      says: 'names R2 already',
    },
    {
      name: 'all was restarted',
      trap: systemctl('reload*', 'kill-after'),
      tells: /^ {2}next {2}cutover +begun and cut off/m,
      says: 'names R2 already',
    },
  ])('$name: the next run says so and ends it', async ({ trap, tells, says }) => {
    const { migrate, migrateHere, storesIn, lost } = the()
    const first = await migrateHere(copy)
    expect(first.code, first.stdout + first.stderr).toBe(0)
    the().trap(trap)
    const { code, signal } = await migrate(cutover)
    expect({ code, signal }).toEqual({ code: null, signal: 'SIGKILL' })
    the().trap({ ...trap, args: 'nothing' })
    const stands = await migrateHere(['--dry-run'])
    expect(stands.stdout).toMatch(tells)
    const again = await migrateHere(cutover)
    expect({ code: again.code, said: again.stdout + again.stderr }).toMatchObject({ code: 0 })
    expect(again.stdout).toContain(says)
    expect(again.stdout).toMatch(/Both sides: equal: \d+ files/)
    await storesIn('bucket')
    expect(await lost()).toEqual([])
  })

  test('what a killed run has switched is not said to be back', async () => {
    const { migrate, migrateHere, at, stage } = the()
    const first = await migrateHere(copy)
    expect(first.code, first.stdout + first.stderr).toBe(0)
    the().trap(systemctl('restart*', 'kill-before'))
    expect((await migrate(cutover)).signal).toBe('SIGKILL')
    the().trap(systemctl('nothing', 'fail'))
    const fault = { side: 's3', method: 'PUT', path: 'mastodon-r2-probe', kind: 'status' } as const
    stage.sandbox.faults.add({ ...fault, status: 403, times: 50 })
    const { code, stdout } = await migrateHere(cutover)
    expect(code).toBe(1)
    expect(stdout).toContain('Not proven. The env file named R2 before this run, and still does.')
    expect(at.read()).toContain('S3_ENABLED=true\n')
  })
})
