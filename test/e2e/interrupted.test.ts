import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeEach, expect, test } from 'vitest'
import type { Machine } from './machine.ts'
import type { Running } from './program.ts'
import { keysOf, openStage, until } from './stage.ts'
import { settingsOf, storageLines } from './storage-lines.ts'

const stage = await openStage({ emulator: 'eager' })
afterAll(() => stage.close())

const { world, faults, log } = stage.sandbox
const FAST = { domainMs: 0, keyMs: 0 }
const SLOW = 60_000
/** Less than the API client waits for an answer. */
const UNANSWERED_MS = 25_000
let number = 0
let bucket: string
let host: string
let args: string[]
let at: Machine
/** Where the log stood when the test began. */
let before: number

beforeEach(() => {
  number += 1
  bucket = `stopped-${number}`
  host = `s${number}.example.com`
  args = ['--media-host', host, '--bucket', bucket]
  at = stage.machine()
  before = log.length
  Object.assign(world.delays, FAST)
  faults.clear()
})

function saw(method: string, path: RegExp) {
  return () =>
    log.slice(before).some((request) => request.method === method && path.test(request.path))
}

function stopAt(running: Running, signal: NodeJS.Signals) {
  running.child.kill(signal)
  return running.ended
}

/** One bucket, one domain, one key, and the env file that goes with them. */
async function wholeSetup(machine: Machine = at) {
  const own = world.buckets.filter(({ name }) => name === bucket)
  expect(own).toHaveLength(1)
  expect(own[0]?.domains.map((domain) => domain.host)).toEqual([host])
  expect(settingsOf(machine.read())).toMatchObject(storageLines(stage, { bucket, host }))
}

async function runsToItsEnd() {
  Object.assign(world.delays, FAST)
  const { code, stdout } = await stage.initHere(at, args)
  expect({ code, stdout }).toMatchObject({ code: 0 })
  await wholeSetup()
}

const POSTED_KEY = /\/tokens$/

interface Moment {
  readonly name: string
  readonly delays: Partial<typeof world.delays>
  readonly reached: () => boolean
  readonly done: string
}

const moments: Moment[] = [
  {
    name: 'the plan',
    delays: { requestMs: 100 },
    reached: () => saw('GET', /\/lifecycle/)(),
    done: '',
  },
  {
    name: 'the bucket',
    delays: { domainMs: SLOW },
    reached: () => saw('POST', /\/r2\/buckets$/)(),
    done: 'Bucket',
  },
  {
    name: 'the key',
    delays: { domainMs: SLOW, keyMs: SLOW },
    reached: () => saw('POST', POSTED_KEY)(),
    done: 'Bucket',
  },
  {
    name: 'the first refusal of the new key',
    delays: { domainMs: SLOW, keyMs: SLOW },
    reached: () => saw('HEAD', new RegExp(`^/${bucket}`))(),
    done: 'Custom domain (begun)',
  },
]

test.each(moments)('Ctrl-C after $name', async ({ name, delays, reached, done }) => {
  Object.assign(world.delays, { requestMs: 0 }, delays)
  const untouched = at.filesButLogs()
  const running = stage.start(at, args)
  await until(name, reached)
  const { code, stdout } = await stopAt(running, 'SIGINT')
  world.delays.requestMs = 0
  expect(code).toBe(130)
  expect(keysOf(stage.sandbox, bucket)).toEqual([])
  expect(at.filesButLogs()).toEqual(untouched)
  if (done !== '') {
    expect(stdout).toContain('Stopped before the end.')
    expect(stdout).toMatch(new RegExp(`Done: .*${done.replace(/[()]/g, '\\$&')}`))
    expect(stdout).toContain(`npx mastodon-r2 init --media-host ${host}`)
  }
  await runsToItsEnd()
})

test.each(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)(
  '%s while the domain is pending: nothing is switched, and no key is left',
  async (signal) => {
    Object.assign(world.delays, { domainMs: SLOW })
    const untouched = at.filesButLogs()
    const running = stage.start(at, args)
    await until('the domain is waited for', () => running.said().includes('ownership pending'))
    const { code, stdout } = await stopAt(running, signal)
    expect(code).toBe(130)
    expect(stdout).toMatch(/Done: .*Custom domain \(begun\)/)
    expect(stdout).toMatch(/Not done: .*Public read/)
    expect(keysOf(stage.sandbox, bucket)).toEqual([])
    expect(at.filesButLogs()).toEqual(untouched)
    await runsToItsEnd()
  },
)

test('a look that nobody answers is left at once', async () => {
  faults.add({ side: 'api', method: 'GET', path: '/lifecycle', kind: 'hang', times: 9 })
  const running = stage.start(at, args, { limitMs: UNANSWERED_MS })
  await until('the plan is made', saw('GET', /\/cors/))
  const { code, stdout } = await stopAt(running, 'SIGTERM')
  expect({ code, stdout }).toMatchObject({ code: 130 })
  expect(stdout).toContain('Stopped. Nothing was changed.')
})

