import { expect, it } from 'vitest'
import { throughEdge } from '../../src/sandbox/edge/public-host.ts'
import type { CacheSettings } from '../../src/sandbox/edge/rules.ts'
import { keepRule, tieredCache } from '../../src/setup/edge.ts'
import { cacheEverything, privateFolders, securityHeaders } from '../../src/setup/edge-rules.ts'
import { HOST, setupOf } from '../fakes/fake-world.ts'
import { rulesWorld } from '../services/cloudflare/rules-world.ts'

const rules = [securityHeaders, cacheEverything, privateFolders]
const makers = [...rules.map((rule) => () => keepRule(rule)), tieredCache]

/** The real client, the sandbox's API and its edge: what the rules do, not what they say. */
it('the rules do at the edge what they promise', async () => {
  const at = await rulesWorld()
  const zone = { ...setupOf().zone, id: at.zone }
  const world = { cloudflare: at.client, setup: setupOf({ zone }) }
  for (const make of makers) {
    const step = make()
    expect((await step.look(world)).is).toBe('change')
    await step.change?.(world)
    expect((await step.look(world)).is).toBe('ready')
    expect((await make().look(world)).is).toBe('ready')
  }

  async function visited(host: string, url: string) {
    let settings: CacheSettings | undefined
    const message = { method: 'GET', url, headers: { host } }
    const context = { world: at.world, clock: () => 0 }
    const answer = await throughEdge(context, message as never, async (cache) => {
      settings = cache
      return { status: 200, headers: {} }
    })
    return [
      answer.status,
      answer.headers['x-content-type-options'],
      answer.headers['content-security-policy'],
      settings?.cache,
      settings?.keepSeconds(404),
    ]
  }
  const policy = "default-src 'none'; form-action 'none'"
  expect(await visited(HOST, '/media/a.mov')).toEqual([200, 'nosniff', policy, true, -1])
  expect(await visited(HOST, '/backups/dumps/a.zip')).toEqual([403, ...Array(4).fill(undefined)])
  expect(await visited(HOST, '/imports/data/a.csv')).toEqual([403, ...Array(4).fill(undefined)])
  const untouched = [200, undefined, undefined, undefined, undefined]
  expect(await visited('social.example.com', '/backups/a')).toEqual(untouched)
})

it('a token that may only look: skipped, no failure, nothing changed', async () => {
  const permissions = [
    'Zone Transform Rules Read',
    'Cache Settings Read',
    'Zone WAF Read',
    'Zone Read',
  ]
  const at = await rulesWorld({ permissions })
  const zone = { ...setupOf().zone, id: at.zone }
  const world = { cloudflare: at.client, setup: setupOf({ zone }) }
  for (const make of makers) {
    const step = make()
    expect((await step.look(world)).is).toBe('change')
    await step.change?.(world)
    expect((await step.look(world)).is).toBe('later')
  }
  expect(at.world.edge.rulesets).toEqual([])
})
