import { merge } from '../../core/merge.ts'
import type { StoredVersion } from '../../services/checkpoint/port.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { ListedObject } from '../../services/s3/port.ts'

type Lists<Item> = AsyncIterable<readonly Item[]>

/**
 * Milliseconds that a clock may be off: that of a file server, or of the other provider, which S3
 * signatures hold within 15 minutes.
 */
export const CLOCK_MARGIN_MS = 900_000

/** What earlier runs are known to have copied. */
export interface Known {
  /** Files that came to the source after this moment are looked at closely; milliseconds. */
  readonly since: number
  /** Versions that are in the bucket: key, changedAt. */
  readonly versions: ReadonlyMap<string, number>
  /** Keys that an earlier run left. */
  readonly failed: ReadonlySet<string>
}

/** The files that are wanted, the order kept. */
export async function* only(
  files: Lists<MediaFile>,
  isWanted: (file: MediaFile) => boolean,
): AsyncGenerator<readonly MediaFile[]> {
  for await (const list of files) yield list.filter(isWanted)
}

/**
 * A first copy, or one that is gone on with: what the bucket lacks, what has another size there, and
 * what changed since an earlier run began and may have been copied before that.
 */
export async function* missing(
  files: Lists<MediaFile>,
  objects: Lists<ListedObject>,
  known: Known,
): AsyncGenerator<readonly MediaFile[]> {
  for await (const pairs of merge(files, objects)) {
    yield pairs.flatMap(({ file, object }) => {
      if (!file) return []
      if (!object || object.size !== file.size || known.failed.has(file.key)) return [file]
      const isOlder = file.changedAt < object.lastModified - CLOCK_MARGIN_MS
      return isOlder || !isNew(file, known) ? [] : [file]
    })
  }
}

/** After a complete copy: what is new since, and what was left. Asks nothing of the bucket. */
export function changed(
  files: Lists<MediaFile>,
  known: Known,
): AsyncGenerator<readonly MediaFile[]> {
  return only(files, (file) => known.failed.has(file.key) || isNew(file, known))
}

function isNew({ key, changedAt }: StoredVersion, { since, versions }: Known): boolean {
  return changedAt > since - CLOCK_MARGIN_MS && versions.get(key) !== changedAt
}
