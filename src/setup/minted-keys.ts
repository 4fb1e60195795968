import { Problem } from '../core/problem.ts'
import type { Text } from '../core/to-type.ts'
import type { Minting, Place, World } from '../plan/step.ts'
import type { KeyWish, MintedKey, NewKey } from '../services/cloudflare/port.ts'

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
export function keyPrefix({ at, mediaHost }: Place, state: KeyState): string {
  const room = 120 - `${words.retiring} ${at.bucket}  2026-01-01 abcdef`.length
  return `${words[state]} ${at.bucket} ${mediaHost.slice(0, Math.max(room, 0))} `
}

/** A unique name of at most 120 characters; the host is cut first, never the unique end. */
export function keyName(
  { minting, clock }: Pick<World, 'minting' | 'clock'>,
  state: KeyState,
): string {
  const day = clock.now().toISOString().slice(0, 10)
  return `${keyPrefix(minting, state)}${day} ${clock.randomHex(6)}`
}

/** The state that a name tells; undefined when the key was made by hand or by another program. */
export function keyState(name: string): KeyState | undefined {
  const states = Object.keys(words) as KeyState[]
  return states.find((state) => name.startsWith(`${words[state]} `))
}

/** The same name in another state; a new one for a key that was made by hand. */
export function nameInState(
  at: Pick<World, 'minting' | 'clock'>,
  name: string,
  state: KeyState,
): string {
  const known = keyState(name)
  const renamed = known === undefined ? '' : `${words[state]}${name.slice(words[known].length)}`
  return renamed === '' || renamed.length > 120 ? keyName(at, state) : renamed
}

/**
 * What was wished of the key's owner, life or addresses, and this key has not: a key is as it was
 * made. Undefined when it is all as wished. Problem `key-made-already`, exit 2.
 */
export function unlikeWish(
  key: MintedKey | undefined,
  { isOwnerWished, allowIps, keyExpiresOn }: Minting,
  next: Text,
): Problem | undefined {
  const bare = (ips: readonly string[]) =>
    ips
      .map((ip) => ip.replace(/\/(32|128)$/, '').toLowerCase())
      .toSorted()
      .join()
  const day = (text: string | undefined) => (text === undefined ? undefined : Date.parse(text))
  const isOtherIps = allowIps.length > 0 && bare(allowIps) !== bare(key?.limits?.allowIps ?? [])
  const isOtherDay = keyExpiresOn !== undefined && day(keyExpiresOn) !== day(key?.expiresOn)
  const unlike = [
    ...(isOwnerWished && key === undefined ? ['--token-kind'] : []),
    ...(isOtherIps ? ['--allow-ip'] : []),
    ...(isOtherDay ? ['--expires'] : []),
  ]
  if (unlike.length === 0) return undefined
  const kept =
    key === undefined
      ? 'The key in the env file works and is kept; this API token does not see how it was made.'
      : `The key "${key.name}" is kept as it was made.`
  return new Problem({
    code: 'key-made-already',
    what: `${unlike.join(' and ')} would have no effect: the key is made already, and otherwise.`,
    why: kept,
    next,
    exit: 2,
  })
}

type At = Pick<World, 'cloudflare' | 'minting' | 'clock' | 'facts'>

/** Keys of this bucket and host whose making was never finished; never one that is in use. */
export async function lostKeys(at: Omit<At, 'clock'>): Promise<MintedKey[]> {
  const { cloudflare, minting } = at
  const used = idsInUse(at)
  const keys = await cloudflare.listKeys(minting.owner, keyPrefix(minting, 'pending'))
  return keys.filter(({ id }) => !used.has(id))
}

/** Old keys of this bucket and host that a rotation has still to remove; never one in use. */
export async function retiringKeys(at: Omit<At, 'clock'>): Promise<MintedKey[]> {
  const { cloudflare, minting } = at
  const used = idsInUse(at)
  const keys = await cloudflare.listKeys(minting.owner, keyPrefix(minting, 'retiring'))
  return keys.filter(({ id }) => !used.has(id))
}

/** Makes a key under a pending name; once more, under another, when Cloudflare's answer got lost. */
export async function mintFresh(at: At, wish: Omit<KeyWish, 'name'>): Promise<NewKey> {
  try {
    return await mintNamed(at, { ...wish, name: keyName(at, 'pending') })
  } catch (error) {
    if (!isLost(error)) throw error
    return await mintNamed(at, { ...wish, name: keyName(at, 'pending') })
  }
}

/** A lost answer may have left a key whose value nobody saw: it is found by its name and removed. */
async function mintNamed({ cloudflare, minting }: At, wish: KeyWish): Promise<NewKey> {
  try {
    return await cloudflare.mintKey(minting.owner, wish)
  } catch (error) {
    if (isLost(error)) {
      for (const key of await cloudflare.listKeys(minting.owner, wish.name)) {
        await cloudflare.revokeKey(minting.owner, key.id)
      }
    }
    throw error
  }
}

function isLost(error: unknown): boolean {
  const codes = ['cloudflare-answer-lost', 'cloudflare-key-without-value']
  return error instanceof Problem && codes.includes(error.code)
}

/** The file to write counts too: Mastodon does not read a block that is prepared beside its own. */
function idsInUse({ minting, facts }: Pick<World, 'minting' | 'facts'>): Set<string> {
  const target = minting.target.kind === 'file' ? [minting.target.file] : []
  const files = [...minting.installation.envFiles, ...target]
  const ids = [minting.knownKey?.accessKeyId, facts.accessKey?.accessKeyId]
  const found = files.flatMap(({ text }) => text.match(/\b[0-9a-f]{32}\b/g))
  return new Set([...ids, ...found].flatMap((id) => id ?? []))
}
