import { describe, expect, test } from 'vitest'
import type { Fault } from '../../../src/sandbox/world.ts'
import { startStub, thrownBy } from './api-stub.ts'
import { ruleOf, rulesWorld } from './rules-world.ts'

const DYNAMIC = 'http_request_dynamic_redirect'
const FIREWALL = 'http_request_firewall_custom'
const ours = ruleOf('mastodon-r2-ours')

test('rules are added, found by ref, changed and removed', async () => {
  const { client, place } = await rulesWorld()
  expect(await client.listRules(place.zone, DYNAMIC)).toEqual([])
  await client.addRule(place.zone, DYNAMIC, ours)
  const [made] = await client.listRules(place.zone, DYNAMIC)
  expect(made).toEqual({ ...ours, id: expect.any(String) })
  const id = made?.id ?? ''
  await client.changeRule(place.zone, DYNAMIC, id, { ...ours, enabled: false })
  expect(await client.listRules(place.zone, DYNAMIC)).toEqual([{ ...ours, id, enabled: false }])
  await client.removeRule(place.zone, DYNAMIC, id)
  await client.removeRule(place.zone, DYNAMIC, id)
  expect(await client.listRules(place.zone, DYNAMIC)).toEqual([])
  await client.addRule(place.zone, DYNAMIC, ours)
  expect(await client.listRules(place.zone, DYNAMIC)).toHaveLength(1)
})

test('rules of others are neither sent back nor moved', async () => {
  const { client, place, call, zone, asked, log, world } = await rulesWorld()
  const path = `/zones/${zone}/rulesets/phases/${DYNAMIC}/entrypoint`
  const others = ['a', 'b'].map((ref) => {
    const { parameters, ...rule } = ruleOf(ref)
    return { ...rule, action_parameters: parameters }
  })
  await call('PUT', path, { body: { rules: others } })
  const before = structuredClone(world.edge.rulesets[0]?.rules)
  log.length = 0
  await client.addRule(place.zone, DYNAMIC, ours)
  const [a, b, third] = await client.listRules(place.zone, DYNAMIC)
  expect([a?.ref, b?.ref, third?.ref]).toEqual(['a', 'b', ours.ref])
  await client.changeRule(place.zone, DYNAMIC, third?.id ?? '', { ...ours, description: 'New' })
  expect(world.edge.rulesets[0]?.rules.slice(0, 2)).toEqual(before)
  await client.removeRule(place.zone, DYNAMIC, third?.id ?? '')
  expect(world.edge.rulesets[0]?.rules).toEqual(before)
  expect(asked().some((line) => line.startsWith('PUT'))).toBe(false)
})

test('a rule that is there already is changed, not made twice', async () => {
  const { client, place, world } = await rulesWorld()
  await client.addRule(place.zone, DYNAMIC, ours)
  await client.addRule(place.zone, DYNAMIC, { ...ours, description: 'New' })
  expect(world.edge.rulesets[0]?.rules).toMatchObject([{ ref: ours.ref, description: 'New' }])
})

describe('an answer that is lost', () => {
  const kinds: Partial<Fault>[] = [
    { kind: 'applied-then-reset' },
    { kind: 'reset' },
    { kind: 'malformed' },
    { kind: 'status', status: 502 },
  ]

  test.each(kinds)('at the first rule of a phase: %o', async (more) => {
    const { client, place, faults, world } = await rulesWorld()
    faults.add({ side: 'api', method: 'PUT', kind: 'reset', ...more })
    await client.addRule(place.zone, DYNAMIC, ours)
    expect(world.edge.rulesets[0]?.rules).toMatchObject([{ ref: ours.ref }])
  })

  test.each(kinds)('at the next: %o', async (more) => {
    const { client, place, faults, world } = await rulesWorld()
    await client.addRule(place.zone, DYNAMIC, ruleOf('other'))
    faults.add({ side: 'api', method: 'POST', kind: 'reset', ...more })
    await client.addRule(place.zone, DYNAMIC, ours)
    expect(world.edge.rulesets[0]?.rules.map(({ ref }) => ref)).toEqual(['other', ours.ref])
  })

  test.each(['PATCH', 'DELETE'])('at a %s', async (method) => {
    const { client, place, faults, world } = await rulesWorld()
    await client.addRule(place.zone, DYNAMIC, ours)
    const id = world.edge.rulesets[0]?.rules[0]?.id ?? ''
    faults.add({ side: 'api', method, kind: 'applied-then-reset' })
    if (method === 'PATCH') {
      await client.changeRule(place.zone, DYNAMIC, id, { ...ours, enabled: false })
      expect(world.edge.rulesets[0]?.rules).toMatchObject([{ enabled: false }])
    } else {
      await client.removeRule(place.zone, DYNAMIC, id)
      expect(world.edge.rulesets[0]?.rules).toEqual([])
    }
  })
})

