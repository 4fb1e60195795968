import { counted } from '../../core/amounts.ts'
import { afterChange, Problem } from '../../core/problem.ts'
import { prose, type Text, type ToType } from '../../core/to-type.ts'
import { letRead } from '../../moving/unread.ts'
import type { Clock, CopySummary } from '../../plan/step.ts'
import { blankCheckpoint, type Checkpoint } from '../../services/checkpoint/port.ts'
import { isUnreadable, NAME_REFUSED } from '../../services/rclone/port.ts'
import type { Migration } from '../migration.ts'
import { Lanes } from './lanes.ts'
import type { NewFiles } from './look-ahead.ts'
import { CopyTally, shown } from './tally.ts'
import { withoutSame } from './touched.ts'
import { type CopyKind, copyKind, earliest, openCopyList, rulesOf, type Unread } from './work.ts'

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
 * Cancelled, and with the Problems that end a copy: those of rclone, `checkpoint-not-writable`,
 * those of the source and of the bucket's list.
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
  const kept = found?.kind === kind ? found : undefined
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
  const { probe } = kept ?? {}
  const lanes = new Lanes(migration, tally, { clock, probe, signal, onTrouble: () => stop.abort() })
  // The bucket is listed anyway: that is as long as this takes.
  if (kind === 'first') lanes.measure()
  list ??= await openCopyList(migration, { read, kind, clock, signal })
  let unread: readonly Unread[] = []
  try {
    for await (const batch of list.files.batches()) {
      for (const { key } of batch) unseen.delete(key)
      await lanes.copy(await withoutSame(migration, batch, tally, signal))
      await tally.note()
    }
    await lanes.finish()
    unread = await list.unread()
    for (const { file, reason } of unread) if (file) tally.fail(file.key, reason)
    await settle(migration, unseen, { unread, tally })
  } catch (error) {
    stop.abort()
    kept?.end()
    await lanes.ended()
    // What could not be noted comes first: it is why the copy was stopped.
    await tally.note()
    throw tally.hasCopiedNow ? afterChange(error) : error
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
  { unread, tally }: { readonly unread: readonly Unread[]; readonly tally: CopyTally },
): Promise<void> {
  const isHidden = (key: string) =>
    unread.some(({ path }) => key === path || (path.endsWith('/') && key.startsWith(path)))
  for (const key of unseen) {
    if (!tally.failed.has(key) || tally.failedNow(key) || isHidden(key)) continue
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

const MOST_ROUNDS = 5
/** What is copied in so short a time, or so few files, the last copy does as well. */
const SMALL_FILES = 20
const SMALL_MS = 5_000

/** Copies what is new, again and again, until a round was small; what failed ends it. */
export async function deltaRounds(
  migration: Migration,
  clock: Pick<Clock, 'now' | 'sleep'>,
): Promise<CopyRun> {
  let sum: CopyRun | undefined
  for (let round = 1; round <= MOST_ROUNDS; round += 1) {
    const run = await runCopy(migration, clock)
    sum = sum ? together(sum, run) : run
    const { objects, failed } = run.summary
    const real = failed.filter(({ reason }) => reason !== NAME_REFUSED)
    if (real.length + run.unread.length > 0) break
    if (objects <= SMALL_FILES || run.tookMs <= SMALL_MS) break
  }
  return sum as CopyRun
}

/** Counts add up; what failed, and what is left out, is what the last round says. */
function together(before: CopyRun, last: CopyRun): CopyRun {
  const summary: CopySummary = {
    ...last.summary,
    objects: before.summary.objects + last.summary.objects,
    bytes: before.summary.bytes + last.summary.bytes,
    unchanged: (before.summary.unchanged ?? 0) + (last.summary.unchanged ?? 0),
    vanished: before.summary.vanished + last.summary.vanished,
    leftOut: Math.max(before.summary.leftOut, last.summary.leftOut),
  }
  return { ...last, summary, tookMs: before.tookMs + last.tookMs }
}

const MOST_NAMED = 5

/** Problem `copy-incomplete`: what is left and why, by reason, and how to go on. */
export function incomplete(
  { checkpoint, lineFor, source }: Migration,
  { summary, unread }: CopyRun,
): Problem {
  const folders = unread.map(({ path, reason }) => ({ key: path, reason }))
  const left = [...folders, ...summary.failed]
  const named = left.slice(0, MOST_NAMED).map(({ key, reason }) => `${shown(key)} (${reason})`)
  const more = left.length - named.length
  const rest = more > 0 ? ` and ${more} more, listed in ${checkpoint.path}` : ''
  const refused = left.filter(({ reason }) => isUnreadable(reason))
  const without =
    refused.length > 0 && refused.length === left.length
      ? `\nTo go on without ${left.length === 1 ? 'it' : 'them'}, add: --max-loss ${left.length}`
      : ''
  return new Problem({
    code: 'copy-incomplete',
    what: `Not everything could be copied: ${leftWords(folders.length, summary.failed.length)}, ${counted(summary.objects, 'file')} copied.`,
    why: `${named.join(', ')}${rest}.`,
    next: prose`${cureOf(source, left, { refused: refused.length, line: lineFor('copy') })}${without}`,
  })
}

function leftWords(folders: number, files: number): string {
  const closed = folders > 0 ? [`${counted(folders, 'folder')} not looked into`] : []
  const lost = files > 0 ? [`${counted(files, 'file')} not copied`] : []
  return [...closed, ...lost].join(', ')
}

function cureOf(
  source: Migration['source'],
  left: readonly { readonly key: string; readonly reason: string }[],
  { refused, line }: { readonly refused: number; readonly line: ToType },
): Text {
  if (refused > 0) {
    return prose`Let the access key read them at ${source.name} (their owner may be another; what is archived has to be restored); then go on from here:\n  ${line}`
  }
  const closed = left.find(({ reason }) => /permission|denied|EACCES|may not/i.test(reason))
  return closed && source.kind === 'local'
    ? letRead(source, closed.key, line)
    : prose`Run the same again; it tries these once more and goes on from here:\n  ${line}`
}
