import { expect, it } from 'vitest'
import { keyName, keyPrefix, keyState, nameInState } from '../../src/setup/minted-keys.ts'
import { HOST, setupOf, worldOf } from '../fakes/fake-world.ts'

const at = { minting: setupOf(), clock: worldOf().clock }
const tail = `example-media ${HOST} 2026-11-22 abcdef`

it.each([
  [`mastodon-r2-setup ${tail}`, 'pending'],
  [`mastodon-r2 ${tail}`, 'inUse'],
  [`mastodon-r2-retiring ${tail}`, 'retiring'],
  ['mastodon-r2-else x', undefined],
  ['mastodon-r2', undefined],
  ['Mastodon uploads', undefined],
] as const)('%s is %s', (name, state) => {
  expect(keyState(name)).toBe(state)
})

it.each([
  ['pending', 'inUse', `mastodon-r2 ${tail}`],
  ['inUse', 'retiring', `mastodon-r2-retiring ${tail}`],
  ['retiring', 'inUse', `mastodon-r2 ${tail}`],
] as const)('%s → %s keeps the rest of the name', (from, to, expected) => {
  const name = nameInState(at, `mastodon-r2 ${tail}`, from)
  expect(nameInState(at, name, to)).toBe(expected)
})

it('names a key that was made by hand anew', () => {
  const name = nameInState(at, 'Mastodon uploads', 'retiring')
  expect(name.startsWith(keyPrefix(at.minting, 'retiring'))).toBe(true)
})

it('a name stays below 120 characters in every state, and is found by its prefix', () => {
  const minting = setupOf({
    at: { ...at.minting.at, bucket: 'b'.repeat(63) },
    mediaHost: `${'h'.repeat(60)}.${'i'.repeat(60)}.example.com`,
  })
  const long = { minting, clock: worldOf().clock }
  const name = keyName(long, 'pending')
  for (const state of ['pending', 'inUse', 'retiring'] as const) {
    const other = nameInState(long, name, state)
    expect(other.length).toBeLessThanOrEqual(120)
    expect(other.startsWith(keyPrefix(minting, state))).toBe(true)
    expect(other.slice(-6)).toBe(name.slice(-6))
  }
})

it('a name that would grow too long is made anew, in the right state', () => {
  const name = nameInState(at, `mastodon-r2 ${'x'.repeat(105)}`, 'retiring')
  expect(name.length).toBeLessThanOrEqual(120)
  expect(keyState(name)).toBe('retiring')
})
