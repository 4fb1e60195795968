import { afterEach, beforeEach, expect, test } from 'vitest'
import type { SlurperSwitches } from '../../../src/sandbox/api/slurper-run.ts'
import { type SlurperWorld, slurperWorld } from './slurper-world.ts'

let at: SlurperWorld
beforeEach(async () => {
  at = await slurperWorld()
}, 60_000)
afterEach(() => at.close())

const job = (more: object = {}, part: object = {}) => ({
  source: { ...at.source, ...part },
  target: at.target,
  overwrite: false,
  ...more,
})

async function ended(id: string) {
  for (;;) {
    const { result } = await at.call('GET', `/jobs/${id}/progress`)
    if (result.status !== 'running') return result
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
}

async function run(body: object) {
  const made = await at.call('POST', '/jobs', body)
  expect(made.status, JSON.stringify(made.body)).toBe(201)
  return { id: made.result.id as string, ...(await ended(made.result.id)) }
}

const first: Partial<SlurperSwitches> = { keepsCacheControl: true }

test('copies really, with headers, leaves alone what is there, and lists by prefix and keys', async () => {
  await at.fill(['accounts/a b.png', 'accounts/c.png', 'cache/d.png'])
  const prefixed = await run(job({}, { pathPrefix: 'accounts/' }))
  expect(prefixed).toMatchObject({ status: 'completed', objects: 2, transferredObjects: 2 })
  expect(await at.keys()).toEqual(['accounts/a b.png', 'accounts/c.png'])
  const copied = await at.head('accounts/a b.png')
  expect(copied).toMatchObject({
    contentType: 'image/png',
    cacheControl: 'public, max-age=315576000, immutable',
  })
  expect(copied?.metadata).toEqual({ mtime: '1.5' })

  Object.assign(at.switches, { ...first, keepsCacheControl: false })
  const whole = await run(job())
  expect(whole).toMatchObject({ objects: 3, transferredObjects: 1, skippedObjects: 2 })
  expect(await at.head('cache/d.png')).toMatchObject({
    contentType: 'image/png',
    cacheControl: undefined,
  })
  Object.assign(at.switches, first)
  const named = await run(job({ overwrite: true }, { keys: ['cache/d.png', 'none'] }))
  expect(named).toMatchObject({ objects: 2, transferredObjects: 1, failedObjects: 1 })
  expect(await at.head('cache/d.png')).toMatchObject({
    cacheControl: 'public, max-age=315576000, immutable',
  })
})

test('an object that fails again and again is in the log, an empty one too', async () => {
  await at.fill(['bad.png', 'good.png', 'empty.png'], { 'empty.png': '' })
  const fault = { side: 's3', method: 'PUT', path: `${at.target.bucket}/bad.png` } as const
  at.sandbox.faults.add({ ...fault, kind: 'status', status: 503, times: 3 })
  const ran = await run(job())
  expect(ran).toMatchObject({ status: 'completed', failedObjects: 1 })
  const { result } = await at.call('GET', `/jobs/${ran.id}/logs?limit=50`)
  const told = result.map((entry: Record<string, unknown>) => [entry.logType, entry.objectKey])
  expect(told).toContainEqual(['importErrorRetryExhaustion', 'bad.png'])
  expect(told).toContainEqual(['importSkippedEmptyObject', 'empty.png'])
  expect(told.at(-1)).toEqual(['migrationComplete', null])
  const second = await at.call('GET', `/jobs/${ran.id}/logs?limit=2&offset=1`)
  expect(second.result).toEqual(result.slice(1, 3))
  expect((await run(job())).failedObjects).toBe(0)
})

test('a job is paused, resumed, aborted and deleted, each in its time', async () => {
  const keys = Array.from({ length: 40 }, (_, index) => `pause/${index}.png`)
  await at.fill(keys)
  at.switches.pauseAfter = 8
  const { id, status, ...paused } = await run(job({}, { pathPrefix: 'pause/' }))
  expect(status).toBe('paused')
  expect(paused.transferredObjects).toBe(8)
  expect((await at.call('PUT', `/jobs/${id}/pause`)).status).toBe(409)
  expect((await at.call('DELETE', `/jobs/${id}`)).status).toBe(409)
  expect((await at.call('PUT', `/jobs/${id}/resume`)).status).toBe(200)
  expect(await ended(id)).toMatchObject({ status: 'completed', transferredObjects: 40 })
  expect((await at.call('PUT', `/jobs/${id}/resume`)).status).toBe(409)
  expect((await at.call('DELETE', `/jobs/${id}`)).status).toBe(200)
  expect((await at.call('GET', `/jobs/${id}`)).status).toBe(404)

  at.switches.objectMs = 50
  const made = await at.call('POST', '/jobs', job({ overwrite: true }, { pathPrefix: 'pause/' }))
  expect((await at.call('PUT', `/jobs/${made.result.id}/abort`)).status).toBe(200)
  expect((await ended(made.result.id)).status).toBe('aborted')
  for (let more = 0; more < 3; more += 1) await at.call('POST', '/jobs', job({ overwrite: true }))
  expect((await at.call('POST', '/jobs', job())).status).toBe(409)
  expect((await at.call('PUT', '/jobs/abortAll')).status).toBe(200)
  at.switches.objectMs = 0
  const { result } = await at.call('GET', '/jobs?limit=50')
  expect(result.every((one: { status: string }) => one.status !== 'running')).toBe(true)
  expect(JSON.stringify(result)).not.toContain('secret')
})

test.each<[string, string, () => object, boolean | number]>([
  ['a good source', 'source', () => at.source, true],
  ['a wrong key', 'source', () => ({ ...at.source, secret: at.wrong }), false],
  ['AWS, which is far away', 'source', () => ({ ...at.source, endpoint: undefined }), false],
  ['a strange host', 'source', () => ({ ...at.source, endpoint: 'https://s3.invalid' }), false],
  ['no endpoint at all', 'source', () => ({ ...at.source, endpoint: 'nothing' }), 400],
  ['a good target', 'target', () => at.target, true],
  ['a missing bucket', 'target', () => ({ ...at.target, bucket: 'none' }), false],
  ['a target elsewhere', 'target', () => at.source, 400],
])('a precheck of %s', async (_, side, body, expected) => {
  const { status, result } = await at.call('PUT', `/${side}/connectivity-precheck`, body())
  if (typeof expected === 'number') expect(status).toBe(expected)
  else expect(result.connectivityStatus).toBe(expected ? 'success' : 'error')
})

test('http:// is taken only by the switch', async () => {
  at.switches.plainHttp = false
  expect((await at.call('POST', '/jobs', job())).status).toBe(400)
  at.switches.plainHttp = true
  expect((await run(job())).status).toBe('completed')
})