test('a change under way ends first, and that is said; a second signal does not cut it off', async () => {
  const running = stage.start(at, args)
  await until('the plan is made', saw('GET', /\/lifecycle/))
  world.delays.requestMs = 5_000
  await until('the bucket is asked for', () => running.said().includes('Plan:'))
  await sleep(500)
  running.child.kill('SIGTERM')
  await until('it is said', () => /half done: Bucket \(.*\)\.$/m.test(running.said()))
  const { code, stdout } = await stopAt(running, 'SIGTERM')
  world.delays.requestMs = 0
  expect({ code, stdout }).toMatchObject({ code: 130 })
  expect(stdout).toMatch(/half done: Bucket \(.*\)\. \(To end it all the same: kill -9 \d+/)
  expect(world.buckets.map(({ name }) => name)).toContain(bucket)
  await runsToItsEnd()
})

test('SIGTERM is taken as Ctrl-C', async () => {
  Object.assign(world.delays, { domainMs: SLOW, keyMs: SLOW })
  const running = stage.start(at, args)
  await until('the key', saw('POST', POSTED_KEY))
  const { code } = await stopAt(running, 'SIGTERM')
  expect(code).toBe(130)
  expect(keysOf(stage.sandbox, bucket)).toEqual([])
})

test('kill -9 right after the key was made: the next run removes it', async () => {
  Object.assign(world.delays, { domainMs: SLOW, keyMs: SLOW })
  const running = stage.start(at, args)
  await until('the key', saw('POST', POSTED_KEY))
  expect((await stopAt(running, 'SIGKILL')).signal).toBe('SIGKILL')
  const [lost] = keysOf(stage.sandbox, bucket)
  expect(lost).toBeDefined()
  await runsToItsEnd()
  expect(keysOf(stage.sandbox, bucket)).not.toContainEqual(lost)
})

test('kill -9 right after the env file was written: its key is kept', async () => {
  // The only request behind the env file waits.
  faults.add({ side: 'api', method: 'PUT', path: '/tokens/', kind: 'hang' })
  const running = stage.start(at, args)
  await until('the key is to be named', saw('PUT', /\/tokens\/\w+$/))
  expect((await stopAt(running, 'SIGKILL')).signal).toBe('SIGKILL')
  await wholeSetup()
  const kept = keysOf(stage.sandbox, bucket)
  await runsToItsEnd()
  expect(keysOf(stage.sandbox, bucket)).toEqual(kept)
})

test('the answer about the new key is lost: one key in the end', async () => {
  faults.add({ side: 'api', method: 'POST', path: '/tokens', kind: 'applied-then-reset' })
  await runsToItsEnd()
  expect(faults.list()).toEqual([])
})

test('the answer about the key is lost again and again: no key is left', async () => {
  faults.add({
    side: 'api',
    method: 'POST',
    path: '/tokens',
    kind: 'applied-then-reset',
    times: 9,
  })
  const { code, stdout } = await stage.initHere(at, args)
  faults.clear()
  expect({ code, stdout }).toMatchObject({ code: 1 })
  expect(keysOf(stage.sandbox, bucket)).toEqual([])
  await runsToItsEnd()
})

test('the answers about bucket and domain are lost: one of each in the end', async () => {
  for (const path of ['/r2/buckets', '/domains/custom']) {
    faults.add({ side: 'api', method: 'POST', path, kind: 'applied-then-reset' })
  }
  await runsToItsEnd()
})

test('passing trouble on reads is waited out', async () => {
  const trouble = [
    { path: '/accounts?', kind: 'status', status: 429, headers: { 'retry-after': '1' } },
    { path: '/lifecycle', kind: 'status', status: 500 },
    { path: '/cors', kind: 'reset' },
  ] as const
  for (const fault of trouble) faults.add({ side: 'api', method: 'GET', ...fault })
  await runsToItsEnd()
  expect(faults.list()).toEqual([])
  const struck = log.slice(before).map(({ status }) => status)
  expect(struck).toEqual(expect.arrayContaining([429, 500, 'reset']))
})

test('a step that fails takes the new key back', async () => {
  faults.add({ side: 's3', method: 'PUT', kind: 'status', status: 501, times: 1000 })
  const untouched = at.filesButLogs()
  const { code, stdout } = await stage.initHere(at, [...args, '--json'])
  faults.clear()
  expect(code).toBe(1)
  const { problem, steps } = JSON.parse(stdout)
  expect(problem.code).toMatch(/^s3-/)
  expect(steps).toContainEqual(expect.objectContaining({ id: 'upload-probe', status: 'failed' }))
  expect(keysOf(stage.sandbox, bucket)).toEqual([])
  expect(at.filesButLogs()).toEqual(untouched)
  await runsToItsEnd()
})
