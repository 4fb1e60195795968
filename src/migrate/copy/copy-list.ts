import type { Clock } from '../../plan/step.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'
import type { Migration } from '../migration.ts'
import { chooseFiles } from './copy-choice.ts'
import { type Unread, UnreadPlaces } from './copy-unread.ts'
import { Gathering } from './gathering.ts'
import { type CopyKind, knownBy, workOf } from './work.ts'

/** What is to be copied, and what is known of the rest once all of it was gone through. */
export interface CopyList {
  readonly files: Gathering
  unread(): Promise<readonly Unread[]>
  leftOut(): number
}

export interface CopyListOptions {
  readonly read: Checkpoint
  readonly kind: CopyKind
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly signal: AbortSignal
}

/** Reading has begun when it resolves. */
export async function openCopyList(
  migration: Migration,
  { read, kind, clock, signal }: CopyListOptions,
): Promise<CopyList> {
  const known = await knownBy(migration, read, kind)
  const choice = await chooseFiles(migration, clock)
  const places = new UnreadPlaces()
  const work = workOf(migration, { kind, known, choice, unread: places, signal })
  return {
    files: new Gathering(work, { clock, signal }),
    unread: () => places.wanted(migration, choice),
    leftOut: () => choice.leftOut,
  }
}
