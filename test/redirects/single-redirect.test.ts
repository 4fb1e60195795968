import { describe, expect, it } from 'vitest'
import { singleRedirect, singleRule } from '../../src/redirects/single.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { HOST, setupOf } from '../fakes/fake-world.ts'
import { found, problemOf, warningsOf, worded } from '../fakes/found.ts'
import { KEYS, OLD, redirectingWorld, stranger } from './redirecting-world.ts'

const PHASE = 'http_request_dynamic_redirect'
const { zone } = setupOf()
const ours = (status: 301 | 302, host = HOST) => ({
  ...singleRule(OLD, host, status),
  id: 'ours',
})
const REF = singleRule(OLD, HOST, 301).ref

function at(status: 301 | 302 = 301) {
  const all = redirectingWorld(status)
  return { ...all, make: () => singleRedirect(all.redirecting, OLD, zone) }
}

describe('a single redirect', () => {
  it('begins with 302, and is permanent once that was seen', async () => {
    const { world, edge, add, refs, make } = at()
    add(PHASE, stranger)
    const step = make()
    expect(found(await step.look(world))).toMatch(/^change \[public\] lead .* by 302 first, by 301/)
    expect(world.cloudflare.writes).toEqual([])
    edge.seen.length = 0
    await step.change?.(world)
    expect(world.cloudflare.writes).toEqual([`add ${REF} to ${PHASE}`, `change ${REF} in ${PHASE}`])
    expect(edge.seen).toEqual(['302', '302', '301', '301'])
    expect(refs()).toEqual(['other', REF])
    for (const one of [step, make()]) {
      expect(found(await one.look(world))).toBe(`ready leads to https://${HOST}/ with 301, seen`)
    }
  })

  it('stays temporary when that is wished', async () => {
    const { world, make } = at(302)
    await make().change?.(world)
    expect(world.cloudflare.writes).toEqual([`add ${REF} to ${PHASE}`])
    expect(found(await make().look(world))).toBe(`ready leads to https://${HOST}/ with 302, seen`)
  })

  it('of the run before becomes permanent', async () => {
    const { world, add, make } = at()
    add(PHASE, ours(302))
    expect(found(await make().look(world))).toMatch(/from 302 to 301, as it works$/)
    await make().change?.(world)
    expect(world.cloudflare.writes).toEqual([`change ${REF} in ${PHASE}`])
  })

  it('that leads to another host is renewed at its place, by 302 first', async () => {
    const { world, edge, add, refs, make } = at()
    add(PHASE, ours(301, 'before.example.com'), stranger)
    expect(found(await make().look(world))).toMatch(/^change \[public\] renew: lead/)
    await make().change?.(world)
    expect(edge.seen).toEqual(['302', '302', '301', '301'])
    expect(refs()).toEqual([REF, 'other'])
  })

  it.each([
    ['taken back', undefined, []],
    ['put back as it was', ours(301, 'before.example.com'), [ours(301, 'before.example.com')]],
  ])('that is not seen to work is %s', async (_, before, after) => {
    const { world, edge, add, make } = at()
    if (before) add(PHASE, before)
    edge.deaf = true
    const problem = await problemOf(make().change!(world))
    expect(problem.code).toBe('redirect-not-seen')
    expect(problem.why).toMatch(/status 404.* was taken back\.$/)
    expect(world.cloudflare.rules.map(({ rule }) => rule)).toEqual(after)
  })

  it('that can not be taken back says so', async () => {
    const { world, edge, make } = at()
    edge.deaf = true
    world.cloudflare.removeRule = async () => {
      throw refusal('cloudflare-unreachable')
    }
    expect((await problemOf(make().change!(world))).why).toEqual(worded(/still there: .*--remove$/))
  })

  it('is not made before the media is public, and nothing is asked for before it is there', async () => {
    const { world, make } = at()
    world.s3.objects.delete(KEYS[1]!)
    const known = redirectingWorld().redirecting.known
    await known.keys({ ...redirectingWorld().world })
    const step = singleRedirect({ ...at().redirecting, known }, OLD, zone)
    expect((await problemOf(step.change!(world))).code).toBe('media-not-copied')
    expect(world.web.requests).not.toContain(`https://${HOST}/${KEYS[1]}`)
    expect(world.cloudflare.writes).toEqual([])
    expect((await make().look(world)).is).toBe('change')
  })

  it('of somebody else is enough', async () => {
    const { world, edge, make } = at()
    edge.elsewhere = 301
    expect(found(await make().look(world))).toMatch(/^ready .*with 301 already.*nothing is added/)
  })

  it('says which permission it needs', async () => {
    const { world, make } = at()
    world.cloudflare.lookRefusal = refusal('cloudflare-9109')
    const problem = await problemOf(make().look(world))
    expect([problem.code, problem.next]).toEqual([
      'redirect-permission',
      expect.stringContaining('"Single Redirect: Edit"'),
    ])
    world.cloudflare.lookRefusal = undefined
    world.cloudflare.changeRefusal = refusal('cloudflare-10000')
    expect((await problemOf(make().change!(world))).code).toBe('redirect-permission')
    world.cloudflare.changeRefusal = refusal('cloudflare-plan-limit')
    expect((await problemOf(make().change!(world))).code).toBe('cloudflare-plan-limit')
  })

  it('as the only way that is on offer names no other one', async () => {
    const remove = 'the line that takes it back'
    const only = (wish = at()) => ({
      ...wish,
      make: () => singleRedirect({ ...wish.redirecting, ruleOnly: { remove } }, OLD, zone),
    })
    const full = only()
    full.add(PHASE, ...Array.from({ length: 10 }, (_, n) => ({ ...stranger, id: `${n}` })))
    expect(warningsOf(await full.make().look(full.world)).join()).not.toContain('--via')
    const lacking = only()
    lacking.world.cloudflare.lookRefusal = refusal('cloudflare-9109')
    const ungranted = await problemOf(lacking.make().look(lacking.world))
    expect(String(ungranted.next)).not.toContain('--via')
    const deaf = only()
    deaf.edge.deaf = true
    deaf.world.cloudflare.removeRule = async () => {
      throw refusal('cloudflare-unreachable')
    }
    const unseen = await problemOf(deaf.make().change!(deaf.world))
    expect(unseen.why).toEqual(worded(new RegExp(`still there: ${remove}$`)))
    expect(String(unseen.next)).not.toContain('--via')
  })

  it('warns where the zone may be full', async () => {
    const { world, add, make } = at()
    add(PHASE, ...Array.from({ length: 10 }, (_, n) => ({ ...stranger, id: `${n}` })))
    expect(warningsOf(await make().look(world))).toEqual([expect.stringMatching(/has 10 redirect/)])
  })
})
