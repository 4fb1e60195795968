import type { Clock } from '../../plan/step.ts'
import { blankCheckpoint } from '../../services/checkpoint/blank-checkpoint.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'
import type { CopySummary, Migration } from '../migration.ts'
import { copyBatch } from './batch.ts'
import { rulesOf } from './copy-choice.ts'
import { openCopyList } from './copy-list.ts'
import type { Unread } from './copy-unread.ts'
import type { NewFiles } from './new-files.ts'
import { CopyTally } from './tally.ts'
import { type CopyKind, copyKind, earliest } from './work.ts'

/** A copy that has ended, also one that left files behind. */
export interface CopyRun {
  readonly kind: CopyKind
  readonly summary: CopySummary
  /** Folders of the source that could not be looked into. */
  readonly unread: readonly Unread[]
  /** Milliseconds. */
  readonly tookMs: number
}

/**
 * Copies what is missing, or what is new after a complete copy; `found` is what a look kept of it. The
 * checkpoint is true at every moment: a run that is killed costs work, never a file. Rejects with
 * Cancelled, and with the Problems that end a copy: `rclone-refused`, `rclone-failed`,
 * `checkpoint-not-writable`, those of the source and of the bucket's list.
 */
export async function runCopy(
  migration: Migration,
  clock: Pick<Clock, 'now' | 'sleep'>,
  found?: NewFiles,
): Promise<CopyRun> {
  const began = clock.now()
  const rules = rulesOf(migration)
  const read = (await migration.checkpoint.read()) ?? { ...blankCheckpoint, selection: rules }
  const kind = copyKind(read, rules)
  const kept = kind === 'delta' ? found : undefined
  const startedAt = kept?.startedAt ?? began
  const stop = new AbortController()
  const signal = AbortSignal.any([migration.signal, stop.signal])
  const begun = beginning(read, { kind, rules, startedAt })
  let list = kept?.list
  const expected = kept?.amount ?? expectedOf(read, kind)
  const tally = new CopyTally(migration, begun, {
    clock,
    total: () => list?.files.total ?? expected,
    onTrouble: () => stop.abort(),
  })
  const unseen = new Set(read.failed.map(({ key }) => key))
  await tally.note()
  list ??= await openCopyList(migration, { read, kind, clock, signal })
  let unread: readonly Unread[] = []
  try {
    for await (const batch of list.files.batches()) {
      for (const { key } of batch) unseen.delete(key)
      await copyBatch(migration, batch, tally, signal)
      await tally.note()
    }
    unread = await list.unread()
    for (const { file, reason } of unread) if (file) tally.fail(file.key, reason)
    await settle(migration, unseen, tally)
  } catch (error) {
    stop.abort()
    // What could not be noted comes first: it is why the copy was stopped.
    await tally.note()
    throw error
  }
  const folders = unread.filter(({ file }) => !file)
  const sawAll = folders.length === 0
  await tally.note(sawAll ? { completeSince: iso(startedAt), begunAt: undefined } : {})
  const summary = tally.summary(list.leftOut())
  return { kind, summary, unread: folders, tookMs: clock.now().getTime() - began.getTime() }
}

function beginning(
  read: Checkpoint,
  { kind, rules, startedAt }: { kind: CopyKind; rules: string; startedAt: Date },
): Checkpoint {
  const begunAt = read.begunAt ?? iso(startedAt)
  if (kind === 'delta') return { ...read, begunAt }
  const from = earliest(begunAt, read.completeSince)
  return { ...read, begunAt: from, completeSince: undefined, selection: rules }
}

/** Failures of earlier runs that did not come by again: gone, or left out by now. */
async function settle(
  { source }: Migration,
  unseen: ReadonlySet<string>,
  tally: CopyTally,
): Promise<void> {
  for (const key of unseen) {
    if (!tally.failed.has(key) || tally.failedNow(key)) continue
    if ((await source.find(key)) === undefined) tally.vanish(key)
    else tally.drop(key)
  }
}

/** What a survey saw, where nothing better is known. */
function expectedOf({ surveyed, copied }: Checkpoint, kind: CopyKind) {
  if (kind === 'delta' || !surveyed) return undefined
  const objects = surveyed.objects - copied.objects
  return objects > 0 ? { objects, bytes: Math.max(surveyed.bytes - copied.bytes, 0) } : undefined
}

function iso(date: Date): string {
  return date.toISOString()
}
