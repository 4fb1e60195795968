import { describe, expect, it, onTestFinished } from 'vitest'
import type { SeedOptions } from '../../../src/sandbox/seed.ts'
import { apiUnderTest } from './api-under-test.ts'

const permissions = ['Account Rule Lists Write', 'Account Rulesets Write', 'Zone Settings Write']

async function started(seed: SeedOptions = { permissions }) {
  const at = await apiUnderTest(seed)
  onTestFinished(() => at.api.close())
  const lists = `/accounts/${at.account}/rules/lists`
  const create = async (name = 'old') =>
    at.call('POST', lists, { body: { name, kind: 'redirect', description: 'Old links' } })
  const status = async (id: string) =>
    (await at.call('GET', `${lists}/bulk_operations/${id}`)).result
  return { ...at, lists, create, status }
}

const redirect = (source_url: string, more: object = {}) => ({
  redirect: {
    source_url,
    target_url: 'https://files.example.com',
    preserve_path_suffix: true,
    ...more,
  },
})

async function withList() {
  const at = await started()
  const { result } = await at.create()
  const items = `${at.lists}/${result.id}/items`
  const sources = async () => {
    const told = await at.call('GET', items)
    return told.result.map((item: ReturnType<typeof redirect>) => item.redirect.source_url)
  }
  /** Sends, lets the time pass that it takes, and tells how it ended. */
  const done = async (method: string, body: unknown) => {
    const told = await at.call(method, items, { body })
    at.time.now += at.world.edge.operationMs
    return at.status(told.result.operation_id)
  }
  return { ...at, list: result.id as string, items, sources, done }
}

describe('a list', () => {
  it('is made, shown, and goes', async () => {
    const { call, create, lists } = await started()
    const { result } = await create()
    expect(result).toMatchObject({ name: 'old', kind: 'redirect', num_items: 0 })
    expect((await call('GET', lists)).result).toEqual([result])
    expect((await call('DELETE', `${lists}/${result.id}`)).result).toEqual({ id: result.id })
    expect(await call('GET', `${lists}/${result.id}`)).toMatchObject({ status: 404 })
  })

  it.each([
    ['a name that is none', { name: 'old links', kind: 'redirect' }],
    ['a name that is too long', { name: 'x'.repeat(51), kind: 'redirect' }],
    ['another kind', { name: 'old', kind: 'ip' }],
    ['no kind', { name: 'old' }],
    ['a long description', { name: 'old', kind: 'redirect', description: 'x'.repeat(501) }],
  ])('is refused: %s', async (_, body) => {
    const { call, lists, world } = await started()
    expect(await call('POST', lists, { body })).toMatchObject({ status: 400 })
    expect(world.edge.lists).toEqual([])
  })

  it('has a name of its own, and there are five at most', async () => {
    const { create } = await started()
    expect((await create()).status).toBe(200)
    expect(await create()).toMatchObject({ status: 400 })
    for (const name of ['b', 'c', 'd', 'e']) expect((await create(name)).status).toBe(200)
    expect((await create('f')).body.errors[0].message).toMatch(/exceeded the maximum number/)
  })

  it('stays while a rule uses it', async () => {
    const { call, lists, list, account } = await withList()
    const entrypoint = `/accounts/${account}/rulesets/phases/http_request_redirect/entrypoint`
    const from_list = { name: 'old', key: 'http.request.full_uri' }
    const expression = 'http.request.full_uri in $old'
    const rule = { action: 'redirect', expression, action_parameters: { from_list } }
    await call('PUT', entrypoint, { body: { rules: [rule] } })
    expect((await call('GET', `${lists}/${list}`)).result.num_referencing_filters).toBe(1)
    expect(await call('DELETE', `${lists}/${list}`)).toMatchObject({ status: 400 })
    await call('PUT', entrypoint, { body: { rules: [] } })
    expect(await call('DELETE', `${lists}/${list}`)).toMatchObject({ status: 200 })
  })
})

