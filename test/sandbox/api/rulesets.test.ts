import { describe, expect, it, onTestFinished } from 'vitest'
import type { SeedOptions } from '../../../src/sandbox/seed.ts'
import { apiUnderTest } from './api-under-test.ts'

const write = [
  'Dynamic URL Redirects Write',
  'Zone Transform Rules Write',
  'Cache Settings Write',
  'Zone WAF Write',
  'Account Rulesets Write',
  'Account Rule Lists Write',
]

async function started(seed: SeedOptions = { permissions: write }) {
  const at = await apiUnderTest(seed)
  onTestFinished(() => at.api.close())
  const rulesets = `/zones/${at.zone}/rulesets`
  const entrypoint = (phase: string) => `${rulesets}/phases/${phase}/entrypoint`
  const redirects = entrypoint('http_request_dynamic_redirect')
  const refs = async () =>
    (await at.call('GET', redirects)).result.rules.map(({ ref }: { ref: string }) => ref)
  return { ...at, rulesets, entrypoint, redirects, refs }
}

const redirect = (ref?: string, more: object = {}) => ({
  ...(ref === undefined ? {} : { ref }),
  description: 'Old links',
  expression: 'starts_with(http.request.uri.path, "/system/")',
  action: 'redirect',
  action_parameters: {
    from_value: { target_url: { value: 'https://files.example.com' }, status_code: 302 },
  },
  ...more,
})

describe('an entry point', () => {
  it('is not there until it is put, and is the same one afterwards', async () => {
    const { call, redirects } = await started()
    expect(await call('GET', redirects)).toMatchObject({ status: 404, code: 10003 })
    const { result } = await call('PUT', redirects, { body: { rules: [redirect('a')] } })
    expect(result).toMatchObject({ kind: 'zone', version: '1', rules: [{ ref: 'a' }] })
    const again = await call('PUT', redirects, { body: { rules: [result.rules[0], redirect()] } })
    expect(again.result).toMatchObject({ id: result.id, version: '2' })
    expect(again.result.rules[0]).toMatchObject({ id: result.rules[0].id, ref: 'a', version: '2' })
    const second = again.result.rules[1]
    expect(second).toMatchObject({ ref: second.id, enabled: true })
  })

  it('is one for each zone and phase', async () => {
    const { call, redirects, entrypoint, rulesets } = await started()
    await call('PUT', redirects, { body: { rules: [redirect('a')] } })
    expect(await call('GET', entrypoint('http_request_cache_settings'))).toMatchObject({
      code: 10003,
    })
    const body = { kind: 'zone', name: 'x', phase: 'http_request_dynamic_redirect', rules: [] }
    expect(await call('POST', rulesets, { body })).toMatchObject({ status: 400, code: 20217 })
  })

  it('of an account is its root ruleset, and there is one', async () => {
    const { call, account } = await started()
    const body = { kind: 'root', name: 'x', phase: 'http_request_redirect', rules: [] }
    const path = `/accounts/${account}/rulesets`
    expect(await call('POST', path, { body })).toMatchObject({ result: { kind: 'root' } })
    const told = await call('POST', path, { body })
    expect(told.body.errors[0].message).toMatch(/exceeded maximum number of root rulesets/)
  })
})

