import { appendFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { LOCAL_DOMAIN, type Machine } from '../e2e/machine.ts'
import { openMigratingServer, rcloneMissing } from '../e2e/migrating-server.ts'
import type { Ended, Running } from '../e2e/program.ts'
import { openStage } from '../e2e/stage.ts'
import { GONE, undone } from '../e2e/undone.ts'
import { expectOnlyOurs } from './converged.ts'

/**
 * How many moments of each command are struck; MOMENTS=40 for a long trial by hand, with MOMENTS_LOG
 * for a line about each.
 */
const MOMENTS = Number(process.env.MOMENTS ?? 3)
const SIGNALS = ['SIGKILL', 'SIGTERM', 'SIGHUP'] as const
type Blow = (typeof SIGNALS)[number]
const blows = Array.from({ length: MOMENTS }, (_, nth) => ({
  nth,
  signal: SIGNALS[nth % SIGNALS.length] as Blow,
}))

/** Strikes a run at a random moment of the time that a whole one takes, milliseconds. */
async function strike(running: Running, signal: Blow, wholeMs: number) {
  const after = Math.round(Math.random() * wholeMs)
  await Promise.race([sleep(after), running.ended])
  const struckAt = performance.now()
  running.child.kill(signal)
  const ended = await running.ended
  const tookMs = Math.round(performance.now() - struckAt)
  const { code, stdout } = ended
  const said = /Stopping as soon as this has ended.*: (.*)\./.exec(stdout)?.[1] ?? ''
  const line = { command: running.child.spawnargs.slice(2, 5), signal, after, tookMs, code, said }
  if (process.env.MOMENTS_LOG) {
    appendFileSync(process.env.MOMENTS_LOG, `${JSON.stringify(line)}\n`)
  }
  return { ...ended, after, tookMs }
}

/**
 * It was killed, it stopped by itself, it had come to its end before, or had not begun. Node gives
 * signals back to the system while it goes away, so a run that had said all may die of one, too.
 */
function expectAnEnd({ code, signal, stdout }: Ended, blow: Blow, lastWords: RegExp): void {
  const isDead = blow === 'SIGKILL' || stdout === '' || lastWords.test(stdout)
  expect(isDead ? [null, 130, 0] : [130, 0], `${signal} ${stdout}`).toContain(code)
}

describe.skipIf(rcloneMissing)(`a cut-over ${rcloneMissing ?? ''}`, async () => {
  const server = rcloneMissing
    ? undefined
    : await openMigratingServer({ media: 60, uploadsPerSecond: 4 })
  afterAll(() => server?.close())
  const cutover = ['--stage', 'cutover', '--yes']
  let wholeMs = 0

  async function storesAnywhere(): Promise<void> {
    if (!server) return
    await Promise.any([server.storesIn('disk'), server.storesIn('bucket')])
  }

  beforeAll(async () => {
    if (!server) return
    expect((await server.migrateHere(['--stage', 'copy', '--yes'])).code).toBe(0)
    const began = performance.now()
    expect((await server.migrate(cutover)).code).toBe(0)
    wholeMs = performance.now() - began
    await server.back()
  })

  test.each(blows)(
    'struck at a random moment ($nth, $signal): what follows ends it',
    { timeout: 180_000 },
    async ({ signal }) => {
      if (!server) throw new Error('There is no rclone.')
      const { migrateHere, start, at, lost, storesIn, back } = server
      const prepared = at.read()
      const struck = await strike(start(cutover), signal, wholeMs)
      expectAnEnd(struck, signal, /^Switched: .* nothing is missing/m)
      expectOnlyOurs(prepared, at.read())
      if (signal !== 'SIGKILL') await storesAnywhere()
      const again = await migrateHere(cutover)
      expect(again.code, `${struck.stdout}\n${again.stdout}${again.stderr}`).toBe(0)
      expectOnlyOurs(prepared, at.read())
      await storesIn('bucket')
      expect(await lost()).toEqual([])
      await back()
    },
  )
})

describe('undo', async () => {
  const stage = await openStage({ emulator: 'eager' })
  afterAll(() => stage.close())
  const { setUp, leftOf } = undone(stage)
  const all = ['undo', '--yes', '--detach-domain', '--delete-empty-bucket']
  let wholeMs = 0

  const ended = async (at: Machine, how: typeof stage.initHere = stage.initHere) => {
    const { code, stdout, stderr } = await how(at, all)
    expect(code, stdout + stderr).toBe(0)
  }

  beforeAll(async () => {
    const { at } = await setUp('struck-whole')
    const began = performance.now()
    await ended(at, stage.init)
    wholeMs = performance.now() - began
    expect(leftOf('struck-whole')).toEqual(GONE)
  })

  test.each(blows)(
    'struck at a random moment ($nth, $signal): what follows ends it',
    async ({ nth, signal }) => {
      const name = `struck-${nth}`
      const { at } = await setUp(name)
      const before = at.read()
      const struck = await strike(stage.start(at, all), signal, wholeMs)
      expectAnEnd(struck, signal, /^All taken back\./m)
      expect([before, LOCAL_DOMAIN]).toContain(at.read())
      // A run that came to its end leaves nothing to take back, and says so with 2.
      if (at.read() === before || leftOf(name).bucket || leftOf(name).keys > 0) await ended(at)
      expect(at.read()).toBe(LOCAL_DOMAIN)
      expect(leftOf(name)).toEqual(GONE)
    },
  )
})
