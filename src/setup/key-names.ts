import type { Setup, World } from '../plan/step.ts'

/**
 * The first word of a key's name says how far it is; nothing else remembers it. `pending`: made,
 * not in the env file yet. `inUse`: in the env file. `retiring`: the old key of a rotation.
 */
const words = {
  pending: 'mastodon-r2-setup',
  inUse: 'mastodon-r2',
  retiring: 'mastodon-r2-retiring',
} as const

export type KeyState = keyof typeof words

/** What the names of our keys for this bucket and host begin with, in that state. */
export function keyPrefix({ at, mediaHost }: Setup, state: KeyState): string {
  const room = 120 - `${words.retiring} ${at.bucket}  2026-01-01 abcdef`.length
  return `${words[state]} ${at.bucket} ${mediaHost.slice(0, Math.max(room, 0))} `
}

/** A unique name of at most 120 characters; the host is cut first, never the unique end. */
export function keyName({ setup, clock }: Pick<World, 'setup' | 'clock'>, state: KeyState): string {
  const day = clock.now().toISOString().slice(0, 10)
  return `${keyPrefix(setup, state)}${day} ${clock.randomHex(6)}`
}

/** The state that a name tells; undefined when the key was made by hand or by another program. */
export function keyState(name: string): KeyState | undefined {
  const states = Object.keys(words) as KeyState[]
  return states.find((state) => name.startsWith(`${words[state]} `))
}

/** The same name in another state; a new one for a key that was made by hand. */
export function nameInState(
  at: Pick<World, 'setup' | 'clock'>,
  name: string,
  state: KeyState,
): string {
  const known = keyState(name)
  const renamed = known === undefined ? '' : `${words[state]}${name.slice(words[known].length)}`
  return renamed === '' || renamed.length > 120 ? keyName(at, state) : renamed
}
