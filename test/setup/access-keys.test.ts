import { describe, expect, it } from 'vitest'
import type { Setup } from '../../src/plan/step.ts'
import type { MintedKey } from '../../src/services/cloudflare/port.ts'
import { accessKeys } from '../../src/setup/access-keys.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import {
  envFileOf,
  HOST,
  installationOf,
  knownKey,
  mintedKey,
  setupOf,
  worldOf,
} from '../fakes/fake-world.ts'
import { found, problemOf } from '../fakes/found.ts'

const make = 'make a key for the bucket example-media alone, owned by the account'
const key = (id: string, name: string): MintedKey => ({ id, name, status: 'active', raw: null })
const pending = (end: string, id = 'e'.repeat(32)) =>
  key(id, `mastodon-r2-setup example-media ${HOST} ${end}`)
const lost = pending('2026-11-21 aaaaaa')
const removal = `remove the unused key "${lost.name}", left by a broken run`
const isNew = { facts: { accessKey: { minted: true } } }

describe('looking for the access key', () => {
  it.each<[string, Partial<Setup>, string]>([
    ['of the account', {}, `change ${make}`],
    [
      'of the user',
      { owner: { kind: 'user' } },
      'change make a key for the bucket example-media alone, owned by you',
    ],
    [
      'with conditions',
      { allowIps: ['203.0.113.1', '2001:db8::/32'], keyExpiresOn: '2027-06-30T23:59:59Z' },
      `change ${make}, until 2027-06-30T23:59:59Z, from 203.0.113.1, 2001:db8::/32`,
    ],
  ])('a new one %s', async (_, setup, expected) => {
    const world = worldOf(setup)
    expect(found(await accessKeys.look(world))).toBe(expected)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('one that works is kept', async () => {
    const world = worldOf({ knownKey })
    const finding = await accessKeys.look(world)
    expect(found(finding)).toBe('ready the one in the env file works, and is kept')
    expect(finding).toMatchObject({ facts: { accessKey: { ...knownKey, minted: false } } })
    expect(world.s3.keys).toEqual([knownKey])
  })

  const made: MintedKey = {
    ...key(knownKey.accessKeyId, 'mastodon-r2 example-media'),
    expiresOn: '2027-06-30T23:59:59Z',
    limits: { only: undefined, allowIps: ['203.0.113.7/32'], refuseIps: [] },
  }
  it.each<[string, Partial<Setup>, MintedKey[], string]>([
    ['the same day', { keyExpiresOn: '2027-06-30T23:59:59Z' }, [made], 'ready'],
    ['the same address', { allowIps: ['203.0.113.7'] }, [made], 'ready'],
    ['the same owner', { isOwnerWished: true }, [made], 'ready'],
    ['another day', { keyExpiresOn: '2028-06-30T23:59:59Z' }, [made], '--expires'],
    ['another address', { allowIps: ['203.0.113.8'] }, [made], '--allow-ip'],
    ['another owner', { isOwnerWished: true }, [], '--token-kind'],
    ['a day of a key that is not seen', { keyExpiresOn: '2028-06-30T23:59:59Z' }, [], '--expires'],
  ])('one that is kept, and %s is wished', async (_, setup, keys, expected) => {
    const world = worldOf({ knownKey, ...setup })
    world.cloudflare.keys = [...keys]
    const finding = await accessKeys.look(world)
    const said = finding.is === 'blocked' ? finding.problem.what : finding.is
    expect(said).toContain(expected)
    expect(world.cloudflare.writes).toEqual([])
  })

  it.each(['s3-401', 's3-403', 's3-404'])('one that gives %s is replaced', async (code) => {
    const world = worldOf({ knownKey })
    world.s3.refuse = () => refusal(code)
    expect(found(await accessKeys.look(world))).toBe(`change ${make}`)
    expect(await accessKeys.change?.(world)).toMatchObject({ accessKey: { minted: true } })
  })

  it.each(['s3-500', 's3-unreachable'])('%s says nothing about the key', async (code) => {
    const world = worldOf({ knownKey })
    world.s3.refuse = () => refusal(code)
    expect((await problemOf(accessKeys.look(world))).code).toBe(code)
    expect((await problemOf(accessKeys.change?.(world) ?? Promise.resolve())).code).toBe(code)
    expect(world.cloudflare.writes).toEqual([])
  })

  it('one made in this run is not asked about again', async () => {
    const world = worldOf({}, { accessKey: mintedKey })
    expect(found(await accessKeys.look(world))).toBe('ready made')
    expect(world.s3.calls).toEqual([])
  })
})

describe('keys of a broken run', () => {
  it.each<[string, MintedKey, boolean]>([
    ['of this bucket and host', lost, true],
    ['in use', key('e'.repeat(32), lost.name.replace('-setup', '')), false],
    ['of another host', key('e'.repeat(32), lost.name.replace(HOST, 'x.example.com')), false],
    ['of a longer host', key('e'.repeat(32), lost.name.replace(HOST, `${HOST}.au`)), false],
    ['of another bucket', key('e'.repeat(32), lost.name.replace('-media', '-other')), false],
    ['of somebody else', key('e'.repeat(32), 'terraform'), false],
  ])('%s', async (_, there, removed) => {
    const world = worldOf({ knownKey })
    world.cloudflare.keys = [there]
    const kept = 'ready the one in the env file works, and is kept'
    expect(found(await accessKeys.look(world))).toBe(removed ? `change ${removal}` : kept)
    expect(await accessKeys.change?.(world)).toEqual({})
    expect(world.cloudflare.writes).toEqual(removed ? [`revoke ${there.id}`] : [])
    expect(found(await accessKeys.look(world))).toBe(kept)
  })

  it('are removed before a new one is made', async () => {
    const world = worldOf()
    world.cloudflare.keys = [lost]
    expect(found(await accessKeys.look(world))).toBe(`change ${removal}; ${make}`)
    await accessKeys.change?.(world)
    expect(world.cloudflare.writes).toEqual([`revoke ${lost.id}`, `mint ${'1'.padStart(32, 'f')}`])
  })

  it('stay when an env file of Mastodon holds them', async () => {
    const files = [envFileOf('A=1\n'), envFileOf(`AWS_ACCESS_KEY_ID="${lost.id}"\n`)]
    const world = worldOf({ installation: installationOf({ envFiles: files }) })
    world.cloudflare.keys = [lost]
    expect(found(await accessKeys.look(world))).toBe(`change ${make}`)
    await accessKeys.change?.(world)
    expect(world.cloudflare.writes).not.toContain(`revoke ${lost.id}`)
  })

  it('stay when the file to write holds them, though Mastodon does not read it', async () => {
    const file = envFileOf(`AWS_ACCESS_KEY_ID=${lost.id}\n`, { path: '/live/.env.production.r2' })
    const world = worldOf({ target: { kind: 'file', file } })
    world.cloudflare.keys = [lost]
    expect(found(await accessKeys.look(world))).toBe(`change ${make}`)
  })
})

describe('making the access key', () => {
  it('for this bucket, with the conditions, under a name that tells all', async () => {
    const expiresOn = '2027-06-30T23:59:59Z'
    const world = worldOf({ allowIps: ['203.0.113.1'], keyExpiresOn: expiresOn })
    const facts = await accessKeys.change?.(world)
    const [wish] = world.cloudflare.wishes
    expect(wish).toEqual({
      name: `mastodon-r2-setup example-media ${HOST} 2026-11-22 000001`,
      at: world.setup.at,
      allowIps: ['203.0.113.1'],
      expiresOn,
    })
    expect(facts?.accessKey?.accessKeyId).toBe(world.cloudflare.keys[0]?.id)
    expect(facts?.accessKey?.minted).toBe(true)
  })

  it('without an expiry none is asked for', async () => {
    const world = worldOf()
    await accessKeys.change?.(world)
    expect(world.cloudflare.wishes[0]).not.toHaveProperty('expiresOn')
  })

  it.each([
    ['a', 'x.example.com'],
    ['b'.repeat(63), `${'m'.repeat(60)}.${'n'.repeat(60)}.example.com`],
    ['b'.repeat(63), 'files.example.com'],
  ])('the name fits into 120 characters: %s, %s', async (bucket, mediaHost) => {
    const world = worldOf({ at: { ...setupOf().at, bucket }, mediaHost })
    await accessKeys.change?.(world)
    const name = world.cloudflare.wishes[0]?.name ?? ''
    expect(name.length).toBeLessThanOrEqual(120)
    expect(name).toContain(` ${bucket} `)
    expect(name).toMatch(/ 2026-11-22 [0-9a-f]{6}$/)
    const again = await accessKeys.look(worldOf(world.setup))
    expect(again.is).toBe('change')
    expect(found(await accessKeys.look(world))).toContain(`remove the unused key "${name}"`)
  })

  it('an answer that got lost: the key is found by its name, removed, and made again', async () => {
    const world = worldOf()
    world.cloudflare.lostAnswers = 1
    const [first, second] = ['1', '2'].map((n) => n.padStart(32, 'f'))
    expect(await accessKeys.change?.(world)).toMatchObject(isNew.facts)
    expect(world.cloudflare.writes).toEqual([`mint ${first}`, `revoke ${first}`, `mint ${second}`])
    const [one, two] = world.cloudflare.wishes
    expect(one?.name).not.toBe(two?.name)
  })

  it('is not made again when Cloudflare refuses', async () => {
    const world = worldOf()
    world.cloudflare.mintRefusal = refusal('cloudflare-9109')
    const problem = await problemOf(accessKeys.change?.(world) ?? Promise.resolve())
    expect([problem.code, world.cloudflare.writes]).toEqual(['cloudflare-9109', []])
  })
})

describe('taking the access key back', () => {
  const written = { file: '/x', backup: undefined, changed: [], diff: [] }

  it.each<[string, Parameters<typeof worldOf>[1], boolean]>([
    ['made and not written', { accessKey: mintedKey }, true],
    ['made and written', { accessKey: mintedKey, envWritten: written }, false],
    [
      'made for a block that is never printed',
      { accessKey: mintedKey, envWritten: { ...written, file: undefined } },
      true,
    ],
    ['kept', { accessKey: { ...knownKey, minted: false } }, false],
    ['none', {}, false],
  ])('%s', async (_, facts, revoked) => {
    const world = worldOf({}, facts)
    const note = await accessKeys.undo?.(world)
    expect(world.cloudflare.writes).toEqual(revoked ? [`revoke ${knownKey.accessKeyId}`] : [])
    expect(note !== undefined).toBe(revoked)
  })
})
