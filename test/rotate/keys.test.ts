import { describe, expect, it } from 'vitest'
import { newKey, oldKey, oldKeyName } from '../../src/rotate/keys.ts'
import type { MintedKey } from '../../src/services/cloudflare/port.ts'
import { mintingToken } from '../../src/setup/token.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { knownKey } from '../fakes/fake-world.ts'
import { found, problemOf, warningsOf } from '../fakes/found.ts'
import {
  freshKey,
  IN_USE,
  keyOf,
  PENDING,
  RETIRING,
  rotatingWorld,
  rotationOf,
  written,
} from './rotating.ts'

const other = (name: string) => keyOf(name, { id: 'e'.repeat(32) })

describe('token', () => {
  it.each<[string, string[] | undefined, 'account-tokens'[], string]>([
    ['enough', undefined, [], 'ready may make and remove keys, no expiry'],
    ['refused', undefined, ['account-tokens'], 'blocked permissions-missing'],
    ['reads only', ['Account API Tokens Read'], [], 'blocked permissions-missing'],
    [
      'reads and writes',
      ['Account API Tokens Read', 'Account API Tokens Write'],
      [],
      'ready may make and remove keys, no expiry',
    ],
  ])('%s', async (_, groups, denied, expected) => {
    const world = rotatingWorld()
    Object.assign(world.cloudflare, { groups, denied })
    expect(found(await mintingToken.look(world))).toBe(expected)
  })

  it('needs no other permission', async () => {
    const world = rotatingWorld()
    world.cloudflare.denied = ['r2', 'zone', 'dns', 'user-tokens']
    expect((await mintingToken.look(world)).is).toBe('ready')
  })
})

describe('old-key', () => {
  it.each<[string, MintedKey[], string, number]>([
    ['ours', [keyOf(IN_USE)], `ready "${IN_USE}"`, 0],
    ['not seen', [], 'ready in the env file; it stays (this API token does not see it)', 1],
    [
      'an old one is left',
      [keyOf(IN_USE), other(RETIRING)],
      `ready an earlier rotation is finished now; "${RETIRING}" has still to go`,
      0,
    ],
  ])('%s', async (_, keys, expected, warnings) => {
    const world = rotatingWorld()
    world.cloudflare.keys = keys
    const finding = await oldKey.look(world)
    expect(found(finding)).toBe(expected)
    expect(warningsOf(finding)).toHaveLength(warnings)
    expect(finding).toHaveProperty('facts.rotation')
  })

  it('nothing to rotate', async () => {
    const world = rotatingWorld({}, { knownKey: undefined })
    expect(found(await oldKey.look(world))).toBe('blocked nothing-to-rotate')
  })

  it('decides once in a run', async () => {
    const rotation = rotationOf()
    const world = rotatingWorld({ rotation })
    world.cloudflare.keys = []
    expect(await oldKey.look(world)).toMatchObject({ facts: { rotation } })
  })
})

