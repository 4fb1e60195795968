import { Problem } from '../../core/problem.ts'
import type { World } from '../../plan/step.ts'
import { isForbidden } from '../../services/cloudflare/forbidden.ts'
import type { KeyOwner, MintedKey } from '../../services/cloudflare/port.ts'

export type KeyAt = Pick<World, 'cloudflare' | 'setup' | 'clock'>

export interface KeySeen {
  readonly owner: KeyOwner
  readonly key: MintedKey
}

/** Mastodon's key as Cloudflare describes it: of the account, or of the user whose token this is. */
export async function findKeyInUse({ cloudflare, setup }: KeyAt): Promise<KeySeen | undefined> {
  const id = setup.knownKey?.accessKeyId
  if (id === undefined) return undefined
  for (const owner of owners(setup)) {
    const key = await cloudflare.findKey(owner, id).catch(nothingIfForbidden)
    if (key) return { owner, key }
  }
  return undefined
}

/** Those whose keys the token may see. */
export function owners({ token, at }: KeyAt['setup']): KeyOwner[] {
  const account: KeyOwner = { kind: 'account', accountId: at.accountId }
  return token.kind === 'user' ? [account, { kind: 'user' }] : [account]
}

/** Other errors go up. */
export function nothingIfForbidden(error: unknown): undefined {
  if (error instanceof Problem && isForbidden(error)) return undefined
  throw error
}
