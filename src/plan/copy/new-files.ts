import type { Checkpoint } from '../../services/checkpoint/port.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'
import type { Clock } from '../step.ts'
import { chooseFiles } from './copy-choice.ts'
import { type Unread, UnreadPlaces } from './copy-unread.ts'
import { knownBy, workOf } from './copy-work.ts'

/** Files that a look keeps for the copy; of more it keeps the count. */
const MOST_KEPT = 20_000

/** What came to the source since the last complete copy. */
export interface NewFiles {
  readonly startedAt: Date
  readonly objects: number
  /** Bytes. */
  readonly bytes: number
  /** All of them; undefined when they are too many to keep. */
  readonly files: readonly MediaFile[] | undefined
  readonly leftOut: number
  /** What could not be read. */
  readonly unread: readonly Unread[]
}

/** One walk, or one listing of the other provider, and no request to R2. */
export async function findNewFiles(
  migration: Migration,
  clock: Pick<Clock, 'now'>,
  checkpoint: Checkpoint,
): Promise<NewFiles> {
  const startedAt = clock.now()
  const { signal } = migration
  const known = await knownBy(migration, checkpoint, 'delta')
  const choice = await chooseFiles(migration, clock)
  const places = new UnreadPlaces()
  let files: MediaFile[] | undefined = []
  let [objects, bytes] = [0, 0]
  for await (const list of workOf(migration, {
    kind: 'delta',
    known,
    choice,
    unread: places,
    signal,
  })) {
    for (const file of list) {
      objects += 1
      bytes += file.size
      if (objects > MOST_KEPT) files = undefined
      files?.push(file)
    }
  }
  const unread = await places.wanted(migration, choice)
  return { startedAt, objects, bytes, files, leftOut: choice.leftOut, unread }
}
