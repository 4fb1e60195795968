import { afterAll, beforeEach, describe, expect, test } from 'vitest'
import { openMigratingServer, rcloneMissing, type Trap } from './migrating-server.ts'

const server = rcloneMissing
  ? undefined
  : await openMigratingServer({ media: 20, uploadsPerSecond: 4 })
afterAll(() => server?.close())
beforeEach(() => server?.back())

const the = () => {
  if (!server) throw new Error('There is no rclone.')
  return server
}
const cutover = ['--stage', 'cutover', '--yes']

/** Once is enough: the cut-over copies what came since. */
let isCopied = false

async function copied(): Promise<void> {
  if (isCopied) return
  isCopied = true
  const { code, stdout, stderr } = await the().migrateHere(['--stage', 'copy', '--yes'])
  expect(code, stdout + stderr).toBe(0)
}

async function switches(args: readonly string[], how = the().migrateHere): Promise<string> {
  const { storesIn, lost, at } = the()
  const { code, stdout, stderr } = await how([...cutover, ...args])
  expect(code, stdout + stderr).toBe(0)
  expect(at.read()).toContain('S3_ENABLED=true\n')
  await storesIn('bucket')
  expect(await lost()).toEqual([])
  return stdout
}

const trap = (args: string, then: Trap['then']) => the().trap({ program: 'systemctl', args, then })

describe.skipIf(rcloneMissing)(`a cut-over while people upload ${rcloneMissing ?? ''}`, () => {
  test.each([
    {
      variant: [],
      asked: [/^systemctl kill -s TSTP .*sidekiq/m, /^systemctl restart .*sidekiq/m, /reload.*web/],
    },
    {
      variant: ['--stop'],
      asked: [/^systemctl stop .*web.*sidekiq/m, /^systemctl start .*sidekiq.*web/m],
    },
    { variant: ['--no-downtime'], asked: [/^systemctl restart .*sidekiq/m, /reload.*web/] },
  ])('nothing is lost: $variant', async ({ variant, asked }) => {
    const { storesIn, uploads, calls } = the()
    await copied()
    const [before, earlier] = [uploads().length, calls().length]
    await storesIn('disk')
    const said = await switches([...variant, '--json'])
    const { comparison } = JSON.parse(said)
    expect(comparison).toMatchObject({ equal: true, missing: { objects: 0 } })
    expect(comparison.same.objects).toBeGreaterThan(20)
    const places = new Set(
      uploads()
        .slice(before)
        .map(({ where }) => where),
    )
    expect(places).toEqual(new Set(['disk', 'bucket']))
    const calling = calls().slice(earlier).join('\n')
    for (const call of asked) expect(calling).toMatch(call)
    if (variant.length > 0) expect(calling).not.toContain('TSTP')
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

  test.each<{ name: string; arrange: () => void; variant: string[]; words: RegExp }>([
    { name: 'uploads are refused', arrange: refusedProbe, variant: [], words: /403|refuse/ },
    {
      name: 'nothing starts at once',
      arrange: () => trap('start*', 'fail-once'),
      variant: ['--stop'],
      words: /This failed: systemctl start/,
    },
  ])('$name: everything goes back', async ({ arrange, variant, words }) => {
    const { migrateHere, storesIn, at } = the()
    await copied()
    const before = at.read()
    arrange()
    const { code, stdout, stderr } = await migrateHere([...cutover, ...variant])
    expect(code, stdout + stderr).toBe(1)
    expect(stdout).toMatch(words)
    expect(stdout).toContain('Not switched; everything is back as it was.')
    expect(at.read()).toBe(before)
    await storesIn('disk')
  })

  test.each([
    { name: 'while Sidekiq goes to rest', args: 'kill*TSTP*' },
    { name: 'while Mastodon restarts', args: 'restart*' },
  ])('Ctrl-C $name: everything goes back', async ({ args }) => {
    const { migrate, storesIn, at } = the()
    await copied()
    const before = at.read()
    trap(args, 'interrupt-once')
    const { code, stdout, stderr } = await migrate(cutover)
    expect(code, stdout + stderr).toBe(130)
    expect(stdout).toContain('Not switched; everything is back as it was.')
    expect(at.read()).toBe(before)
    await storesIn('disk')
  })

  test('what does not start again is said; the next run switches', async () => {
    const { migrate, migrateHere, at } = the()
    await copied()
    const before = at.read()
    trap('restart*', 'fail')
    const { code, stdout, stderr } = await migrateHere(cutover)
    expect(code, stdout + stderr).toBe(1)
    expect(stdout).toContain('may still run with R2 until this was run: systemctl restart')
    expect(stdout).toContain('Sidekiq takes no jobs until this was run: systemctl restart')
    expect(stdout).toContain('Not switched, and not all of it is back')
    expect(at.read()).toBe(before)
    trap('nothing', 'fail')
    expect(await switches([], migrate)).toContain('Sidekiq rests already')
  })
})
