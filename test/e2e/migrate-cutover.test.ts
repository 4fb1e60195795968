import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing, type Trap } from './migrating-server.ts'

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({ media: 40, uploadsPerSecond: 10 })
afterAll(() => server?.close())
beforeEach(() => server?.back())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}
const cutover = ['--stage', 'cutover', '--yes']

/** Copied once, so that a switch can follow. */
async function copied(): Promise<void> {
  const { code, stdout, stderr } = await the().migrate(['--stage', 'copy', '--yes'])
  expect(code, stdout + stderr).toBe(0)
}

describe.skipIf(rcloneMissing)(`a cut-over while people upload ${rcloneMissing ?? ''}`, () => {
  test.each([
    {
      variant: [],
      asked: [/^systemctl kill -s TSTP .*sidekiq/, /^systemctl restart .*sidekiq/, /web/],
    },
    {
      variant: ['--stop'],
      asked: [/^systemctl stop .*(web|sidekiq)/, /^systemctl start .*(web|sidekiq)/],
    },
    { variant: ['--no-downtime'], asked: [/^systemctl restart .*sidekiq/, /reload.*web/] },
  ])('nothing is lost: $variant', async ({ variant, asked }) => {
    const { migrate, storesIn, lost, at, uploads, calls } = the()
    await storesIn('disk')
    await copied()
    await storesIn('disk')
    const [before, earlier] = [uploads().length, calls().length]
    const { code, stdout, stderr } = await migrate([...cutover, ...variant, '--json'])
    expect(code, stdout + stderr).toBe(0)
    const report = JSON.parse(stdout)
    expect(report.comparison).toMatchObject({ equal: true, missing: { objects: 0 } })
    expect(report.comparison.same.objects).toBeGreaterThan(40)
    expect(at.read()).toContain('S3_ENABLED=true\n')
    await storesIn('bucket')
    expect(await lost()).toEqual([])
    expect(uploads().slice(before).some(({ where }) => where === 'disk')).toBe(true)
    const said = calls().slice(earlier).join('\n')
    for (const call of asked) expect(said).toMatch(new RegExp(call.source, 'm'))
    if (variant.length > 0) expect(said).not.toContain('TSTP')
    const again = await migrate(['--stage', 'compare'])
    expect(again.code, again.stdout).toBe(0)
    expect(again.stdout).toContain('Both sides are equal.')
  })

  const refusedProbe = () =>
    the().stage.sandbox.faults.add({
      side: 's3',
      method: 'PUT',
      path: 'mastodon-r2-probe',
      kind: 'status',
      status: 403,
      times: 50,
    })
  const trap = (args: string, then: Trap['then'] = 'fail') =>
    the().trap({ program: 'systemctl', args, then })

  test.each<{ name: string; arrange: () => void; variant?: string[]; words: RegExp }>([
    { name: 'uploads are refused', arrange: refusedProbe, words: /403|refuse/ },
    { name: 'Sidekiq does not restart', arrange: () => trap('restart*'), words: /Job failed/ },
    { name: 'web does not reload', arrange: () => trap('reload*'), words: /Job failed/ },
    {
      name: 'nothing starts again',
      arrange: () => trap('start*'),
      variant: ['--stop'],
      words: /Job failed/,
    },
  ])('$name: everything goes back', async ({ arrange, variant = [], words }) => {
    const { migrate, storesIn, lost, at, back, stage } = the()
    await copied()
    const before = at.read()
    arrange()
    const { code, stdout, stderr } = await migrate([...cutover, ...variant])
    expect(code, stdout + stderr).toBe(1)
    expect(stdout + stderr).toMatch(words)
    expect(stdout).toContain('Not switched.')
    expect(at.read()).toBe(before)
    stage.sandbox.faults.clear()
    the().trap({ program: 'systemctl', args: 'never', then: 'fail' })
    await storesIn('disk')
    const again = await migrate([...cutover])
    expect(again.code, again.stdout + again.stderr).toBe(0)
    await storesIn('bucket')
    expect(await lost()).toEqual([])
    await back()
  })
})
