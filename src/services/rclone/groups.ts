import { contentTypeOf, extensionOf, UNKNOWN_TYPE } from './content-types.ts'

/** Keys that one run of rclone can take. */
export interface Group {
  /** Undefined: rclone finds the type of each by itself. */
  readonly contentType: string | undefined
  readonly keys: readonly string[]
}

/**
 * As few groups as there must be. `right` are the extensions that rclone knows by itself; undefined
 * when the source is a bucket, from which rclone takes over the type that is stored there.
 */
export function groupByType(
  keys: readonly string[],
  right: ReadonlySet<string> | undefined,
): Group[] {
  const groups = new Map<string | undefined, string[]>()
  for (const key of keys) {
    const type = contentTypeOf(key)
    const contentType = isLeftToRclone(extensionOf(key), type, right) ? undefined : type
    const group = groups.get(contentType)
    if (group) group.push(key)
    else groups.set(contentType, [key])
  }
  return [...groups].map(([contentType, keys]) => ({ contentType, keys }))
}

function isLeftToRclone(
  extension: string,
  type: string,
  right: ReadonlySet<string> | undefined,
): boolean {
  if (!right) return type === UNKNOWN_TYPE
  // Without an extension there is nothing that it could guess from.
  return right.has(extension) || (type === UNKNOWN_TYPE && extension.length < 2)
}
