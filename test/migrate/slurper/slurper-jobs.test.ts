import { setTimeout as sleep } from 'node:timers/promises'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { Cancelled } from '../../../src/core/problem.ts'
import { slurp } from '../../../src/migrate/slurper/super-slurper.ts'
import type { Step } from '../../../src/plan/step.ts'
import type { SlurperSource } from '../../../src/services/cloudflare/port.ts'
import { copyWorld, FakeCheckpoint } from '../../fakes/fake-copy.ts'
import { type SlurperWorld, slurperWorld } from '../../sandbox/api/slurper-world.ts'

/** Jobs that really copy, in the sandbox. */
let on: SlurperWorld
let checkpoint: FakeCheckpoint
beforeEach(async () => {
  on = await slurperWorld()
  checkpoint = new FakeCheckpoint()
}, 60_000)
afterEach(() => on.close())

const keys = Array.from({ length: 12 }, (_, index) => `accounts/avatars/${index}/ä ${index}.png`)

function stage() {
  const { accountId } = on.sandbox
  const at = { accountId, bucket: 'media', jurisdiction: 'default' } as const
  const source: SlurperSource = {
    vendor: 's3',
    bucket: 'old',
    key: on.oldKey,
    endpoint: on.endpoint,
    region: 'auto',
  }
  const { migration: fake, said } = copyWorld()
  const migration = {
    ...fake,
    checkpoint,
    bucket: () => on.media,
    to: { ...fake.to, endpoint: on.sandbox.s3Url(), key: on.mediaKey },
  }
  const stop = new AbortController()
  const clock = {
    now: () => new Date(),
    randomHex: () => '',
    sleep: async (ms: number) => {
      await sleep(Math.min(ms, 20))
      if (stop.signal.aborted) throw new Cancelled()
    },
  }
  const world = { cloudflare: on.cloudflare, clock }
  return { step: slurp(migration, { at, source }), world, stop, said }
}

async function carryOut({ step, world }: { step: Step<'cloudflare' | 'clock'>; world: never }) {
  const before = await step.look(world)
  if (before.is === 'change') await step.change?.(world)
  return step.look(world)
}

const run = (staged: ReturnType<typeof stage>) =>
  carryOut({ step: staged.step, world: staged.world as never })

test('left with Ctrl-C in the middle, taken up again, equal at the end', async () => {
  await on.fill(keys)
  on.switches.objectMs = 500
  const first = stage()
  setTimeout(() => first.stop.abort(), 150)
  await expect(run(first)).rejects.toBeInstanceOf(Cancelled)
  expect(first.said.join(' ')).toContain('goes on at Cloudflare')
  on.switches.objectMs = 0
  const after = await run(stage())
  expect(after).toMatchObject({
    is: 'ready',
    note: '12 objects copied, 0 objects skipped, 0 failed',
  })
  expect(await on.keys()).toEqual([...(await on.old.list('', 1000))])
  const { result } = await on.call('GET', '/jobs?limit=50')
  expect(result).toHaveLength(1)
})

test('an object that fails is named; a new migration copies it, and only it', async () => {
  await on.fill(keys)
  await run(stage())
  checkpoint = new FakeCheckpoint()
  await on.fill(['new/bad.png', 'new/good.png'])
  const path = '/media/new/bad.png'
  on.sandbox.faults.add({ side: 's3', method: 'PUT', path, kind: 'status', status: 403, times: 3 })
  const after = await run(stage())
  expect(after).toMatchObject({
    is: 'ready',
    note: '1 object copied, 12 objects skipped, 1 failed',
    warnings: [
      expect.stringContaining('1 object failed'),
      'new/bad.png: failed again and again: The bucket answered 403',
    ],
  })
  checkpoint = new FakeCheckpoint()
  expect(await run(stage())).toMatchObject({
    note: '1 object copied, 13 objects skipped, 0 failed',
  })
})

test('paused in the middle: a Problem, and the next run lets it go on', async () => {
  await on.fill(Array.from({ length: 10 }, (_, index) => `paused/${index}.png`))
  on.switches.pauseAfter = 1
  await expect(run(stage())).rejects.toMatchObject({ code: 'slurper-paused' })
  expect(await run(stage())).toMatchObject({ note: expect.stringContaining('10 objects copied') })
})

test('copies without Cache-Control are found and said', async () => {
  on.switches.keepsCacheControl = false
  await on.fill(['000-first.png'])
  const after = await run(stage())
  on.switches.keepsCacheControl = true
  expect(after).toHaveProperty('warnings.0', expect.stringContaining('Cache-Control'))
})

test('a lost answer makes no second job', async () => {
  await on.fill(['lost.png'])
  const before = (await on.call('GET', '/jobs?limit=50')).result.length
  const fault = { side: 'api', method: 'POST', path: '/slurper/jobs' } as const
  on.sandbox.faults.add({ ...fault, kind: 'applied-then-reset' })
  expect((await run(stage())).is).toBe('ready')
  expect((await on.call('GET', '/jobs?limit=50')).result).toHaveLength(before + 1)
})

test('a key that opens nothing is found before anything is begun', async () => {
  const { step, world } = stage()
  const token = on.sandbox.world.tokens.find(({ name }) => name === 'old')
  Object.assign(token ?? {}, { status: 'disabled' })
  expect(await step.look(world)).toMatchObject({ problem: { code: 'slurper-cannot-read' } })
  Object.assign(token ?? {}, { status: 'active' })
})
