import { ahead } from '../../core/streams.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'
import { type Choice, skipped } from './copy-choice.ts'
import { CLOCK_MARGIN_MS, changed, type Known, missing, only } from './copy-plan.ts'
import type { UnreadPlaces } from './copy-unread.ts'

/** `first`: the bucket is listed. `delta`: only what is new since a complete copy. */
export type CopyKind = 'first' | 'delta'

export function copyKind(checkpoint: Checkpoint | undefined, rules: string): CopyKind {
  if (checkpoint?.completeSince === undefined) return 'first'
  return checkpoint.selection === rules ? 'delta' : 'first'
}

export interface Work {
  readonly kind: CopyKind
  readonly known: Known
  readonly choice: Choice
  readonly unread: UnreadPlaces
  readonly signal: AbortSignal
}

/** The lists of files to copy, as they are found. */
export function workOf(
  migration: Migration,
  { kind, known, choice, unread, signal }: Work,
): AsyncIterable<readonly MediaFile[]> {
  const { source, bucket } = migration
  const newestFirst = kind === 'delta'
  const files = source.files({
    signal,
    skip: skipped(migration),
    onOddity: unread.note,
    newestFirst,
  })
  const wanted = only(files, choice.isWanted)
  if (kind === 'delta') return changed(wanted, known)
  // The source is read on while the bucket answers.
  return missing(ahead(wanted), bucket().pages('', signal), known)
}

/** Known of earlier runs, as the kind of this one needs it. */
export async function knownBy(
  { checkpoint }: Migration,
  { completeSince, begunAt, failed }: Checkpoint,
  kind: CopyKind,
): Promise<Known> {
  const from = kind === 'delta' ? completeSince : earliest(begunAt, completeSince)
  const since = from === undefined ? Number.POSITIVE_INFINITY : Date.parse(from)
  const versions =
    from === undefined ? new Map() : await checkpoint.versions(since - CLOCK_MARGIN_MS)
  return { since, versions, failed: new Set(failed.map(({ key }) => key)) }
}

/** The earliest moment at which something may have been copied that changed since; RFC 3339. */
export function earliest(...times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).sort()[0]
}
