import { describe, expect, it, test } from 'vitest'
import type { CorsRule, LifecycleRule } from '../../src/services/cloudflare/port.ts'
import { lifecycle, undoLifecycle } from '../../src/setup/bucket.ts'
import { cors, undoCors } from '../../src/setup/cors.ts'
import { clean, undoOf } from '../fakes/fake-undo.ts'
import { worldOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'

const theirs: CorsRule = {
  id: 'uploads',
  allowed: { origins: ['https://a.example'], methods: ['PUT'] },
}
const default7: LifecycleRule = { id: 'Default', enabled: true, conditions: { prefix: 'x/' } }

describe('the CORS rule', () => {
  test('of init goes, and with it the whole configuration', async () => {
    const world = worldOf()
    const undo = undoCors(undoOf())
    expect(found(await undo.look(world))).toBe('ready no rule of this tool')
    await cors.change?.(world)
    expect(found(await undo.look(world))).toBe('change remove the CORS rule')
    await undo.change?.(world)
    expect(world.cloudflare.writes).toEqual(['put cors', 'delete cors'])
    expect(found(await undo.look(world))).toBe('ready no rule of this tool')
  })

  test('rules of others stay', async () => {
    const world = worldOf()
    world.cloudflare.cors = [theirs]
    await cors.change?.(world)
    const undo = undoCors(undoOf())
    expect(found(await undo.look(world))).toBe('change remove the CORS rule; 1 of others stays')
    await undo.change?.(world)
    expect(world.cloudflare.cors).toEqual([theirs])
  })

  test('stays where Mastodon goes on using the bucket', async () => {
    const world = worldOf()
    await cors.change?.(world)
    const traces = [{ ...clean, restoration: { is: 'foreign' as const } }]
    const finding = await undoCors(undoOf({}, { inUse: true, traces })).look(world)
    expect(finding).toMatchObject({ is: 'later', note: 'stays: Mastodon goes on using the bucket' })
  })
})

describe('the lifecycle rule', () => {
  it('of init goes, that of others stays', async () => {
    const world = worldOf()
    world.cloudflare.lifecycle = [default7]
    expect(found(await undoLifecycle.look(world))).toBe('ready no rule of this tool')
    await lifecycle.change?.(world)
    expect(world.cloudflare.lifecycle).toHaveLength(2)
    expect(found(await undoLifecycle.look(world))).toBe(
      'change remove the lifecycle rule; 1 of others stays',
    )
    await undoLifecycle.change?.(world)
    expect(world.cloudflare.lifecycle).toEqual([default7])
  })
})