describe('items', () => {
  it('come after a while, one change at a time', async () => {
    const { call, items, sources, status, time, world } = await withList()
    const { result } = await call('POST', items, { body: [redirect('a.example/x')] })
    const id = result.operation_id
    expect(await status(id)).toEqual({ id, status: 'pending' })
    expect(await call('POST', items, { body: [redirect('b.example')] })).toMatchObject({
      status: 429,
    })
    time.now += world.edge.operationMs / 2
    expect(await status(id)).toEqual({ id, status: 'running' })
    expect(await sources()).toEqual([])
    time.now += world.edge.operationMs / 2
    expect(await status(id)).toMatchObject({ status: 'completed', completed: expect.any(String) })
    expect(await sources()).toEqual(['a.example/x'])
    expect((await call('POST', items, { body: [redirect('b.example')] })).status).toBe(200)
  })

  it('are added, replaced and removed', async () => {
    const { call, done, items, sources } = await withList()
    await done('POST', [redirect('a.example'), redirect('b.example')])
    await done('POST', [redirect('c.example')])
    expect(await sources()).toEqual(['a.example', 'b.example', 'c.example'])
    const [first] = (await call('GET', items)).result
    expect(first.redirect).toMatchObject({ status_code: 301, subpath_matching: false })
    await done('DELETE', { items: [{ id: first.id }] })
    expect(await sources()).toEqual(['b.example', 'c.example'])
    await done('PUT', [redirect('b.example')])
    expect(await sources()).toEqual(['b.example'])
  })

  it('come in pages, and can be searched', async () => {
    const { call, done, items } = await withList()
    await done(
      'POST',
      ['a', 'b', 'ab'].map((name) => redirect(`${name}.example`)),
    )
    const first = await call('GET', `${items}?per_page=2`)
    expect(first.result).toHaveLength(2)
    const { after } = first.body.result_info.cursors
    const second = await call('GET', `${items}?per_page=2&cursor=${after}`)
    expect(second.result).toHaveLength(1)
    expect(second.body.result_info.cursors).toEqual({})
    expect((await call('GET', `${items}?search=b.ex`)).result).toHaveLength(2)
  })

  it('with a source that is there already fail, and leave the list as it was', async () => {
    const { done, sources } = await withList()
    await done('POST', [redirect('a.example')])
    const told = await done('POST', [redirect('b.example'), redirect('a.example')])
    expect(told).toMatchObject({ status: 'failed', error: expect.stringMatching(/duplicate/) })
    expect(await sources()).toEqual(['a.example'])
  })

  it('are at most as many as the plan allows', async () => {
    const { done, world } = await withList()
    world.edge.limits.redirects = 1
    const told = await done('POST', [redirect('a.example'), redirect('b.example')])
    expect(told).toMatchObject({ status: 'failed', error: expect.stringMatching(/exceeded/) })
  })

  it.each<[string, string, unknown]>([
    ['no list', 'POST', redirect('a.example')],
    ['no redirect', 'POST', [{ ip: '192.0.2.1' }]],
    ['the same source twice', 'POST', [redirect('a.example'), redirect('a.example')]],
    ['a source with a query', 'POST', [redirect('a.example/?b')]],
    [
      'a source that is deep',
      'POST',
      [redirect(`a.example${'/x'.repeat(17)}`, { subpath_matching: true })],
    ],
    ['a target that is none', 'POST', [redirect('a.example', { target_url: 'files' })]],
    [
      'a target with a query',
      'POST',
      [redirect('a.example', { target_url: 'https://b.example/?c', preserve_query_string: true })],
    ],
    ['a status that is none', 'POST', [redirect('a.example', { status_code: 303 })]],
    ['an unknown flag', 'POST', [redirect('a.example', { preserve_path: true })]],
    [
      'preserve_path_suffix left to chance',
      'POST',
      [redirect('a.example', { preserve_path_suffix: undefined })],
    ],
    ['an unknown item', 'DELETE', { items: [{ id: '0'.repeat(32) }] }],
    ['nothing to remove', 'DELETE', { items: [] }],
  ])('are refused: %s', async (_, method, body) => {
    const { call, items, world } = await withList()
    expect(await call(method, items, { body })).toMatchObject({ status: 400 })
    expect(world.edge.operations).toEqual([])
  })
})

it.each([
  ['argo/tiered_caching', 'tiered_caching'],
  ['cache/tiered_cache_smart_topology_enable', 'tiered_cache_smart_topology_enable'],
])('a switch of the cache: %s', async (name, id) => {
  const { call, zone } = await started()
  const path = `/zones/${zone}/${name}`
  expect((await call('GET', path)).result).toMatchObject({ id, value: 'off' })
  expect((await call('PATCH', path, { body: { value: 'on' } })).result.value).toBe('on')
  expect((await call('GET', path)).result.value).toBe('on')
  expect(await call('PATCH', path, { body: { value: true } })).toMatchObject({ status: 400 })
  const reader = await started({ permissions: ['Zone Read'] })
  const theirs = `/zones/${reader.zone}/${name}`
  expect((await reader.call('GET', theirs)).status).toBe(200)
  expect(await reader.call('PATCH', theirs, { body: { value: 'on' } })).toMatchObject({
    code: 9109,
  })
})

it('a token that may not look at lists', async () => {
  const { call, lists } = await started({ permissions: ['Account Rulesets Write'] })
  expect(await call('GET', lists)).toMatchObject({ code: 9109 })
})
