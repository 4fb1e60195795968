import type { Clock } from '../../plan/step.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'
import { type CopyList, openCopyList } from './copy-list.ts'
import type { Unread } from './copy-unread.ts'
import { Gathering } from './gathering.ts'

/** Files that a look keeps for the copy; of more it keeps the count. */
const MOST_KEPT = 20_000

/** What came to the source since the last complete copy. */
export interface NewFiles {
  readonly startedAt: Date
  /** Objects and bytes; undefined where there is something, and how much is still looked for. */
  readonly amount: { readonly objects: number; readonly bytes: number } | undefined
  /** What is to be copied; undefined when it is nothing, or too much to keep. */
  readonly list: CopyList | undefined
  /** What could not be read, as far as it was looked for. */
  readonly unread: readonly Unread[]
}

export interface NewFilesOptions {
  readonly checkpoint: Checkpoint
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** All are counted; or it is enough to know that there are some, and the rest is found meanwhile. */
  readonly counts: boolean
}

/** One walk, or one listing of the other provider, and no request to R2. */
export async function findNewFiles(
  migration: Migration,
  { checkpoint, clock, counts }: NewFilesOptions,
): Promise<NewFiles> {
  const startedAt = clock.now()
  const { signal } = migration
  const list = await openCopyList(migration, { read: checkpoint, kind: 'delta', clock, signal })
  if (!counts && (await list.files.any())) {
    return { startedAt, amount: undefined, list, unread: [] }
  }
  let files: MediaFile[] | undefined = []
  for await (const batch of list.files.batches()) {
    if (files && files.length + batch.length <= MOST_KEPT) files.push(...batch)
    else files = undefined
  }
  const unread = await list.unread()
  const amount = list.files.total ?? { objects: 0, bytes: 0 }
  const kept = files && new Gathering([files], { clock, signal })
  return {
    startedAt,
    amount,
    list: kept && { ...list, files: kept, unread: async () => unread },
    unread,
  }
}
