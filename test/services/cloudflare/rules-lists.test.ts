import { expect, test } from 'vitest'
import type { NewRedirect } from '../../../src/services/cloudflare/port.ts'
import { checkRequest } from '../../contract/validate.ts'
import { at, type Received, type Reply, startStub, thrownBy } from './api-stub.ts'
import { ruleOf, rulesWorld } from './rules-world.ts'

const redirect = (host: string, more: Partial<NewRedirect> = {}): NewRedirect => ({
  sourceUrl: `${host}.example.com/system`,
  targetUrl: 'https://files.example.com',
  status: 302,
  comment: 'ours',
  ...more,
})

async function withList() {
  const world = await rulesWorld()
  const list = await world.client.createRedirectList(world.account, 'old', 'Old links')
  world.log.length = 0
  const add = (...redirects: NewRedirect[]) =>
    world.client.addRedirects(world.account, list.id, redirects)
  const sources = async () =>
    (await world.client.listRedirects(world.account, list.id)).map(({ sourceUrl }) => sourceUrl)
  return { ...world, list, add, sources }
}

test('a list is made, filled, emptied and deleted', async () => {
  const { client, account, list, add } = await withList()
  expect(await client.listRedirectLists(account)).toEqual([
    { id: list.id, name: 'old', description: 'Old links', items: 0 },
  ])
  await add(redirect('a'), redirect('b'))
  const found = await client.listRedirects(account, list.id)
  const flags = { subpathMatching: true, preservePathSuffix: true, preserveQueryString: true }
  expect(found).toEqual([
    { ...redirect('a'), ...flags, id: expect.any(String) },
    { ...redirect('b'), ...flags, id: expect.any(String) },
  ])
  const ids = found.map(({ id }) => id)
  await client.removeRedirects(account, list.id, ids)
  await client.removeRedirects(account, list.id, ids)
  expect(await client.listRedirects(account, list.id)).toEqual([])
  await client.deleteRedirectList(account, list.id)
  await client.deleteRedirectList(account, list.id)
  expect(await client.listRedirectLists(account)).toEqual([])
})

test('what is there already is not sent again, whatever its letters look like', async () => {
  const { add, asked, log, sources } = await withList()
  await add(redirect('a'))
  log.length = 0
  await add(redirect('a', { sourceUrl: 'https://A.example.com/system/' }))
  expect(asked().filter((line) => !line.startsWith('GET'))).toEqual([])
  await add(redirect('a'), redirect('b'))
  expect(await sources()).toEqual(['a.example.com/system', 'b.example.com/system'])
})

test('a change that is under way is waited for', async () => {
  const { add, call, account, list, sources, world } = await withList()
  world.edge.operationMs = 30_000
  const items = `/accounts/${account}/rules/lists/${list.id}/items`
  const theirs = { source_url: 'other.example.com', target_url: 'https://x.example' }
  const body = [{ redirect: { ...theirs, preserve_path_suffix: true } }]
  expect((await call('POST', items, { body })).status).toBe(200)
  await add(redirect('a'))
  expect(await sources()).toEqual(['other.example.com', 'a.example.com/system'])
})

test('a change that never ends is given up after ten minutes', async () => {
  const { add, slept, world } = await withList()
  world.edge.operationMs = 1e9
  expect((await thrownBy(add(redirect('a')))).code).toBe('cloudflare-list-busy')
  const total = slept.reduce((sum, ms) => sum + ms, 0)
  expect(total).toBeGreaterThanOrEqual(600_000)
  expect(total).toBeLessThan(620_000)
})

test.each(['applied-then-reset', 'reset', 'malformed'] as const)(
  'an answer that is lost: %s',
  async (kind) => {
    const { add, client, account, faults, list, sources, world } = await withList()
    const items = `/rules/lists/${list.id}/items`
    faults.add({ side: 'api', method: 'POST', path: items, kind })
    await add(redirect('a'))
    expect(await sources()).toEqual(['a.example.com/system'])
    faults.add({ side: 'api', method: 'DELETE', path: items, kind })
    const [first] = await client.listRedirects(account, list.id)
    await client.removeRedirects(account, list.id, [first?.id ?? ''])
    expect(await sources()).toEqual([])
    faults.add({ side: 'api', method: 'POST', path: '/rules/lists', kind })
    await client.createRedirectList(account, 'second', '')
    expect(world.edge.lists.map(({ name }) => name)).toEqual(['old', 'second'])
  },
)

test('a source that somebody else uses otherwise is said, and stays', async () => {
  const { add, sources } = await withList()
  await add(redirect('a'))
  const error = await thrownBy(add(redirect('a', { targetUrl: 'https://new.example.com' })))
  expect(error).toMatchObject({
    code: 'cloudflare-list-refused',
    why: expect.stringContaining('duplicate'),
  })
  expect(await sources()).toEqual(['a.example.com/system'])
})

test('more redirects than a page holds', async () => {
  const { add, client, account, list } = await withList()
  await add(...Array.from({ length: 1001 }, (_, index) => redirect(`h${index}`)))
  expect(await client.listRedirects(account, list.id)).toHaveLength(1001)
})

test('a limit of the plan', async () => {
  const { client, account } = await withList()
  for (const name of ['b', 'c', 'd', 'e']) await client.createRedirectList(account, name, '')
  const error = await thrownBy(client.createRedirectList(account, 'f', ''))
  expect(error).toMatchObject({
    code: 'cloudflare-plan-limit',
    why: expect.stringContaining('5 lists'),
  })
})

test('a list that a rule uses stays, and Cloudflare says why', async () => {
  const { client, account, list, place } = await withList()
  const from_list = { name: 'old', key: 'http.request.full_uri' }
  const expression = 'http.request.full_uri in $old'
  const rule = ruleOf('ours', { expression, parameters: { from_list } })
  await client.addRule(place.account, 'http_request_redirect', rule)
  const error = await thrownBy(client.deleteRedirectList(account, list.id))
  expect(error.message).toContain('used by a rule')
})

const operation = (status: string): Reply => ({ result: { id: 'o', status, completed: 'now' } })

test('every request is as Cloudflare describes it', async () => {
  const answers: Record<string, Reply> = {
    'GET items': { result: [] },
    'POST items': { result: { operation_id: 'o' } },
    'GET o': operation('completed'),
    'POST lists': { result: { id: 'l' } },
    'GET lists': {
      result: [
        { id: 'l', name: 'old', kind: 'redirect', num_items: 0 },
        { id: 'i', kind: 'ip' },
      ],
    },
  }
  const wrong: string[] = []
  await using stub = await startStub(({ method, path, query, headers, body }: Received) => {
    wrong.push(...checkRequest(method, path, query, headers, body))
    return answers[`${method} ${path.split('/').at(-1)}`] ?? { result: { id: 'x' } }
  })
  const { client } = stub
  const list = 'f'.repeat(32)
  await client.createRedirectList(at.accountId, 'old', 'x')
  await client.addRedirects(at.accountId, list, [redirect('a')])
  await client.deleteRedirectList(at.accountId, list)
  await client.setTieredCache(list, true)
  const place = { kind: 'zone', zoneId: list } as const
  await client.addRule(place, 'http_request_dynamic_redirect', ruleOf('a'))
  expect(await client.listRedirectLists(at.accountId)).toHaveLength(1)
  expect(wrong).toEqual([])
  expect(stub.received.map(({ method }) => method)).toContain('PATCH')
})
