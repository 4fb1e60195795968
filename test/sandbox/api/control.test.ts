import { expect, it, onTestFinished } from 'vitest'
import { apiUnderTest, itemWrite } from './api-under-test.ts'

async function started() {
  const at = await apiUnderTest()
  onTestFinished(() => at.api.close())
  const control = async (method: string, name: string, body?: unknown) => {
    const url = new URL(`/sandbox/${name}`, at.api.url)
    const response = await fetch(url, body ? { method, body: JSON.stringify(body) } : { method })
    return { status: response.status, body: await response.json() }
  }
  return { ...at, control }
}

it('listens on this machine only', async () => {
  const { api } = await started()
  expect(api.url).toMatch(/^http:\/\/127\.0\.0\.1:\d+\/client\/v4$/)
})

it('shows the log without headers and bodies, and nothing of itself', async () => {
  const { call, control, token } = await started()
  await call('GET', '/zones?name=example.com')
  await control('GET', 'state')
  const { body } = await control('GET', 'log')
  const path = '/client/v4/zones?name=example.com'
  const at = Date.parse('2026-11-22T12:00:00Z')
  expect(body).toEqual([{ at, side: 'api', method: 'GET', path, status: 200 }])
  expect(JSON.stringify(body)).not.toContain(token)
})

it('shows the world without token values', async () => {
  const { call, control, account, token } = await started()
  const body = { name: 'key', policies: [itemWrite(account, 'media')] }
  const { result } = await call('POST', `/accounts/${account}/tokens`, { body })
  const state = JSON.stringify((await control('GET', 'state')).body)
  expect(state).toContain(result.id)
  expect(state).not.toContain(result.value)
  expect(state).not.toContain(token)
})

it('takes faults, lists and clears them', async () => {
  const { control, call } = await started()
  const fault = { side: 'api', kind: 'status', status: 503, path: '/zones', times: 2 }
  expect(await control('POST', 'faults', fault)).toEqual({ status: 200, body: [fault] })
  expect((await call('GET', '/zones')).status).toBe(503)
  expect((await control('GET', 'faults')).body).toEqual([fault])
  expect(await control('DELETE', 'faults')).toEqual({ status: 200, body: [] })
  expect((await call('GET', '/zones')).status).toBe(200)
})

it('sets delays, and keeps those not named', async () => {
  const { control, world } = await started()
  await control('PUT', 'delays', { domainMs: 8000, requestMs: 1 })
  expect(world.delays).toEqual({ domainMs: 8000, keyMs: 1000, requestMs: 1 })
  expect((await control('GET', 'state')).status).toBe(200)
})

it.each<[string, string, unknown]>([
  ['POST', 'faults', { side: 'moon', kind: 'reset' }],
  ['POST', 'faults', { side: 'api', kind: 'sulk' }],
  ['POST', 'faults', { side: 'api', kind: 'status', status: 200 }],
  ['POST', 'faults', { side: 'api', kind: 'status' }],
  ['POST', 'faults', { side: 'api', kind: 'reset', times: 0 }],
  ['POST', 'faults', { side: 'api', kind: 'reset', after: -1 }],
  ['POST', 'faults', { side: 'api', kind: 'status', status: 429, headers: { 'retry-after': 1 } }],
  ['POST', 'faults', 'reset'],
  ['PUT', 'delays', { requestMs: -1 }],
  ['PUT', 'delays', { requestMs: '1s' }],
  ['PUT', 'delays', { allMs: 1 }],
])('refuses %s %s %o', async (method, name, body) => {
  const { control, faults, world } = await started()
  expect((await control(method, name, body)).status).toBe(400)
  expect(faults.list()).toEqual([])
  expect(world.delays).toEqual({ domainMs: 2000, keyMs: 1000, requestMs: 0 })
})

it('has no other controls', async () => {
  const { control } = await started()
  expect((await control('GET', 'secrets')).status).toBe(404)
})

it('closes while a request still waits', async () => {
  const { call, api, world } = await started()
  world.delays.requestMs = 60_000
  const outcome = call('GET', '/zones').then(
    () => 'answered',
    () => 'cut',
  )
  await fetch(new URL('/sandbox/log', api.url))
  await api.close()
  expect(await outcome).toBe('cut')
})
