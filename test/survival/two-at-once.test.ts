import { existsSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { keysOf, openStage, until } from '../e2e/stage.ts'
import { expectConverged } from './converged.ts'
import { BEFORE } from './trial.ts'

const stage = await openStage({ emulator: 'eager', domainMs: 100, keyMs: 100 })
afterAll(() => stage.close())
const { delays } = stage.sandbox.world
const LOCK = '.env.production.mastodon-r2.lock'

function place(name: string) {
  const [host, bucket] = [`${name}.example.com`, `${name}-media`]
  const at = stage.machine(BEFORE)
  const args = ['--media-host', host, '--bucket', bucket]
  return { at, host, bucket, before: BEFORE, args, isLocked: () => existsSync(at.path(LOCK)) }
}

test('the second hears who is at work; who only looks may look', async () => {
  const { at, args, isLocked, ...goal } = place('twice')
  delays.keyMs = 8000
  const first = stage.start(at, args)
  await until('the key', () => keysOf(stage.sandbox, goal.bucket).length === 1)
  const second = await stage.initHere(at, [...args, '--json'])
  expect(second.code).toBe(1)
  const { problem } = JSON.parse(second.stdout)
  expect(problem.code).toBe('locked')
  expect(problem.why).toContain(`"mastodon-r2 init" (process ${first.pid} on `)
  expect((await stage.initHere(at, [...args, '--dry-run'])).code).toBe(0)
  expect((await first.ended).code).toBe(0)
  delays.keyMs = 100
  expectConverged(stage.sandbox, at.read(), goal)
  expect(isLocked()).toBe(false)
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s takes the lock away', async (signal) => {
  const { at, args, bucket, isLocked } = place(`by-${signal.toLowerCase()}`)
  delays.keyMs = 30_000
  const run = stage.start(at, args)
  await until('the key', () => keysOf(stage.sandbox, bucket).length === 1)
  expect(isLocked()).toBe(true)
  run.child.kill(signal)
  expect((await run.ended).code).toBe(130)
  delays.keyMs = 100
  expect(isLocked()).toBe(false)
  expect(keysOf(stage.sandbox, bucket)).toEqual([])
})

test('after kill -9 the next run takes it over', async () => {
  const { at, args, isLocked, ...goal } = place('killed')
  delays.keyMs = 30_000
  const run = stage.start(at, args)
  await until('the key', () => keysOf(stage.sandbox, goal.bucket).length === 1)
  run.child.kill('SIGKILL')
  await run.ended
  delays.keyMs = 100
  expect(isLocked()).toBe(true)
  expect((await stage.initHere(at, args)).code).toBe(0)
  expect(isLocked()).toBe(false)
  expectConverged(stage.sandbox, at.read(), goal)
})
