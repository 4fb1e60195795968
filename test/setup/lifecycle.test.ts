import { describe, expect, it } from 'vitest'
import type { LifecycleRule } from '../../src/services/cloudflare/port.ts'
import { lifecycle } from '../../src/setup/bucket.ts'
import { worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

const abort = { condition: { type: 'Age' as const, maxAge: 604_800 } }
const rule = (more: Partial<LifecycleRule>): LifecycleRule => ({
  id: 'Default Multipart Abort Rule',
  enabled: true,
  conditions: {},
  ...more,
})
const put = 'change remove broken uploads after 7 days'
const kept = 'ready broken uploads are removed by themselves'

describe('lifecycle', () => {
  it.each<[string, LifecycleRule[], string]>([
    ['no rule', [], put],
    ['Cloudflare’s own', [rule({ abortMultipartUploadsTransition: abort })], kept],
    [
      'an empty prefix is everywhere',
      [rule({ conditions: { prefix: '' }, abortMultipartUploadsTransition: abort })],
      kept,
    ],
    ['switched off', [rule({ enabled: false, abortMultipartUploadsTransition: abort })], put],
    [
      'for one folder',
      [rule({ conditions: { prefix: 'x/' }, abortMultipartUploadsTransition: abort })],
      put,
    ],
    ['about something else', [rule({ storageClassTransitions: [] })], put],
  ])('%s', async (_, rules, expected) => {
    const world = worldOf()
    world.cloudflare.lifecycle = rules
    expect(found(await lifecycle.look(world))).toBe(expected)
  })

  it('sends back every rule that was there, unknown fields too', async () => {
    const theirs = rule({ id: 'theirs', conditions: { prefix: 'x/' }, somethingNew: { deep: [1] } })
    const old = rule({ id: 'mastodon-r2: abort broken uploads', enabled: false })
    const world = worldOf()
    world.cloudflare.lifecycle = [old, theirs]
    await lifecycle.change?.(world)
    expect(world.cloudflare.lifecycle).toEqual([
      theirs,
      { ...old, enabled: true, abortMultipartUploadsTransition: abort },
    ])
    expect((await lifecycle.look(world)).is).toBe('ready')
  })

  it.each<[string, Partial<LifecycleRule>, number]>([
    ['deletes', { deleteObjectsTransition: {} }, 1],
    ['would delete, and is off', { deleteObjectsTransition: {}, enabled: false }, 0],
    ['deletes nothing', {}, 0],
  ])('warns of a rule that deletes media: %s', async (_, more, count) => {
    const world = worldOf()
    world.cloudflare.lifecycle = [rule({ id: 'clean up', ...more })]
    const without = warningsOf(await lifecycle.look(world))
    world.cloudflare.lifecycle.push(rule({ abortMultipartUploadsTransition: abort }))
    const ready = warningsOf(await lifecycle.look(world))
    expect([without.length, ready.length]).toEqual([count, count])
    for (const warning of without) expect(warning).toContain('"clean up"')
  })
})