describe('new-key', () => {
  const make = 'make a key for the bucket example-media alone'

  it.each<[string, Partial<MintedKey>, string]>([
    ['nothing to copy', {}, make],
    [
      'addresses',
      { limits: { only: undefined, allowIps: ['192.0.2.0/24'], refuseIps: ['192.0.2.9/32'] } },
      `${make}, from 192.0.2.0/24, not from 192.0.2.9/32`,
    ],
    [
      'a life of ten days, from now on',
      { issuedOn: '2026-01-01T00:00:00Z', expiresOn: '2026-01-11T00:00:00Z' },
      `${make}, until 2026-12-02T10:00:00Z`,
    ],
    [
      'an end whose beginning is unknown',
      { expiresOn: '2027-01-01T00:00:00Z' },
      `${make}, until 2027-01-01T00:00:00Z`,
    ],
  ])('copies the conditions: %s', async (_, more, expected) => {
    const world = rotatingWorld({ rotation: rotationOf({ envKey: keyOf(IN_USE, more) }) })
    expect(found(await newKey.look(world))).toBe(`change ${expected}`)
  })

  it('asks for an end when the old one can’t tell', async () => {
    const envKey = keyOf(IN_USE, { expiresOn: '2026-01-01T00:00:00Z' })
    const world = rotatingWorld({ rotation: rotationOf({ envKey }) })
    expect((await problemOf(newKey.look(world))).next).toContain('--expires')
  })

  it('mints with what was copied, and takes away what a broken run left', async () => {
    const envKey = keyOf(IN_USE, {
      limits: { only: undefined, allowIps: ['192.0.2.0/24'], refuseIps: [] },
    })
    const world = rotatingWorld({ rotation: rotationOf({ envKey }) })
    world.cloudflare.keys.push(other(PENDING))
    const learned = await newKey.change?.(world)
    expect(world.cloudflare.writes).toEqual([
      `revoke ${'e'.repeat(32)}`,
      `mint ${'1'.padStart(32, 'f')}`,
    ])
    expect(world.cloudflare.wishes).toMatchObject([{ allowIps: ['192.0.2.0/24'] }])
    expect(learned).toMatchObject({ accessKey: { minted: true } })
  })

  it('given conditions win', async () => {
    const envKey = keyOf(IN_USE, {
      limits: { only: undefined, allowIps: ['192.0.2.0/24'], refuseIps: ['192.0.2.9/32'] },
    })
    const more = { allowIps: ['198.51.100.7'], keyExpiresOn: '2028-01-01T00:00:00Z' }
    const world = rotatingWorld({ rotation: rotationOf({ envKey }) }, more)
    expect(found(await newKey.look(world))).toBe(
      `change ${make}, from 198.51.100.7, until 2028-01-01T00:00:00Z`,
    )
  })

  it('to finish: the one in the env file, tried like a new one', async () => {
    const world = rotatingWorld({ rotation: rotationOf({ kind: 'finish' }) })
    expect(await newKey.look(world)).toMatchObject({
      is: 'ready',
      facts: { accessKey: { accessKeyId: knownKey.accessKeyId, minted: true } },
    })
    expect(world.cloudflare.writes).toEqual([])
  })

  it('to finish with a key that does not work is refused', async () => {
    const world = rotatingWorld({ rotation: rotationOf({ kind: 'finish' }) })
    world.s3.refuse = () => refusal('s3-403')
    expect((await problemOf(newKey.look(world))).code).toBe('rotate-new-key-broken')
  })

  it.each([
    ['before the env file is written', {}, [`revoke ${freshKey.accessKeyId}`]],
    ['never after it', { envWritten: written }, []],
    ['never a key that it did not make', { rotation: rotationOf({ kind: 'finish' }) }, []],
  ])('is taken back %s', async (_, more, writes) => {
    const world = rotatingWorld({ rotation: rotationOf(), accessKey: freshKey, ...more })
    await newKey.undo?.(world)
    expect(world.cloudflare.writes).toEqual(writes)
  })
})

describe('old-key-name', () => {
  const proven = { accessKey: freshKey, keyProven: true } as const

  it.each([
    ['waits for the proof', {}, 'waiting keyProven'],
    ['then marks', proven, 'change mark it as the old one'],
    ['has nothing to mark at the end', { rotation: rotationOf({ kind: 'finish' }) }, 'ready known'],
    [
      'leaves a key alone that is not ours',
      { ...proven, rotation: rotationOf({ stays: 'others use it', old: [] }) },
      'ready left alone',
    ],
  ])('%s', async (_, facts, expected) => {
    const world = rotatingWorld({ rotation: rotationOf(), ...facts })
    expect(found(await oldKeyName.look(world))).toBe(expected)
  })

  it.each([
    ['ours', IN_USE],
    ['made by hand', 'Mastodon uploads'],
  ])('marks and takes the mark back: %s', async (_, name) => {
    const envKey = keyOf(name)
    const world = rotatingWorld({ ...proven, rotation: rotationOf({ envKey, old: [envKey] }) })
    world.cloudflare.keys = [envKey]
    await oldKeyName.change?.(world)
    expect(world.cloudflare.keys[0]?.name).toMatch(/^mastodon-r2-retiring example-media /)
    await oldKeyName.undo?.(world)
    expect(world.cloudflare.keys[0]?.name).toBe(name)
  })

  it('a mark of an earlier run becomes "in use" again', async () => {
    const envKey = keyOf(RETIRING)
    const world = rotatingWorld({ ...proven, rotation: rotationOf({ envKey }) })
    world.cloudflare.keys = [envKey]
    await oldKeyName.change?.(world)
    expect(world.cloudflare.writes).toEqual([])
    await oldKeyName.undo?.(world)
    expect(world.cloudflare.keys[0]?.name).toBe(RETIRING.replace('-retiring', ''))
  })

  it('takes nothing back once the env file is written', async () => {
    const world = rotatingWorld({ ...proven, rotation: rotationOf(), envWritten: written })
    world.cloudflare.keys = [keyOf(RETIRING)]
    await oldKeyName.undo?.(world)
    expect(world.cloudflare.writes).toEqual([])
  })
})
