import { beforeEach, expect, test } from 'vitest'
import { Cancelled, Problem } from '../../../src/core/problem.ts'
import { Secret } from '../../../src/core/secret.ts'
import type { Selection } from '../../../src/migrate/migration.ts'
import { holdSlurper, slurp } from '../../../src/migrate/slurper/super-slurper.ts'
import type { SlurperSource } from '../../../src/services/cloudflare/port.ts'
import { FakeCloudflare, refusal } from '../../fakes/fake-cloudflare.ts'
import { copyWorld } from '../../fakes/fake-copy.ts'
import type { FakeSlurper } from '../../fakes/fake-slurper.ts'
import { ACCOUNT } from '../../fakes/fake-world.ts'

const at = { accountId: ACCOUNT, bucket: 'media', jurisdiction: 'default' } as const
const source: SlurperSource = {
  vendor: 's3',
  bucket: 'old',
  key: { accessKeyId: 'OLDKEY', secretAccessKey: new Secret('old-secret') },
  endpoint: 'https://s3.example.com',
  region: 'eu-1',
}
const whole = { onlyLocal: false, skip: [], withPrivate: true, withSuspended: true }
const done = (transferred: number, more = {}) => ({
  status: 'completed' as const,
  objects: transferred,
  transferred,
  ...more,
})

/** The fakes, and the step over them. */
function stage(selection: Selection = whole, from: SlurperSource | Problem = source) {
  const copy = copyWorld()
  const cloudflare = new FakeCloudflare()
  const migration = { ...copy.migration, selection }
  const world = { cloudflare, clock: copy.clock }
  const step = () => slurp(migration, { at, source: from })
  const wish = (prefix?: string) => ({ source, target: { ...at, key: migration.to.key }, prefix })
  return { ...copy, cloudflare, slurper: cloudflare.slurper, migration, world, step, wish }
}

/** Look, change, look again, as a run does. */
async function run({ step, world }: ReturnType<typeof stage>) {
  const one = step()
  const before = await one.look(world)
  if (before.is !== 'change') return { before, after: before }
  await one.change?.(world)
  return { before, after: await one.look(world) }
}

let on: ReturnType<typeof stage>
beforeEach(() => {
  on = stage()
})

const code = (work: Promise<unknown>) =>
  work.then(
    () => 'nothing',
    (error: unknown) => (error instanceof Problem ? error.code : error),
  )

test('one job for everything, remembered, watched to its end', async () => {
  on.slurper.course = [
    { status: 'running', objects: 1000, transferred: 10 },
    { status: 'running', objects: 5000, transferred: 4000, failed: 0 },
    done(5000, { skipped: 3 }),
  ]
  const { before, after } = await run(on)
  expect(before).toMatchObject({
    changes: [
      { what: 'give Cloudflare the key of /srv/system, to read there', risk: 'safe' },
      { what: expect.stringContaining('copy everything from') },
    ],
  })
  expect(on.slurper.wishes).toMatchObject([{ source, target: { bucket: 'media' } }])
  expect(on.checkpoint.held?.slurperJobs).toEqual(['job-1'])
  expect(on.told).toEqual([
    'Super Slurper: 10 of 1,000 objects found so far',
    'Super Slurper: 4,000 of 5,000 objects found so far',
    'Super Slurper: 5,000 of 5,000 objects found so far, 3 skipped',
  ])
  expect(after).toMatchObject({
    is: 'ready',
    note: '5,000 objects copied, 3 objects skipped, 0 failed',
  })
  expect((await run(on)).before.is).toBe('ready')
  expect(on.slurper.writes).toEqual(['create'])
})

test('a selection becomes one job a prefix', async () => {
  on = stage({ ...whole, onlyLocal: true, withPrivate: false })
  await run(on)
  expect(on.slurper.writes).toEqual([
    'create accounts/',
    'create custom_emojis/',
    'create media_attachments/',
    'create preview_cards/',
    'create site_uploads/',
  ])
  expect(on.checkpoint.held?.slurperJobs).toHaveLength(5)
})

test.each<[string, 'running' | 'paused' | 'aborted' | 'completed', boolean, string[]]>([
  ['running is watched', 'running', false, []],
  ['paused goes on', 'paused', false, ['resume old-1']],
  ['aborted is made again', 'aborted', true, ['create']],
  ['completed, of this migration, is done', 'completed', true, []],
  ['completed, of another time, is made again', 'completed', false, ['create']],
])('a job found again: %s', async (_, status, isKnown, writes) => {
  on.slurper.add('old-1', on.wish(), status, [status === 'aborted' ? { status } : done(7)])
  if (isKnown) {
    const { noted } = await import('../../../src/services/checkpoint/port.ts')
    await noted(on.checkpoint, { slurperJobs: ['old-1'] })
  }
  const { after } = await run(on)
  expect(on.slurper.writes).toEqual(writes)
  expect(after.is).toBe('ready')
})

test.each<[string, Partial<FakeSlurper>, string]>([
  ['unreadable source', { readable: false }, 'slurper-cannot-read'],
  ['closed target', { writable: false }, 'slurper-cannot-write'],
])('a precheck fails: %s', async (_, arrange, expected) => {
  Object.assign(on.slurper, arrange)
  expect(await on.step().look(on.world)).toMatchObject({ problem: { code: expected } })
  expect(on.slurper.writes).toEqual([])
})

