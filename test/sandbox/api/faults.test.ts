import { describe, expect, it, onTestFinished } from 'vitest'
import type { Fault } from '../../../src/sandbox/world.ts'
import { createFaults } from '../../../src/sandbox/world.ts'
import { apiUnderTest } from './api-under-test.ts'

async function started(...waiting: Fault[]) {
  const at = await apiUnderTest()
  onTestFinished(() => at.api.close())
  for (const fault of waiting) at.faults.add(fault)
  const buckets = `/accounts/${at.account}/r2/buckets`
  const create = (name: string) => at.call('POST', buckets, { body: { name } })
  return { ...at, buckets, create }
}

describe('which fault strikes', () => {
  const fault = { side: 'api', kind: 'reset' } as const

  it.each<[string, Partial<Fault>, string]>([
    ['once unless told', {}, 'x--'],
    ['as often as told', { times: 2 }, 'xx-'],
    ['after some pass', { after: 1 }, '-x-'],
    ['both', { after: 1, times: 2 }, '-xx'],
    ['of that method', { method: 'GET' }, '---'],
    ['of that method in any case', { method: 'post' }, 'x--'],
    ['anywhere in the path', { path: 'tokens' }, 'x--'],
    ['not elsewhere', { path: 'zones' }, '---'],
    ['of that side', { side: 's3' }, '---'],
  ])('%s', (_, more, expected) => {
    const faults = createFaults()
    faults.add({ ...fault, ...more })
    const struck = [1, 2, 3].map(() => (faults.take('api', 'POST', '/user/tokens') ? 'x' : '-'))
    expect(struck.join('')).toBe(expected)
  })

  it('only what comes faster than so many a second, until it is cleared', () => {
    let ms = 0
    const faults = createFaults(() => ms)
    faults.add({ ...fault, above: 20 })
    const struck = (count: number) =>
      Array.from({ length: count }, () => (faults.take('api', 'GET', '/') ? 'x' : '-')).join('')
    expect(struck(4)).toBe('--xx')
    ms = 50
    expect(struck(2)).toBe('-x')
    ms = 10_000
    expect(struck(3)).toBe('--x')
    faults.clear()
    expect(struck(3)).toBe('---')
  })

  it('takes the oldest that is due, and forgets what is spent or cleared', () => {
    const faults = createFaults()
    faults.add({ ...fault, kind: 'hang', after: 1 })
    faults.add({ ...fault, kind: 'malformed' })
    expect(faults.take('api', 'GET', '/')?.kind).toBe('malformed')
    expect(faults.list().map(({ kind }) => kind)).toEqual(['hang'])
    expect(faults.take('api', 'GET', '/')?.kind).toBe('hang')
    faults.add(fault)
    faults.clear()
    expect(faults.take('api', 'GET', '/')).toBeUndefined()
  })
})

describe('what it does', () => {
  it.each<[Partial<Fault>, number, number]>([
    [{ status: 503 }, 503, 10043],
    [{ status: 403, code: 10042 }, 403, 10042],
    [{ status: 429, code: 10429, headers: { 'retry-after': '7' } }, 429, 10429],
    [{}, 500, 10001],
  ])('status %o', async (more, status, code) => {
    const { create, world, log } = await started({ side: 'api', kind: 'status', ...more })
    const told = await create('media')
    expect(told).toMatchObject({ status, code, result: null })
    expect(told.body.success).toBe(false)
    expect(told.headers.get('retry-after')).toBe(more.headers?.['retry-after'] ?? null)
    expect(world.buckets).toEqual([])
    expect(log).toMatchObject([{ status }])
  })

  it.each(['reset', 'applied-then-reset'] as const)('%s', async (kind) => {
    const { create, world, log, buckets } = await started({ side: 'api', kind })
    await expect(create('media')).rejects.toThrow('fetch failed')
    expect(world.buckets).toHaveLength(kind === 'reset' ? 0 : 1)
    expect(log).toMatchObject([{ method: 'POST', path: `/client/v4${buckets}`, status: 'reset' }])
  })

  it('malformed', async () => {
    const { create, world } = await started({ side: 'api', kind: 'malformed' })
    await expect(create('media')).rejects.toThrow(SyntaxError)
    expect(world.buckets).toHaveLength(1)
  })

  it('unsuccessful', async () => {
    const { create, world } = await started({ side: 'api', kind: 'unsuccessful' })
    expect(await create('media')).toMatchObject({ status: 200, code: 10001, result: null })
    expect(world.buckets).toEqual([])
  })

  it('hang: no answer until the server closes', async () => {
    const { call, create, api, log } = await started({ side: 'api', kind: 'hang', method: 'POST' })
    const outcome = create('media').then(
      () => 'answered',
      () => 'cut',
    )
    while (log.length === 0) await call('GET', '/zones')
    expect(await Promise.race([outcome, call('GET', '/zones')])).toMatchObject({ status: 200 })
    await api.close()
    expect(await outcome).toBe('cut')
    expect(log).toContainEqual(expect.objectContaining({ method: 'POST', status: 'hang' }))
  })
})
