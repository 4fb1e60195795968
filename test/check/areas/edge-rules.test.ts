import { expect, test } from 'vitest'
import { edgeRulesCheck } from '../../../src/check/areas/cloudflare.ts'
import { toType } from '../../../src/core/to-type.ts'
import { keepRule } from '../../../src/setup/edge.ts'
import { recommended } from '../../../src/setup/edge-rules.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { worldOf } from '../../fakes/fake-world.ts'
import { problemOf, worded } from '../../fakes/found.ts'

async function withRules(count: number) {
  const world = worldOf()
  for (const edge of recommended.slice(0, count)) await keepRule(edge).change?.(world)
  world.cloudflare.writes.length = 0
  return world
}

const look = (world: Awaited<ReturnType<typeof withRules>>) => edgeRulesCheck(world).look({})

test.each([
  [0, 'none of this tool; npx mastodon-r2 init --edge recommended puts some there'],
  [1, 'there: Protective headers'],
  [3, 'there: Protective headers, Cache rule, Private folders'],
])('%i rules are well', async (count, saw) => {
  const world = await withRules(count)
  expect(await look(world)).toEqual([{ severity: 'ok', saw: worded(saw) }])
  expect(world.cloudflare.writes).toEqual([])
})

test.each([{ enabled: false }, { expression: 'http.host eq "other.example"' }, { action: 'log' }])(
  'one that became %o is a warning, with the command for it alone',
  async (change) => {
    const world = await withRules(3)
    world.cloudflare.rules = world.cloudflare.rules.map((kept) =>
      kept.rule.ref?.includes('cache-everything')
        ? { ...kept, rule: { ...kept.rule, ...change } }
        : kept,
    )
    expect(await look(world)).toMatchObject([
      {
        severity: 'warning',
        saw: 'Switched off, or not as this tool made it: Cache rule.',
        next: toType('init', { edge: 'cache-everything' }),
      },
    ])
  },
)

test('a token that may not look: skipped, with the permissions', async () => {
  const world = await withRules(0)
  world.cloudflare.lookRefusal = refusal('cloudflare-10000')
  expect(await look(world)).toEqual([
    {
      severity: 'skipped',
      saw: 'the API token lacks "Transform Rules: Edit", "Cache Rules: Edit", "Zone WAF: Edit"',
    },
  ])
})

test('any other refusal is a fault of its own', async () => {
  const world = await withRules(0)
  world.cloudflare.lookRefusal = refusal('cloudflare-unreachable')
  expect((await problemOf(look(world) as Promise<never>)).code).toBe('cloudflare-unreachable')
})
