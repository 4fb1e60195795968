import { expect, test } from 'vitest'
import type { Rule } from '../../src/services/cloudflare/port.ts'
import { keepRule, undoEdgeRules } from '../../src/setup/edge.ts'
import { recommended } from '../../src/setup/edge-rules.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { undoOf } from '../fakes/fake-undo.ts'
import { HOST, worldOf } from '../fakes/fake-world.ts'
import { found, problemOf } from '../fakes/found.ts'

const theirs: Rule = {
  id: 'other',
  ref: 'other',
  description: 'Theirs',
  expression: 'ssl',
  action: 'log',
  enabled: true,
}
const gone = 'change [public] remove the rules: Protective headers, Cache rule, Private folders'

/** All rules of this tool, and one of somebody else in each phase. */
async function withRules(domains: 'attached' | 'detached') {
  const world = worldOf()
  const place = world.setup.zone.id
  world.cloudflare.rules = recommended.map(({ phase }) => ({ place, phase, rule: theirs }))
  for (const edge of recommended) await keepRule(edge).change?.(world)
  const active = { host: HOST, enabled: true, ownership: 'active', ssl: 'active' }
  world.cloudflare.domains = domains === 'attached' ? [active] : []
  return world
}

test('exactly the own rules go', async () => {
  const world = await withRules('detached')
  const step = undoEdgeRules(undoOf())
  expect(found(await step.look(world))).toBe(gone)
  await step.change?.(world)
  expect(world.cloudflare.rules.map(({ rule }) => rule)).toEqual([theirs, theirs, theirs])
  expect(found(await step.look(world))).toBe('ready no rules of this tool')
})

test('while the media host goes on serving, they stay', async () => {
  const world = await withRules('attached')
  expect(await undoEdgeRules(undoOf()).look(world)).toMatchObject({
    is: 'later',
    note: `stays: ${HOST} goes on serving the bucket; add --drop-edge-rules to remove it`,
  })
})

test.each([{ dropEdgeRules: true }, { detachDomain: true }])('unless told: %o', async (wishes) => {
  const world = await withRules('attached')
  expect(found(await undoEdgeRules(undoOf(wishes)).look(world))).toBe(gone)
})

test('a token that may not look has put none there', async () => {
  const world = await withRules('attached')
  world.cloudflare.lookRefusal = refusal('cloudflare-9109')
  expect(found(await undoEdgeRules(undoOf()).look(world))).toMatch(
    /^ready none seen; the API token lacks "Transform Rules: Edit", "Cache Rules: Edit"/,
  )
})

test('a token that may only look: skipped, with what to grant', async () => {
  const world = await withRules('detached')
  world.cloudflare.changeRefusal = refusal('cloudflare-9109')
  const step = undoEdgeRules(undoOf())
  await step.change?.(world)
  expect(await step.look(world)).toMatchObject({
    is: 'later',
    next: expect.stringContaining('Add "Zone WAF: Edit" to the token'),
  })
})

test('any other refusal goes up', async () => {
  const world = await withRules('attached')
  world.cloudflare.lookRefusal = refusal('cloudflare-unreachable')
  expect((await problemOf(undoEdgeRules(undoOf()).look(world))).code).toBe('cloudflare-unreachable')
})
