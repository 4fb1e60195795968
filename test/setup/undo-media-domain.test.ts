import { describe, expect, it } from 'vitest'
import { undoMediaDomain } from '../../src/setup/media-domain.ts'
import { undoOf } from '../fakes/fake-undo.ts'
import { HOST, worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

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

  const led = { from: 'https://social.example.com/system/...', to: `https://${HOST}/...` }

  it.each([
    [
      { to: [led] },
      `  ${led.from} to ${led.to}`,
      'redirects --media-host files.example.com --remove',
    ],
    [{ from: [{ from: led.to, to: led.from }] }, `  ${led.to} to ${led.from}`, 'Keep the domain'],
  ])('is refused while redirects need it: %j', async (redirected, line, next) => {
    const finding = await undoMediaDomain(undoOf({ detachDomain: true }, { redirected })).look(
      worldWith(),
    )
    if (finding.is !== 'blocked') throw new Error(finding.is)
    const { problem } = finding
    expect([problem.code, problem.exit]).toEqual(['undo-redirected', 2])
    expect(`${problem.why}`).toContain(line)
    expect(`${problem.next}`).toContain(next)
    const forced = undoMediaDomain(undoOf(all, { redirected }))
    expect((await forced.look(worldWith())).is).toBe('change')
  })

  it('tells what could not be seen', async () => {
    const redirected = { unseen: ['it was not seen: no answer.'] }
    const step = undoMediaDomain(undoOf({ detachDomain: true }, { redirected }))
    expect(warningsOf(await step.look(worldWith()))).toEqual([
      `Whether a redirect needs ${HOST}: it was not seen: no answer.`,
    ])
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
