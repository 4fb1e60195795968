import { describe, expect, it } from 'vitest'
import { undoMediaDomain } from '../../src/setup/media-domain.ts'
import { undoOf } from '../fakes/fake-undo.ts'
import { HOST, worldOf } from '../fakes/fake-world.ts'
import { found } from '../fakes/found.ts'

const domain = { host: HOST, enabled: true, ownership: 'active', ssl: 'active' }
const all = { detachDomain: true, evenIfInUse: true }

function worldWith(filled: boolean | undefined = false) {
  const world = worldOf()
  world.cloudflare.domains = [domain]
  world.cloudflare.filled = filled
  return world
}

describe('undo of the custom domain', () => {
  it.each([
    ['no flag', {}, false, false, 'later'],
    ['no flag in use', {}, true, true, 'later'],
    [
      'its flag',
      { detachDomain: true },
      false,
      false,
      `change [destructive] detach ${HOST}: it stops answering`,
    ],
    [
      'its flag with media',
      { detachDomain: true },
      false,
      true,
      `change [destructive] detach ${HOST}: it stops answering, and every link to media in the bucket breaks`,
    ],
    ['its flag in use', { detachDomain: true }, true, true, 'blocked undo-in-use'],
    [
      'both flags in use',
      all,
      true,
      true,
      `change [destructive] detach ${HOST}: it stops answering, and every link to media in the bucket breaks`,
    ],
  ])('%s', async (_, wishes, inUse, filled, expected) => {
    const world = worldWith(filled)
    const finding = await undoMediaDomain(undoOf(wishes, { inUse })).look(world)
    expect(finding.is === 'later' ? 'later' : found(finding)).toBe(expected)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('says which flag would do it', async () => {
    expect(await undoMediaDomain(undoOf()).look(worldWith())).toMatchObject({
      note: `stays: https://${HOST} serves the bucket; add --detach-domain to remove it`,
    })
  })

  it('waits until Cloudflare shows it as gone', async () => {
    const world = worldWith()
    world.cloudflare.domains = [domain, domain, domain, undefined]
    const step = undoMediaDomain(undoOf(all))
    await step.change?.(world)
    expect(world.cloudflare.writes).toEqual([`detach ${HOST}`])
    expect(world.clock.slept).toBe(2_000)
    expect(found(await step.look(world))).toBe(`ready ${HOST} is not attached`)
  })

  it('waits a minute, not for ever', async () => {
    const world = worldWith()
    world.cloudflare.detachCustomDomain = async () => undefined
    const step = undoMediaDomain(undoOf(all))
    await step.change?.(world)
    expect(world.clock.slept).toBe(60_000)
    expect((await step.look(world)).is).toBe('change')
  })
})
