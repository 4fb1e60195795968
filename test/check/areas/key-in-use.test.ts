import { describe, expect, it } from 'vitest'
import { keyInUse } from '../../../src/setup/access-keys.ts'
import { HOST, knownKey, mintedKey, worldOf } from '../../fakes/fake-world.ts'
import { found } from '../../fakes/found.ts'

const written = { file: '/x', backup: undefined, changed: [], diff: [] }
const rest = `example-media ${HOST} 2026-11-22 abcdef`

function worldWith(name: string | undefined) {
  const world = worldOf({}, { accessKey: mintedKey, envWritten: written })
  const id = knownKey.accessKeyId
  world.cloudflare.keys = name === undefined ? [] : [{ id, name, status: 'active', raw: null }]
  return world
}

describe('key-in-use', () => {
  it('waits until the env file is written', async () => {
    const world = worldOf({}, { accessKey: mintedKey })
    expect(found(await keyInUse.look(world))).toBe('waiting envWritten')
  })

  it.each<[string, string | undefined, string]>([
    ['not named yet', `mastodon-r2-setup ${rest}`, 'change mark the key as in use'],
    ['named', `mastodon-r2 ${rest}`, `ready mastodon-r2 ${rest}`],
    ['made by hand', 'Mastodon uploads', 'ready Mastodon uploads'],
    ['made in this run, and not to be seen', undefined, 'ready the new key can not be seen yet'],
  ])('%s', async (_, name, expected) => {
    const world = worldWith(name)
    expect(found(await keyInUse.look(world))).toBe(expected)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('a key that was there before and is not to be seen is somebody else', async () => {
    const world = worldOf({}, { accessKey: { ...knownKey, minted: false }, envWritten: written })
    expect(found(await keyInUse.look(world))).toBe('ready the key belongs to somebody else')
  })

  it('says so when a key of this run could not be marked', async () => {
    const finding = await keyInUse.look(worldWith(undefined))
    const warnings = finding.is === 'ready' ? finding.warnings : []
    expect(warnings).toEqual([expect.stringContaining('Run init once more later.')])
  })

  it('gives the lasting name, and nothing else', async () => {
    const world = worldWith(`mastodon-r2-setup ${rest}`)
    const finding = await keyInUse.look(world)
    const learned = await keyInUse.change?.(world, finding.is === 'change' ? finding.seen : {})
    expect(learned).toEqual({ keyNamed: `mastodon-r2 ${rest}` })
    expect(world.cloudflare.writes).toEqual([`rename ${knownKey.accessKeyId}`])
    expect(found(await keyInUse.look(world))).toBe(`ready mastodon-r2 ${rest}`)
  })
})