describe('one rule', () => {
  async function three() {
    const at = await started()
    const rules = ['a', 'b', 'c'].map((ref) => redirect(ref))
    const { result } = await at.call('PUT', at.redirects, { body: { rules } })
    const [a, b, c] = result.rules.map(({ id }: { id: string }) => id)
    return { ...at, a, b, c, rules: `${at.rulesets}/${result.id}/rules` }
  }

  it.each([
    ['behind the others', undefined, 'abcd'],
    ['first', { index: 1 }, 'dabc'],
    ['before', { before: 'b' }, 'adbc'],
    ['after', { after: 'a' }, 'adbc'],
    ['before all', { before: '' }, 'dabc'],
  ])('is put %s', async (_, position, expected) => {
    const at = await three()
    const ids: Record<string, string> = { a: at.a, b: at.b }
    const named = Object.entries(position ?? {}).map(([key, value]) => [
      key,
      ids[String(value)] ?? value,
    ])
    const more = position ? { position: Object.fromEntries(named) } : {}
    await at.call('POST', at.rules, { body: redirect('d', more) })
    expect((await at.refs()).join('')).toBe(expected)
  })

  it('is changed at its place, keeps its ref, can be moved and goes', async () => {
    const { call, rules, refs, b } = await three()
    const body = redirect(undefined, { description: 'New' })
    const { result } = await call('PATCH', `${rules}/${b}`, { body })
    expect(result.rules[1]).toMatchObject({ id: b, ref: 'b', description: 'New', version: '2' })
    await call('PATCH', `${rules}/${b}`, { body: { position: { index: 1 } } })
    expect(await refs()).toEqual(['b', 'a', 'c'])
    await call('DELETE', `${rules}/${b}`)
    expect(await refs()).toEqual(['a', 'c'])
    expect(await call('DELETE', `${rules}/${b}`)).toMatchObject({ status: 404 })
  })

  it('has to belong to a ruleset that is there', async () => {
    const { call, rulesets } = await started()
    const body = redirect()
    const told = await call('POST', `${rulesets}/${'0'.repeat(32)}/rules`, { body })
    expect(told).toMatchObject({ status: 404 })
  })
})

const headers = (value: unknown) => ({
  expression: 'ssl',
  action: 'rewrite',
  action_parameters: { headers: value },
})
const cache = (value: unknown) => ({
  expression: 'ssl',
  action: 'set_cache_settings',
  action_parameters: value,
})
const from = (value: unknown) => redirect('a', { action_parameters: { from_value: value } })
const target = { value: 'https://files.example.com' }
const DYNAMIC = 'http_request_dynamic_redirect'
const HEADERS = 'http_response_headers_transform'
const CACHE = 'http_request_cache_settings'
const FIREWALL = 'http_request_firewall_custom'

describe('is taken', () => {
  it.each<[string, unknown]>([
    [
      DYNAMIC,
      from({ target_url: { expression: 'concat("https://a.example", http.request.uri.path)' } }),
    ],
    [HEADERS, headers({ 'X-Content-Type-Options': { operation: 'set', value: 'nosniff' } })],
    [
      HEADERS,
      { ...headers({ A: { operation: 'remove' } }), expression: 'http.response.code eq 404' },
    ],
    [
      CACHE,
      cache({
        cache: true,
        edge_ttl: { mode: 'respect_origin', status_code_ttl: [{ status_code: 404, value: -1 }] },
      }),
    ],
    [CACHE, cache({ browser_ttl: { mode: 'override_origin', default: 60 } })],
    [FIREWALL, { expression: 'ssl', action: 'block' }],
  ])('%s %o', async (phase, rule) => {
    const { call, entrypoint } = await started()
    const told = await call('PUT', entrypoint(phase), { body: { rules: [rule] } })
    expect(told.result.rules).toMatchObject([rule])
  })
})

