import { isAtLeast } from './commands.ts'
import type { BucketPlace } from './port.ts'

/** From here on rclone sends no ACL where none is told (its changelog of 1.61.0). */
export const SENDS_NO_ACL = '1.61'

/**
 * The ACL that this release of rclone sends with each file; undefined: none. Older ones always send
 * one, and `private` where none is told. A bucket of AWS that was made without ACLs takes but one, which
 * changes nothing for whoever owns it.
 */
export function aclSent(
  { acl, provider }: Pick<BucketPlace, 'acl' | 'provider'>,
  version: string | undefined,
): string | undefined {
  if (acl !== undefined) return acl
  if (version !== undefined && isAtLeast(version, SENDS_NO_ACL)) return undefined
  return provider === 'AWS' ? 'bucket-owner-full-control' : 'private'
}
