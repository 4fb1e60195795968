import { Problem } from '../core/problem.ts'
import type { World } from '../plan/step.ts'
import type { KeyWish, MintedKey, NewKey } from '../services/cloudflare/port.ts'
import { keyName, keyPrefix } from './access-keys.ts'

type At = Pick<World, 'cloudflare' | 'setup' | 'clock' | 'facts'>

/** Keys of this bucket and host whose making was never finished; never one that is in use. */
export async function lostKeys(at: Omit<At, 'clock'>): Promise<MintedKey[]> {
  const { cloudflare, setup } = at
  const used = idsInUse(at)
  const keys = await cloudflare.listKeys(setup.owner, keyPrefix(setup, 'pending'))
  return keys.filter(({ id }) => !used.has(id))
}

/** Old keys of this bucket and host that a rotation has still to remove; never one in use. */
export async function retiringKeys(at: Omit<At, 'clock'>): Promise<MintedKey[]> {
  const { cloudflare, setup } = at
  const used = idsInUse(at)
  const keys = await cloudflare.listKeys(setup.owner, keyPrefix(setup, 'retiring'))
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
async function mintNamed({ cloudflare, setup }: At, wish: KeyWish): Promise<NewKey> {
  try {
    return await cloudflare.mintKey(setup.owner, wish)
  } catch (error) {
    if (isLost(error)) {
      for (const key of await cloudflare.listKeys(setup.owner, wish.name)) {
        await cloudflare.revokeKey(setup.owner, key.id)
      }
    }
    throw error
  }
}

function isLost(error: unknown): boolean {
  return error instanceof Problem && error.code === 'cloudflare-answer-lost'
}

/** The file to write counts too: Mastodon does not read a block that is prepared beside its own. */
function idsInUse({ setup, facts }: Pick<World, 'setup' | 'facts'>): Set<string> {
  const target = setup.target.kind === 'file' ? [setup.target.file] : []
  const files = [...setup.installation.envFiles, ...target]
  const ids = [setup.knownKey?.accessKeyId, facts.accessKey?.accessKeyId]
  const found = files.flatMap(({ text }) => text.match(/\b[0-9a-f]{32}\b/g))
  return new Set([...ids, ...found].flatMap((id) => id ?? []))
}
