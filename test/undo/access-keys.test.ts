import { describe, expect, it } from 'vitest'
import { type KeyState, keyName } from '../../src/setup/minted-keys.ts'
import type { EnvTrace } from '../../src/setup/undoing.ts'
import { undoAccessKeys } from '../../src/undo/access-keys.ts'
import { clean, undoOf } from '../fakes/fake-undo.ts'
import { envFileOf, HOST, knownKey, tokenOf, worldOf } from '../fakes/fake-world.ts'
import { found, warningsOf } from '../fakes/found.ts'

const ID = knownKey.accessKeyId
const text = `AWS_ACCESS_KEY_ID=${ID}\n`
const holding: EnvTrace = { ...clean, file: envFileOf(text) }
const putBack: EnvTrace = {
  ...holding,
  restoration: { is: 'write', text: '', how: 'whole', backup: undefined },
}
const stays = 'stays: Mastodon uses it now; add --even-if-in-use to remove it'

function worldWith(...states: KeyState[]) {
  const world = worldOf({ knownKey })
  world.cloudflare.keys = states.map((state, index) => ({
    id: index === 0 ? ID : String(index + 5).repeat(32),
    name: keyName(world, state),
    status: 'active',
    raw: null,
  }))
  return world
}

describe('undo of the access keys', () => {
  it('names each key that goes, in every state', async () => {
    const world = worldWith('inUse', 'pending', 'retiring')
    const step = undoAccessKeys(undoOf())
    const names = world.cloudflare.keys.map(({ name }) => `remove the key "${name}"`)
    expect(found(await step.look(world))).toBe(`change ${names.join('; ')}`)
    await step.change?.(world)
    expect(world.cloudflare.keys).toEqual([])
    expect(found(await step.look(world))).toBe('ready none of this tool')
  })

  it.each([
    ['of another bucket', `mastodon-r2 example-media-2 ${HOST} 2026-11-22 abcdef`],
    ['of another host', 'mastodon-r2 example-media old.example.com 2026-11-22 abcdef'],
    ['made by hand', 'Mastodon uploads'],
    ['that began like ours', 'mastodon-r2 setup'],
    ['of the bucket alone', 'mastodon-r2 example-media'],
  ])('a key %s stays', async (_, name) => {
    const world = worldOf()
    world.cloudflare.keys = [{ id: ID, name, status: 'active', raw: null }]
    const step = undoAccessKeys(undoOf())
    expect(found(await step.look(world))).toBe('ready none of this tool')
    await step.change?.(world)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('goes with the lines of the env file, never before them', async () => {
    const world = worldWith('inUse')
    const step = undoAccessKeys(undoOf({}, { traces: [putBack] }))
    expect(found(await step.look(world))).toContain('change remove the key')
    await step.change?.(world)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('stays where an env file goes on using it', async () => {
    const world = worldWith('inUse')
    for (const role of ['main', 'other'] as const) {
      const step = undoAccessKeys(undoOf({}, { traces: [clean, { ...holding, role }] }))
      expect(await step.look(world)).toMatchObject({
        is: 'later',
        note: 'stays: an env file goes on using it',
      })
    }
  })

  it('is refused while Mastodon uses the bucket, and marked when it is not', async () => {
    const world = worldWith('inUse')
    const kept = undoAccessKeys(undoOf({}, { inUse: true, traces: [putBack] }))
    expect(await kept.look(world)).toMatchObject({ is: 'later', note: stays })
    const forced = undoOf({ evenIfInUse: true }, { inUse: true, traces: [putBack] })
    expect(found(await undoAccessKeys(forced).look(world))).toContain('change [destructive]')
  })

  it('says when the key of the env file is not to be seen', async () => {
    const world = worldWith()
    const finding = await undoAccessKeys(undoOf({}, { traces: [putBack] })).look(world)
    expect(found(finding)).toBe('ready none of this tool')
    expect(warningsOf(finding).join()).toContain('was not made by this tool')
  })

  it('looks at the keys of the user, too, when the token is one of a user', async () => {
    const world = worldOf({ token: tokenOf({ kind: 'user' }) })
    const asked: string[] = []
    const list = world.cloudflare.listKeys.bind(world.cloudflare)
    world.cloudflare.listKeys = (owner, prefix) => {
      asked.push(owner.kind)
      return list(owner, prefix)
    }
    await undoAccessKeys(undoOf()).look(world)
    world.cloudflare.denied = ['account-tokens']
    await undoAccessKeys(undoOf()).look(world)
    expect(asked).toEqual(['account', 'user', 'user'])
  })
})
