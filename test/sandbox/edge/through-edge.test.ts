import { describe, expect, test } from 'vitest'
import type { Answer } from '../../../src/sandbox/doorway.ts'
import { throughEdge } from '../../../src/sandbox/edge/public-host.ts'
import type { CacheSettings } from '../../../src/sandbox/edge/rules.ts'
import type { Phase, SandboxRule } from '../../../src/sandbox/edge/state.ts'
import { seedWorld } from '../../../src/sandbox/seed.ts'

const DYNAMIC = 'http_request_dynamic_redirect'
const FIREWALL = 'http_request_firewall_custom'
const BULK = 'http_request_redirect'
const HEADERS = 'http_response_headers_transform'
const CACHE = 'http_request_cache_settings'

type Rule = [phase: Phase, expression: string, parameters?: object, enabled?: boolean]

/** One request to `https://<host><path>` in a zone with these rules. */
async function visited(rules: Rule[], url: string, origin: Partial<Answer> = {}) {
  const { world } = seedWorld({ zones: [{ name: 'example.com' }, { name: 'other.net' }] })
  const [account] = world.accounts
  const [zone] = world.zones
  for (const [index, [phase, expression, parameters = {}, enabled = true]] of rules.entries()) {
    const rule = {
      id: String(index),
      ref: `rule-${index}`,
      description: '',
      expression,
      action: '',
      parameters: parameters as SandboxRule['parameters'],
      enabled,
      version: 1,
      updatedAt: 0,
    }
    const known = world.edge.rulesets.find((ruleset) => ruleset.phase === phase)
    if (known) known.rules.push(rule)
    else {
      const owner = (phase === BULK ? account?.id : zone?.id) ?? ''
      const kind = phase === BULK ? 'root' : 'zone'
      const ruleset = { id: phase, owner, kind, phase, name: '', description: '' } as const
      world.edge.rulesets.push({ ...ruleset, rules: [rule], version: 1, updatedAt: 0 })
    }
  }
  world.edge.lists.push({
    id: 'l',
    accountId: account?.id ?? '',
    name: 'old',
    description: '',
    createdAt: 0,
    updatedAt: 0,
    items: [
      {
        id: 'i',
        sourceUrl: 'example.com/system',
        targetUrl: 'https://bulk.example.com',
        status: 301,
        subpathMatching: true,
        preservePathSuffix: true,
        preserveQueryString: true,
        includeSubdomains: false,
        comment: undefined,
        createdAt: 0,
      },
    ],
  })
  const { host, pathname, search } = new URL(url)
  const message = { method: 'GET', url: `${pathname}${search}`, headers: { host } }
  let settings: CacheSettings | undefined
  const answer = await throughEdge({ world, clock: () => 0 }, message as never, async (cache) => {
    settings = cache
    return { status: 200, headers: {}, body: 'origin', ...origin }
  })
  const location = answer.headers.location
  return { ...answer, location, settings, reached: settings !== undefined }
}

const SYSTEM = 'starts_with(http.request.uri.path, "/system/")'
const to = (target: object, more: object = {}) => ({ from_value: { target_url: target, ...more } })
const strip = to(
  { expression: 'concat("https://files.example.com", substring(http.request.uri.path, 7))' },
  { status_code: 301, preserve_query_string: true },
)
const fromList = { from_list: { name: 'old', key: 'http.request.full_uri' } }
const inList = 'http.request.full_uri in $old'

describe('redirects and blocks', () => {
  test.each<[string, Rule[], string, number, string | undefined]>([
    ['none', [], '/system/a', 200, undefined],
    ['single', [[DYNAMIC, SYSTEM, strip]], '/system/a?v=1', 301, 'https://files.example.com/a?v=1'],
    ['single, elsewhere', [[DYNAMIC, SYSTEM, strip]], '/about', 200, undefined],
    ['single, switched off', [[DYNAMIC, SYSTEM, strip, false]], '/system/a', 200, undefined],
    [
      'the first of two',
      [
        [DYNAMIC, 'ssl', to({ value: 'https://a.example' })],
        [DYNAMIC, SYSTEM, strip],
      ],
      '/system/a',
      302,
      'https://a.example',
    ],
    [
      'no query',
      [[DYNAMIC, 'ssl', to({ value: 'https://a.example' })]],
      '/?v=1',
      302,
      'https://a.example',
    ],
    [
      'bulk',
      [[BULK, inList, fromList]],
      '/system/a/b?v=1',
      301,
      'https://bulk.example.com/a/b?v=1',
    ],
    ['bulk, elsewhere', [[BULK, inList, fromList]], '/systems/a', 200, undefined],
    [
      'single before bulk',
      [
        [BULK, inList, fromList],
        [DYNAMIC, SYSTEM, strip],
      ],
      '/system/a',
      301,
      'https://files.example.com/a',
    ],
    [
      'single before a block',
      [
        [FIREWALL, 'ssl'],
        [DYNAMIC, SYSTEM, strip],
      ],
      '/system/a',
      301,
      'https://files.example.com/a',
    ],
    [
      'a block before bulk',
      [
        [BULK, inList, fromList],
        [FIREWALL, SYSTEM],
      ],
      '/system/a',
      403,
      undefined,
    ],
    ['a block, elsewhere', [[FIREWALL, SYSTEM]], '/about', 200, undefined],
  ])('%s', async (_, rules, path, status, location) => {
    const answer = await visited(rules, `https://example.com${path}`)
    expect([answer.status, answer.location]).toEqual([status, location])
    expect(answer.reached).toBe(status === 200)
  })

  test.each<[string, number]>([
    ['https://social.example.com/', 403],
    ['https://other.net/', 200],
    ['https://notexample.com/', 200],
  ])('rules are those of the zone of the host: %s', async (url, status) => {
    expect((await visited([[FIREWALL, 'ssl']], url)).status).toBe(status)
  })
})

