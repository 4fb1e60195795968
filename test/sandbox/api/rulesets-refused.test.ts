import { describe, expect, it } from 'vitest'
import { redirect, started } from './rulesets-world.ts'

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
