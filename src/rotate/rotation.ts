import type { BucketRef, MintedKey } from '../services/cloudflare/port.ts'
import { keyState } from '../setup/key-names.ts'

/** What there is to rotate, as the names of the keys tell it. */
export interface Rotation {
  /** `begin`: a new key is made. `finish`: the env file holds it already. */
  readonly kind: 'begin' | 'finish'
  /** The key that the env file held at the start, as Cloudflare shows it. */
  readonly envKey: MintedKey | undefined
  /** What is removed at the end, and never before. */
  readonly old: readonly MintedKey[]
  /** Why the old key can't be removed by this program; undefined when it can. */
  readonly stays: string | undefined
}

/**
 * `envKey` is the key in the env file, undefined when the token does not see it; `retiring` are the
 * old keys of this bucket and host that are not in any env file.
 */
export function judgeRotation(
  envKey: MintedKey | undefined,
  retiring: readonly MintedKey[],
  bucket: BucketRef,
): Rotation {
  const state = envKey && keyState(envKey.name)
  const switched = state === 'pending' || (state !== 'retiring' && retiring.length > 0)
  if (switched) return { kind: 'finish', envKey, old: retiring, stays: undefined }
  const stays = reasonToStay(envKey, bucket)
  const own = envKey && stays === undefined ? [envKey] : []
  return { kind: 'begin', envKey, old: [...own, ...retiring], stays }
}

/** A key that opens more than this bucket may be used by others, so it is not ours to remove. */
function reasonToStay(key: MintedKey | undefined, at: BucketRef): string | undefined {
  if (key === undefined) return 'this API token does not see it'
  if (keyState(key.name) !== undefined && key.limits === undefined) return undefined
  const only = key.limits?.only
  const isThis =
    only?.bucket === at.bucket &&
    only.accountId === at.accountId &&
    only.jurisdiction === at.jurisdiction
  return isThis ? undefined : 'it opens more than this bucket, so others may use it'
}
