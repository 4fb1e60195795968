import type { Clock } from '../../plan/step.ts'
import type { CopySummary, Migration } from '../migration.ts'
import { type CopyRun, runCopy } from './run.ts'

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
    if (failed.length + run.unread.length > 0) break
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
    vanished: before.summary.vanished + last.summary.vanished,
    leftOut: Math.max(before.summary.leftOut, last.summary.leftOut),
  }
  return { ...last, summary, tookMs: before.tookMs + last.tookMs }
}