describe('is refused', () => {
  it.each<[string, string, unknown]>([
    ['an unknown action', DYNAMIC, redirect('a', { action: 'redirekt' })],
    ['the action of another phase', DYNAMIC, redirect('a', { action: 'block' })],
    ['an unknown field', DYNAMIC, redirect('a', { parameters: {} })],
    ['no parameters', DYNAMIC, redirect('a', { action_parameters: undefined })],
    ['no from_value', DYNAMIC, redirect('a', { action_parameters: {} })],
    ['no target', DYNAMIC, from({ status_code: 302 })],
    ['two targets', DYNAMIC, from({ target_url: { ...target, expression: 'http.host' } })],
    ['a target that is no URL', DYNAMIC, from({ target_url: { value: 'files.example.com' } })],
    ['a target that is no text', DYNAMIC, from({ target_url: { expression: 'ssl' } })],
    ['a status that is no redirect', DYNAMIC, from({ target_url: target, status_code: 200 })],
    ['no expression', DYNAMIC, redirect('a', { expression: undefined })],
    ['an expression that is none', DYNAMIC, redirect('a', { expression: 'http.host eq' })],
    ['a regular expression', DYNAMIC, redirect('a', { expression: 'http.host matches "a"' })],
    [
      'the answer, before there is one',
      DYNAMIC,
      redirect('a', { expression: 'http.response.code eq 1' }),
    ],
    ['an empty ref', DYNAMIC, redirect('')],
    ['no headers', HEADERS, headers({})],
    ['a header of Cloudflare', HEADERS, headers({ 'CF-Ray': { operation: 'remove' } })],
    ['an unknown operation', HEADERS, headers({ A: { operation: 'put', value: 'b' } })],
    ['a header without a value', HEADERS, headers({ A: { operation: 'set' } })],
    ['no cache settings', CACHE, cache({})],
    ['unknown cache settings', CACHE, cache({ cached: true })],
    ['no mode', CACHE, cache({ edge_ttl: { default: 1 } })],
    ['no default', CACHE, cache({ edge_ttl: { mode: 'override_origin' } })],
    [
      'a status without a time',
      CACHE,
      cache({ edge_ttl: { mode: 'respect_origin', status_code_ttl: [{ status_code: 404 }] } }),
    ],
    [
      'a page of its own',
      FIREWALL,
      { expression: 'ssl', action: 'block', action_parameters: { response: {} } },
    ],
    ['a phase of accounts', 'http_request_redirect', redirect()],
    ['an unknown phase', 'http_request_late', redirect()],
  ])('%s', async (_, phase, rule) => {
    const { call, entrypoint, world } = await started()
    const told = await call('PUT', entrypoint(phase), { body: { rules: [rule] } })
    expect([400, 403]).toContain(told.status)
    expect(world.edge.rulesets).toEqual([])
  })

  it.each([
    [DYNAMIC, 10, redirect()],
    [FIREWALL, 5, { expression: 'ssl', action: 'block' }],
  ])('one rule more than the plan allows: %s', async (phase, most, rule) => {
    const { call, entrypoint, rulesets } = await started()
    const rules = Array.from({ length: most }, () => rule)
    const { result } = await call('PUT', entrypoint(phase), { body: { rules } })
    expect(result.rules).toHaveLength(most)
    const told = await call('POST', `${rulesets}/${result.id}/rules`, { body: rule })
    expect(told.status).toBe(400)
    expect(told.body.errors[0].message).toMatch(/exceeded the maximum number of rules/)
  })

  it('a bulk redirect without its list', async () => {
    const { call, account } = await started()
    const path = `/accounts/${account}/rulesets/phases/http_request_redirect/entrypoint`
    const from_list = { name: 'old', key: 'http.request.full_uri' }
    const rule = {
      ...redirect('a'),
      expression: 'http.request.full_uri in $old',
      action_parameters: { from_list },
    }
    const put = () => call('PUT', path, { body: { rules: [rule] } })
    expect(await put()).toMatchObject({ status: 400 })
    await call('POST', `/accounts/${account}/rules/lists`, {
      body: { name: 'old', kind: 'redirect' },
    })
    expect(await put()).toMatchObject({ status: 200 })
  })
})

describe('permissions', () => {
  const phases = [DYNAMIC, HEADERS, CACHE, FIREWALL]

  it.each([
    ['Dynamic URL Redirects', DYNAMIC],
    ['Zone Transform Rules', HEADERS],
    ['Cache Settings', CACHE],
    ['Zone WAF', FIREWALL],
  ])('%s opens %s alone; reading is not writing', async (group, opened) => {
    const { call, entrypoint } = await started({ permissions: [`${group} Read`] })
    const looks = await Promise.all(
      phases.map(async (phase) => (await call('GET', entrypoint(phase))).code),
    )
    expect(looks).toEqual(phases.map((phase) => (phase === opened ? 10003 : 9109)))
    expect((await call('PUT', entrypoint(opened), { body: { rules: [] } })).code).toBe(9109)
    const writer = await started({ permissions: [`${group} Write`] })
    const told = await writer.call('PUT', writer.entrypoint(opened), { body: { rules: [] } })
    expect(told.status).toBe(200)
  })

  it.each([['Account Rulesets Write'], ['Mass URL Redirects Write']])(
    '%s opens bulk redirects',
    async (permission) => {
      const { call, account } = await started({ permissions: [permission] })
      const path = `/accounts/${account}/rulesets/phases/http_request_redirect/entrypoint`
      expect((await call('PUT', path, { body: { rules: [] } })).status).toBe(200)
    },
  )
})
