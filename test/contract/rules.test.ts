import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { rulesetsRoutes } from '../../src/sandbox/api/routes.ts'
import { type ApiUnderTest, apiUnderTest } from '../sandbox/api/api-under-test.ts'
import { once } from './once.ts'
import { contractAvailable, contractRequired } from './openapi.ts'
import { checkRequest, checkResponse } from './validate.ts'

const runs = contractAvailable || contractRequired
const title = 'rules, lists and cache switches of the sandbox are as Cloudflare describes them'

const permissions = [
  'Dynamic URL Redirects Write',
  'Zone Transform Rules Write',
  'Cache Settings Write',
  'Zone WAF Write',
  'Zone Settings Write',
  'Account Rulesets Write',
  'Account Rule Lists Write',
]

describe.skipIf(!runs)(runs ? title : `${title} (skipped: no cloudflare-openapi.json)`, () => {
  let at: ApiUnderTest
  const asked = new Set<string>()

  beforeAll(async () => {
    at = await apiUnderTest({ permissions })
  })
  afterAll(() => at.api.close())

  /** Sends, and holds both sides to the contract. */
  async function held(status: number, method: string, path: string, body?: unknown) {
    const told = await at.call(method, path, body === undefined ? {} : { body })
    const [bare = '', query = ''] = path.split('?')
    const json = body === undefined ? {} : { 'content-type': 'application/json' }
    const headers = { authorization: 'Bearer x', ...json }
    expect(told.status, JSON.stringify(told.body)).toBe(status)
    const search = new URLSearchParams(query)
    const bad = status >= 400 ? [] : checkRequest(method, bare, search, headers, body)
    expect([...bad, ...checkResponse(method, bare, told.status, told.body)]).toEqual([])
    const route = rulesetsRoutes.find((one) => one.method === method && fits(one.path, bare))
    asked.add(`${method} ${route?.path}`)
    return told
  }

  async function rulesOf(place: string, phase: string, rule: object) {
    const entrypoint = `${place}/rulesets/phases/${phase}/entrypoint`
    await held(404, 'GET', entrypoint)
    const { result } = await held(200, 'PUT', entrypoint, { rules: [rule] })
    await held(200, 'GET', entrypoint)
    const rules = `${place}/rulesets/${result.id}/rules`
    const made = await held(200, 'POST', rules, { ...rule, ref: 'second' })
    const one = `${rules}/${made.result.rules[1].id}`
    await held(200, 'PATCH', one, { ...rule, ref: 'second', enabled: false })
    await held(200, 'DELETE', one)
    await held(404, 'DELETE', one)
    await held(400, 'POST', rules, { ...rule, action: 'unknown' })
  }

  const shared = { ref: 'mastodon-r2-test', description: 'A rule', enabled: true }
  const byStatus = [{ status_code: 404, value: -1 }]
  const target_url = { expression: 'concat("https://files.example.com", http.request.uri.path)' }

  const actions: readonly [phase: string, action: string, parameters: object][] = [
    [
      'http_request_dynamic_redirect',
      'redirect',
      { from_value: { target_url, status_code: 302, preserve_query_string: true } },
    ],
    [
      'http_response_headers_transform',
      'rewrite',
      { headers: { 'X-Content-Type-Options': { operation: 'set', value: 'nosniff' } } },
    ],
    [
      'http_request_cache_settings',
      'set_cache_settings',
      { cache: true, edge_ttl: { mode: 'respect_origin', status_code_ttl: byStatus } },
    ],
  ]

  async function rulesOfZone(phase: string, action: string, action_parameters: object) {
    const rule = { ...shared, expression: 'http.host eq "a.example"', action, action_parameters }
    await rulesOf(`/zones/${at.zone}`, phase, rule)
    expect(at.world.edge.rulesets.filter((ruleset) => ruleset.phase === phase)).toHaveLength(1)
  }

  async function blocking() {
    const place = `/zones/${at.zone}`
    const rule = { ...shared, expression: 'ssl', action: 'block' }
    await rulesOf(place, 'http_request_firewall_custom', rule)
    const phase = 'http_request_firewall_custom'
    const ruleset = { kind: 'zone', name: 'default', phase, rules: [] }
    const { code } = await held(400, 'POST', `${place}/rulesets`, ruleset)
    expect(code).toBe(20217)
    at.world.edge.rulesets.length = 0
    const { result } = await held(200, 'POST', `${place}/rulesets`, ruleset)
    expect(result.rules).toEqual([])
  }

  async function bulkRedirects() {
    const account = `/accounts/${at.account}`
    const lists = `${account}/rules/lists`
    const body = { name: 'old', kind: 'redirect', description: 'Old links' }
    const { result } = await held(200, 'POST', lists, body)
    await held(400, 'POST', lists, body)
    await held(200, 'GET', lists)
    const list = `${lists}/${result.id}`
    await held(200, 'GET', list)
    const flags = {
      subpath_matching: true,
      preserve_path_suffix: true,
      preserve_query_string: true,
    }
    const urls = { source_url: 'a.example/system', target_url: 'https://files.a.example' }
    const items = [{ redirect: { ...urls, ...flags, status_code: 302 }, comment: 'ours' }]

    async function change(method: string, sent: unknown) {
      const told = await held(200, method, `${list}/items`, sent)
      const operation = `${lists}/bulk_operations/${told.result.operation_id}`
      await held(200, 'GET', operation)
      await held(429, method, `${list}/items`, sent)
      at.time.now += at.world.edge.operationMs / 2
      await held(200, 'GET', operation)
      at.time.now += at.world.edge.operationMs / 2
      return (await held(200, 'GET', operation)).result.status
    }
    expect(await change('POST', items)).toBe('completed')
    expect(await change('POST', items)).toBe('failed')
    expect(await change('PUT', items)).toBe('completed')
    const shown = await held(200, 'GET', `${list}/items?per_page=500&search=system`)
    const rule = {
      ...shared,
      expression: 'http.request.full_uri in $old',
      action: 'redirect',
      action_parameters: { from_list: { name: 'old', key: 'http.request.full_uri' } },
    }
    await rulesOf(account, 'http_request_redirect', rule)
    await held(400, 'DELETE', list)
    at.world.edge.rulesets.length = 0
    const ruleset = { kind: 'root', name: 'default', phase: 'http_request_redirect', rules: [] }
    await held(200, 'POST', `${account}/rulesets`, ruleset)
    expect(await change('DELETE', { items: [{ id: shown.result[0].id }] })).toBe('completed')
    await held(200, 'DELETE', list)
    await held(404, 'GET', list)
  }

  async function cacheSwitch(name: string) {
    const path = `/zones/${at.zone}/${name}`
    expect((await held(200, 'GET', path)).result.value).toBe('off')
    expect((await held(200, 'PATCH', path, { value: 'on' })).result.value).toBe('on')
    await held(400, 'PATCH', path, { value: 'maybe' })
  }

  const switches = ['argo/tiered_caching', 'cache/tiered_cache_smart_topology_enable']
  const stories = new Map<string, () => Promise<void>>([
    ...actions.map((one) => [one[0], once(() => rulesOfZone(...one))] as const),
    ['blocks, in a ruleset that is made by itself', once(blocking)],
    ['lists and the bulk redirects that use them', once(bulkRedirects)],
    ...switches.map((name) => [name, once(() => cacheSwitch(name))] as const),
  ])

  it.each([...stories.keys()])('%s', (name) => stories.get(name)?.())

  it('has been asked at every endpoint it has', async () => {
    for (const tell of stories.values()) await tell()
    const all = rulesetsRoutes.map(({ method, path }) => `${method} ${path}`)
    expect(all.filter((route) => !asked.has(route))).toEqual([])
  })
})

function fits(route: string, path: string): boolean {
  const parts = path.split('/')
  const names = route.split('/')
  return (
    names.length === parts.length &&
    names.every((name, index) => name.startsWith(':') || name === parts[index])
  )
}
