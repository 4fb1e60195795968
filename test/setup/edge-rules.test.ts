import { describe, expect, it } from 'vitest'
import { inSetup } from '../../src/plan/step.ts'
import type { Rule } from '../../src/services/cloudflare/port.ts'
import { keepRule, tieredCache } from '../../src/setup/edge.ts'
import type { EdgeRule } from '../../src/setup/edge-rules.ts'
import { cacheEverything, privateFolders, securityHeaders } from '../../src/setup/edge-rules.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { worldOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'

const all = [
  [securityHeaders, 'Transform Rules: Edit'],
  [cacheEverything, 'Cache Rules: Edit'],
  [privateFolders, 'Zone WAF: Edit'],
] as const

const stranger: Rule = {
  id: 'other',
  ref: 'other',
  description: 'Theirs',
  expression: 'ssl',
  action: 'log',
  enabled: true,
}

function withRules(phase: EdgeRule['phase'], ...rules: Rule[]) {
  const world = worldOf()
  world.cloudflare.rules = rules.map((rule) => ({ place: world.setup.zone.id, phase, rule }))
  return world
}

describe.each(all)('$id', (edge, permission) => {
  const make = () => keepRule(edge)
  const ref = `mastodon-r2-${edge.id}-files_example_com`

  it('is added behind those of others, and is ready after that', async () => {
    const world = withRules(edge.phase, stranger)
    const step = make()
    expect(found(await step.look(world))).toBe(`change [public] ${edge.does}; 1 of others stays`)
    expect(world.cloudflare.writes).toEqual([])
    await step.change?.(world)
    expect(world.cloudflare.rules.map(({ rule }) => rule.ref)).toEqual(['other', ref])
    expect(found(await make().look(world))).toBe(`ready ${edge.ready}`)
  })

  it.each<[string, (rule: Rule) => Rule]>([
    ['switched off', (rule) => ({ ...rule, enabled: false })],
    ['for another host', (rule) => ({ ...rule, expression: 'http.host eq "a.example"' })],
    ['of another action', (rule) => ({ ...rule, action: 'log' })],
  ])('is renewed at its place when it is %s', async (_, spoil) => {
    const world = withRules(edge.phase)
    await make().change?.(world)
    const [kept] = world.cloudflare.rules
    const spoilt = spoil(kept?.rule ?? stranger)
    world.cloudflare.rules = [spoilt, stranger].map((rule) => ({ ...kept!, rule }))
    expect(found(await make().look(world))).toMatch(
      /^change \[public\] renew: .*1 of others stays$/,
    )
    await make().change?.(world)
    expect(world.cloudflare.writes.at(-1)).toBe(`change ${ref} in ${edge.phase}`)
    expect(world.cloudflare.rules.map(({ rule }) => rule.ref)).toEqual([ref, 'other'])
    expect(found(await make().look(world))).toBe(`ready ${edge.ready}`)
  })

  it.each<[string, (rule: Rule) => Rule]>([
    [
      'with parameters of its own',
      (rule) => ({ ...rule, parameters: { ...rule.parameters, x: 1 } }),
    ],
    [
      'with other spaces',
      (rule) => ({ ...rule, expression: ` ${rule.expression.replaceAll(' ', '  ')}` }),
    ],
    ['under another description', (rule) => ({ ...rule, description: 'x' })],
  ])('is the same where Cloudflare writes it %s', async (_, written) => {
    const world = withRules(edge.phase)
    await make().change?.(world)
    world.cloudflare.rules = world.cloudflare.rules.map((kept) => ({
      ...kept,
      rule: written(kept.rule),
    }))
    expect((await make().look(world)).is).toBe('ready')
  })

  it('is ready once Cloudflare took it, however it writes it', async () => {
    const world = withRules(edge.phase)
    const step = make()
    await step.change?.(world)
    world.cloudflare.rules = world.cloudflare.rules.map((kept) => ({
      ...kept,
      rule: { ...kept.rule, expression: 'rewritten' },
    }))
    expect((await step.look(world)).is).toBe('ready')
    expect((await make().look(world)).is).toBe('change')
  })

  it('leaves that of another media host in the zone alone', async () => {
    const world = withRules(edge.phase)
    await make().change?.(world)
    const setup = { ...world.setup, mediaHost: 'files.second.example.com' }
    const second = { ...world, ...inSetup(setup) }
    expect(found(await make().look(second))).toMatch(/^change .*1 of others stays$/)
    await make().change?.(second)
    expect(found(await make().look(world))).toBe(`ready ${edge.ready}`)
    expect(found(await make().look(second))).toBe(`ready ${edge.ready}`)
  })

  it('without the permission to look is skipped, and says what to grant', async () => {
    const world = withRules(edge.phase)
    world.cloudflare.lookRefusal = refusal('cloudflare-9109')
    expect(await make().look(world)).toEqual({
      is: 'later',
      note: `skipped: the API token lacks "${permission}"`,
      next: expect.stringContaining(`Add "${permission}" to the token at https://`),
      warnings: [`${edge.title}: left out. Media is served without it.`],
    })
  })

  it.each(['9109', '10000', '403', 'plan-limit', 'not-in-plan', '20217', '500', 'unreachable'])(
    'is skipped where the change is refused: %s',
    async (code) => {
      const world = withRules(edge.phase)
      world.cloudflare.changeRefusal = refusal(`cloudflare-${code}`)
      const step = make()
      await step.change?.(world)
      expect(found(await step.look(world))).toMatch(/^later skipped: /)
      expect(world.cloudflare.rules).toEqual([])
    },
  )

  it.each(['20217', '500', 'unreachable'])('is skipped where the look fails: %s', async (code) => {
    const world = withRules(edge.phase)
    world.cloudflare.lookRefusal = refusal(`cloudflare-${code}`)
    expect(found(await make().look(world))).toMatch(/^later skipped: /)
  })

  it('is skipped where it was taken and is not there', async () => {
    const world = withRules(edge.phase)
    const step = make()
    await step.change?.(world)
    world.cloudflare.rules = []
    expect(found(await step.look(world))).toMatch(/^later skipped: .* does not show it$/)
  })

  it('what is no answer of Cloudflare goes up', async () => {
    const world = withRules(edge.phase)
    world.cloudflare.lookRefusal = new TypeError('a bug') as never
    await expect(make().look(world)).rejects.toThrow('a bug')
  })
})

describe('tiered cache', () => {
  it('is switched on, for the whole zone', async () => {
    const world = worldOf()
    expect(found(await tieredCache().look(world))).toMatch(
      /^change \[public\].*whole zone example.com/,
    )
    await tieredCache().change?.(world)
    expect(world.cloudflare.writes).toEqual(['tiered cache on'])
    expect(found(await tieredCache().look(world))).toBe('ready on')
  })

  it.each(['9109', '1011'])('is skipped where the token may not: %s', async (code) => {
    const world = worldOf()
    world.cloudflare.changeRefusal = refusal(`cloudflare-${code}`)
    const step = tieredCache()
    await step.change?.(world)
    expect(found(await step.look(world))).toMatch(/^later skipped: /)
  })
})