test.each<[string, number, [number, string][]]>([
  ['a bad id', 404, [[7003, 'bad id']]],
  ['a 404 of another number', 404, [[10000, 'no']]],
  ['a permission', 403, [[9109, 'no']]],
])('is not taken for an empty phase: %s', async (_, status, errors) => {
  await using stub = await startStub([{ status, errors }])
  const look = stub.client.listRules({ kind: 'zone', zoneId: 'z' }, DYNAMIC)
  expect((await thrownBy(look)).code).toBe(`cloudflare-${errors[0]?.[0]}`)
})

test('a ruleset without rules may come without their list', async () => {
  await using stub = await startStub([{ result: { id: 'r', phase: DYNAMIC } }])
  expect(await stub.client.listRules({ kind: 'zone', zoneId: 'z' }, DYNAMIC)).toEqual([])
})

test('a limit of the plan says the limit and the way out', async () => {
  const { client, place, world } = await rulesWorld()
  const block = (ref: string) => {
    const { parameters: _, ...rule } = ruleOf(ref, { action: 'block' })
    return rule
  }
  for (const ref of ['a', 'b', 'c', 'd', 'e'])
    await client.addRule(place.zone, FIREWALL, block(ref))
  const error = await thrownBy(client.addRule(place.zone, FIREWALL, block('f')))
  expect(error).toMatchObject({
    code: 'cloudflare-plan-limit',
    what: 'There are as many WAF custom rules as the plan allows.',
    why: expect.stringContaining('The Free plan has 5 in a zone'),
    next: expect.stringContaining('Delete one that is not needed'),
  })
  expect(world.edge.rulesets[0]?.rules).toHaveLength(5)
})

test('what the plan does not include', async () => {
  const { client, place } = await rulesWorld()
  const rule = ruleOf('a', { expression: 'http.request.uri.path matches "^/system/"' })
  const error = await thrownBy(client.addRule(place.zone, DYNAMIC, rule))
  expect(error.code).toBe('cloudflare-not-in-plan')
})

test('other refusals stay what they are', async () => {
  const { client, place } = await rulesWorld()
  const rule = ruleOf('a', { action: 'unknown' })
  const error = await thrownBy(client.addRule(place.zone, DYNAMIC, rule))
  expect(error.code).toMatch(/^cloudflare-\d+$/)
})

test('a rule that somebody removed meanwhile', async () => {
  const { client, place } = await rulesWorld()
  const changing = client.changeRule(place.zone, DYNAMIC, 'f'.repeat(32), ours)
  expect((await thrownBy(changing)).code).toBe('cloudflare-rule-gone')
})

test('the switches of the cache go on and off together', async () => {
  const { client, zone, asked, log } = await rulesWorld()
  expect(await client.isTieredCacheOn(zone)).toBe(false)
  log.length = 0
  await client.setTieredCache(zone, true)
  expect(await client.isTieredCacheOn(zone)).toBe(true)
  await client.setTieredCache(zone, false)
  expect(await client.isTieredCacheOn(zone)).toBe(false)
  const changes = asked().filter((line) => line.startsWith('PATCH'))
  const smart = 'PATCH tiered_cache_smart_topology_enable'
  expect(changes).toEqual(['PATCH tiered_caching', smart, smart, 'PATCH tiered_caching'])
})

describe('permissions', () => {
  const all = {
    'single-redirects': 'Dynamic URL Redirects Read',
    'response-headers': 'Zone Transform Rules Read',
    'cache-rules': 'Cache Settings Read',
    'custom-rules': 'Zone WAF Read',
    'zone-settings': 'Zone Settings Read',
    'bulk-redirects': 'Account Rulesets Read',
    'redirect-lists': 'Account Rule Lists Read',
  } as const
  const names = Object.keys(all) as (keyof typeof all)[]

  test.each(names)('%s', async (name) => {
    const { client, account, zone } = await rulesWorld({ permissions: [all[name]] })
    const scope = { accountId: account, zoneId: zone }
    const open = await Promise.all(names.map(async (one) => [one, await client.can(one, scope)]))
    expect(open).toEqual(names.map((one) => [one, one === name]))
  })
})
