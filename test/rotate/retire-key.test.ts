import { describe, expect, it } from 'vitest'
import type { Facts } from '../../src/plan/step.ts'
import { retireKey } from '../../src/rotate/retire.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { knownKey } from '../fakes/fake-world.ts'
import { found, problemOf } from '../fakes/found.ts'
import {
  freshKey,
  IN_USE,
  keyOf,
  RETIRING,
  rotatingWorld,
  rotationOf,
  written,
} from './rotating.ts'

const changedAt = new Date(Date.UTC(2026, 10, 22, 9))
const proven: Partial<Facts> = {
  rotation: rotationOf(),
  accessKey: freshKey,
  envWritten: written,
  allFresh: { since: changedAt, fileChangedAt: changedAt },
  graceOver: true,
}

function worldWith(facts: Partial<Facts> = {}) {
  const world = rotatingWorld({ ...proven, ...facts })
  world.cloudflare.keys = [keyOf(RETIRING), keyOf(IN_USE, { id: freshKey.accessKeyId })]
  return world
}

const removing = (world: ReturnType<typeof worldWith>) =>
  retireKey.change?.(world) ?? Promise.reject(new Error('no change'))
const id = knownKey.accessKeyId

describe('looking', () => {
  it.each<[string, ReturnType<typeof worldWith>, string]>([
    ['waits for the grace period', rotatingWorld({ rotation: rotationOf() }), 'waiting graceOver'],
    ['then removes', worldWith(), `change disable "${RETIRING}", then delete it`],
    [
      'never the key in use',
      worldWith({ rotation: rotationOf({ old: [keyOf(RETIRING, { id: freshKey.accessKeyId })] }) }),
      'ready gone',
    ],
  ])('%s', async (_, world, expected) => {
    expect(found(await retireKey.look(world))).toBe(expected)
  })

  it('says what to do about a key that stays', async () => {
    const rotation = rotationOf({ old: [], stays: 'this API token does not see it' })
    const finding = await retireKey.look(worldWith({ rotation }))
    expect(found(finding)).toMatch(/^later the old key stays: .*\.bak.*delete it at https:/)
  })
})

describe('removing', () => {
  it('disables, sees that the new key works, deletes', async () => {
    const world = worldWith()
    await removing(world)
    expect(world.cloudflare.writes).toEqual([`disable ${id}`, `revoke ${id}`])
    expect(world.s3.keys).toEqual([freshKey])
    expect(found(await retireKey.look(world))).toBe('ready gone')
  })

  it('goes on with one that is disabled already', async () => {
    const world = worldWith()
    world.cloudflare.keys = [keyOf(RETIRING, { status: 'disabled' })]
    await removing(world)
    expect(world.cloudflare.writes).toEqual([`revoke ${id}`])
  })

  it('stops at disabling when the new key does not work', async () => {
    const world = worldWith()
    world.s3.refuse = () => refusal('s3-403')
    expect((await problemOf(removing(world))).code).toBe('s3-403')
    expect(world.cloudflare.writes).toEqual([`disable ${id}`])
  })

  it.each<[string, (world: ReturnType<typeof worldWith>) => void]>([
    ['the env file changed meanwhile', ({ processes }) => (processes.fileChangedAt = new Date())],
    ['the env file is gone', ({ processes }) => (processes.fileChangedAt = undefined)],
    [
      'an old process turned up',
      ({ processes }) => {
        const startedAt = new Date(changedAt.getTime() - 1)
        processes.list = [{ role: 'sidekiq', name: 'pid 9', startedAt }]
      },
    ],
  ])('not when %s', async (_, spoil) => {
    const world = worldWith()
    spoil(world)
    expect((await problemOf(removing(world))).code).toBe('rotate-not-proven')
    expect(world.cloudflare.writes).toEqual([])
  })
})