test('a source that can not be read so is blocked', async () => {
  on = stage(whole, refusal('slurper-needs-https'))
  expect(await code(on.step().look(on.world))).toBe('slurper-needs-https')
})

test.each(['paused', 'aborted'] as const)(
  'a job is %s by somebody while watched',
  async (status) => {
    on.slurper.course = [
      { status: 'running', objects: 9, transferred: 1 },
      { status, transferred: 5 },
    ]
    const step = on.step()
    await step.look(on.world)
    expect(await code(step.change?.(on.world) ?? Promise.resolve())).toBe(`slurper-${status}`)
    on.slurper.course = [done(9)]
    const again = await on.step().look(on.world)
    expect(again).toMatchObject({ is: 'change' })
  },
)

test('Ctrl-C leaves the jobs running, and says how to see and stop them', async () => {
  on.slurper.course = [{ status: 'running', objects: 9, transferred: 1 }]
  const clock = { ...on.clock, sleep: async () => Promise.reject(new Cancelled()) }
  const step = on.step()
  const cancelled = await code(step.change?.({ ...on.world, clock }) ?? Promise.resolve())
  expect(cancelled).toBeInstanceOf(Cancelled)
  expect(on.said.join('\n')).toMatch(/goes on at Cloudflare.*pause or abort.*run the same/s)
  expect(on.slurper.writes).toEqual(['create'])
  expect(on.checkpoint.held?.slurperJobs).toEqual(['job-1'])
})

test('what failed is listed with its reason', async () => {
  on.slurper.course = [done(5, { failed: 1 })]
  on.slurper.log = [
    { key: 'a.png', reason: 'failed again and again: 403', skipped: false },
    { key: 'b.png', reason: 'skipped: empty', skipped: true },
  ]
  const { after } = await run(on)
  expect(after).toMatchObject({
    is: 'ready',
    warnings: [
      expect.stringMatching(/1 object failed, 1 passed over.*The copy with rclone after it/),
      'a.png: failed again and again: 403',
      'b.png: skipped: empty',
    ],
  })
})

test.each([
  ['public, max-age=315576000, immutable', 0],
  ['', 2],
])('Cache-Control %j of the copies: %i warnings', async (cacheControl, warnings) => {
  const body = Buffer.from('x')
  on.s3.objects.set('a.png', { body, contentType: 'image/png', cacheControl })
  const { after } = await run(on)
  expect(after).toHaveProperty('warnings.length', warnings)
})

test('jobs beyond what Cloudflare takes at a time wait for the others', async () => {
  on = stage({
    ...whole,
    skip: ['cache/', 'backups/', 'imports/', 'site_uploads/', 'preview_cards/'],
  })
  const { slurper } = on
  slurper.course = [{ status: 'running' }, done(1)]
  const create = slurper.createJob.bind(slurper)
  slurper.createJob = async (account, wish) => {
    const active = slurper.jobs.filter(({ status }) => status === 'running')
    if (active.length > 0) throw refusal('slurper-too-many-jobs')
    return create(account, wish)
  }
  const { after } = await run(on)
  expect(after.is).toBe('ready')
  expect(slurper.writes).toEqual([
    'create accounts/',
    'create custom_emojis/',
    'create media_attachments/',
  ])
  slurper.jobs = []
  slurper.createJob = async () => Promise.reject(refusal('slurper-too-many-jobs'))
  const others = stage()
  others.slurper.createJob = slurper.createJob
  expect(await code(run(others))).toBe('slurper-too-many-jobs')
})

test('an API that does not answer for a while does not end the watch, a refusal does', async () => {
  const { slurper } = on
  slurper.course = [{ status: 'running' }, done(1)]
  const progress = slurper.progress.bind(slurper)
  let asked = 0
  slurper.progress = async (account, id) => {
    asked += 1
    if (asked < 20) throw refusal('cloudflare-503')
    return progress(account, id)
  }
  expect((await run(on)).after.is).toBe('ready')
  const stopped = stage()
  stopped.slurper.progress = async () => Promise.reject(refusal('cloudflare-9109'))
  expect(await code(run(stopped))).toBe('cloudflare-9109')
  const silent = stage()
  silent.slurper.progress = async () => Promise.reject(refusal('cloudflare-unreachable'))
  expect(await code(run(silent))).toBe('cloudflare-unreachable')
  expect(silent.clock.slept).toBeGreaterThan(1_800_000)
})

test.each<['pause' | 'abort', string[]]>([
  ['pause', ['pause running-1']],
  ['abort', ['abort running-1', 'abort paused-1']],
])('%s holds the jobs under way', async (wish, writes) => {
  on.slurper.add('paused-1', on.wish('a/'), 'paused', [])
  on.slurper.add('running-1', on.wish('b/'), 'running', [])
  on.slurper.add('completed-1', on.wish('c/'), 'completed', [])
  const step = holdSlurper(on.migration, { at, source, wish })
  expect(await step.look(on.world)).toMatchObject({ is: 'change' })
  await step.change?.(on.world)
  expect(on.slurper.writes).toEqual(writes)
  expect((await step.look(on.world)).is).toBe('ready')
})