describe('response headers', () => {
  const set = (value: string) => ({ headers: { 'X-Test': { operation: 'set', value } } })

  test.each<[string, Rule[], object, unknown]>([
    ['set', [[HEADERS, 'ssl', set('a')]], {}, 'a'],
    [
      'set again',
      [
        [HEADERS, 'ssl', set('a')],
        [HEADERS, 'ssl', set('b')],
      ],
      { 'x-test': 'o' },
      'b',
    ],
    [
      'added',
      [[HEADERS, 'ssl', { headers: { 'X-Test': { operation: 'add', value: 'a' } } }]],
      { 'x-test': 'o' },
      ['o', 'a'],
    ],
    [
      'removed',
      [[HEADERS, 'ssl', { headers: { 'X-Test': { operation: 'remove' } } }]],
      { 'x-test': 'o' },
      undefined,
    ],
    ['for another status', [[HEADERS, 'http.response.code eq 404', set('a')]], {}, undefined],
  ])('%s', async (_, rules, headers, expected) => {
    const answer = await visited(rules, 'https://example.com/', { headers: headers as never })
    expect(answer.headers['x-test']).toEqual(expected)
  })
})

describe('cache settings', () => {
  const byStatus = [
    { status_code: 404, value: -1 },
    { status_code_range: { from: 500, to: 599 }, value: 0 },
  ]

  test('a later rule overrides an earlier one', async () => {
    const { settings } = await visited(
      [
        [CACHE, 'ssl', { cache: false }],
        [
          CACHE,
          'ssl',
          { cache: true, edge_ttl: { mode: 'respect_origin', status_code_ttl: byStatus } },
        ],
      ],
      'https://example.com/',
    )
    expect(settings?.cache).toBe(true)
    expect([200, 404, 503].map((status) => settings?.keepSeconds(status))).toEqual([
      undefined,
      -1,
      0,
    ])
  })

  test('one time for all', async () => {
    const edge_ttl = { mode: 'override_origin', default: 60 }
    const { settings } = await visited([[CACHE, 'ssl', { edge_ttl }]], 'https://example.com/')
    expect([settings?.cache, settings?.keepSeconds(200)]).toEqual([undefined, 60])
  })
})

test('a rule that is not evaluated makes itself heard', async () => {
  const answer = await visited([[DYNAMIC, 'ip.src eq 1', strip]], 'https://example.com/')
  expect(answer).toMatchObject({
    status: 500,
    body: 'The sandbox does not evaluate rule "rule-0" of http_request_dynamic_redirect: unknown identifier ip.src',
  })
})

describe('what a zone keeps from others', () => {
  const asked = async (refuses: 'hotlinks' | 'bots', path: string, headers: object) => {
    const { world } = seedWorld()
    world.edge.refuses.add(refuses)
    const message = { method: 'GET', url: path, headers: { host: 'files.example.com', ...headers } }
    const at = { world, clock: () => 0 }
    const origin = async (): Promise<Answer> => ({ status: 200, headers: {}, body: '' })
    const { status, headers: sent } = await throughEdge(at, message as never, origin)
    return [status, sent?.['cf-mitigated']]
  }
  const browser = 'Mozilla/5.0'
  const server = 'Mastodon/4.5.0 (http.rb/5.3.1; +https://other.example/)'

  test.each([
    ['hotlinks', '/a.png', { referer: 'https://other.example/' }, 403],
    ['hotlinks', '/a.PNG', { referer: 'https://notexample.com/' }, 403],
    ['hotlinks', '/a.png', { referer: 'https://social.example.com/@a' }, 200],
    ['hotlinks', '/a.png', { referer: 'https://example.com/' }, 200],
    ['hotlinks', '/a.png', {}, 200],
    ['hotlinks', '/a.mp4', { referer: 'https://other.example/' }, 200],
    ['bots', '/a.mp4', { 'user-agent': server }, 403],
    ['bots', '/a.mp4', { 'user-agent': browser, referer: 'https://other.example/' }, 200],
  ] as const)('%s: %s with %o', async (refuses, path, headers, status) => {
    const challenge = refuses === 'bots' && status === 403 ? 'challenge' : undefined
    expect(await asked(refuses, path, headers)).toEqual([status, challenge])
  })
})
