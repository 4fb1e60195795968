import { bytesOf, count, counted, duration } from '../../core/amounts.ts'
import type { Change, Clock, CopySummary, Finding, Step } from '../../plan/step.ts'
import { blankCheckpoint, type Checkpoint } from '../../services/checkpoint/port.ts'
import { NAME_REFUSED } from '../../services/rclone/port.ts'
import type { Migration } from '../migration.ts'
import { beginFirst, findNewFiles, type NewFiles } from './look-ahead.ts'
import { type CopyRun, deltaRounds, incomplete, runCopy } from './run.ts'
import { shown } from './tally.ts'
import { WORTH_LISTING } from './touched.ts'
import { copyKind, rulesOf, skipped } from './work.ts'

/**
 * `copy`: everything, or what is new since. The rest belongs to a cut-over: `catch-up` repeats until
 * little is left, `last` runs while Mastodon rests, `after` brings what was written in between.
 */
export type CopyRound = 'copy' | 'catch-up' | 'last' | 'after'

/** Of the files that --max-loss lets go. */
const MOST_NAMED = 5
/** For so long what a look found stands; what comes later is for the next run anyway. */
const KEPT_MS = 600_000

const rounds: Record<CopyRound, { id: string; title: string; will: string }> = {
  copy: { id: 'copy', title: 'Copy', will: 'copy what is new' },
  'catch-up': {
    id: 'copy-catch-up',
    title: 'Copy until little is left',
    will: 'copy what is new, and again what came meanwhile',
  },
  last: { id: 'copy-last', title: 'Last copy', will: 'copy what came meanwhile' },
  after: {
    id: 'copy-after',
    title: 'Copy what came in between',
    will: 'copy what was still written to the old place during the switch',
  },
}

export interface CopyWishes {
  readonly round: CopyRound
  /** Files that may fail without stopping what follows; none unless told. */
  readonly maxLoss?: number
  /** Nobody reads the plan before it is carried out: what is new is not counted first. */
  readonly atOnce?: boolean
  /** Nothing else of this run brings media to the bucket first: what it lacks is looked for at once. */
  readonly isAlone?: boolean
}

/**
 * Brings the media to the bucket with rclone. Problems of the change: `copy-incomplete`, and those of
 * `runCopy`.
 */
export function copyMedia(
  migration: Migration,
  { round, maxLoss = 0, atOnce = false, isAlone = false }: CopyWishes = { round: 'copy' },
): Step<'clock'> {
  const { id, title, will } = rounds[round]
  let found: NewFiles | undefined
  let done: CopyRun | undefined
  let reached: string | undefined
  const dropFound = async () => {
    found?.end()
    await found?.list?.files.close()
    found = undefined
  }
  /** rclone tells its version beside that. */
  const beginEarly = async (read: Checkpoint | undefined, clock: Pick<Clock, 'now' | 'sleep'>) => {
    const version = migration.rclone.version()
    version.catch(() => undefined)
    await dropFound()
    const checkpoint = read ?? { ...blankCheckpoint, selection: rulesOf(migration) }
    found = await beginFirst(migration, { checkpoint, clock })
    try {
      await version
    } catch (error) {
      await dropFound()
      throw error
    }
  }
  return {
    id,
    title,

    async look({ clock }): Promise<Finding> {
      if (done) return outcome(migration, done, maxLoss)
      const checkpoint = await migration.checkpoint.read()
      const isFirst = copyKind(checkpoint, rulesOf(migration)) === 'first'
      const isFresh = found && clock.now().getTime() - found.startedAt.getTime() < KEPT_MS
      if (!checkpoint || isFirst || round !== 'copy') {
        const isEarly = round === 'copy' && isFirst && atOnce && isAlone
        if (isEarly && !isFresh) await beginEarly(checkpoint, clock)
        else await migration.rclone.version()
        const isLater = round !== 'copy' && round !== 'catch-up'
        return plan(isFirst && !isLater ? everything(migration, checkpoint?.surveyed) : will)
      }
      // Asked beside the walk, on another core; without anything new rclone may be missing.
      const version = Promise.allSettled([migration.rclone.version()])
      if (!found || !isFresh) {
        await dropFound()
        found = await findNewFiles(migration, { checkpoint, clock, counts: !atOnce })
      }
      const left = checkpoint.failed.filter(({ reason }) => reason !== NAME_REFUSED).length
      const warnings = found.unread.map(({ path, reason }) => `${shown(path)}: ${reason}`)
      const open = Math.max(left, found.unread.length)
      const isNothing = found.amount?.objects === 0
      if (isNothing && open === 0) {
        return {
          is: 'ready',
          note: `nothing new since ${minute(checkpoint.completeSince)}`,
        }
      }
      for (const asked of await version) if (asked.status === 'rejected') throw asked.reason
      if (isNothing) return plan(`look after what is left: ${counted(open, 'file')}`, warnings)
      const much = found.amount ? `, ${amount(found.amount)}` : ''
      const older = found.touched < WORTH_LISTING ? '' : `; ${touchedWords(found.touched)}`
      const again = left === 0 ? '' : `; tried again: ${counted(left, 'file')}`
      return plan(`copy what is new since the last copy${much}${older}${again}`, warnings)
    },

    async change({ clock }) {
      const before = await noted(migration)
      try {
        done =
          round === 'catch-up'
            ? await deltaRounds(migration, clock)
            : await runCopy(migration, clock, found)
      } catch (error) {
        reached = copiedSince(before, await noted(migration))
        throw error
      }
      found = undefined
      return { mediaCopied: done.summary }
    },

    reached: () => reached,
  }
}

/** Older files that are new by their owner, mode or place. */
function touchedWords(files: number): string {
  return `${count(files)} of them were written before that, and are not sent again where the bucket is seen to have the same content`
}

type Amount = { readonly objects: number; readonly bytes: number }

/** Copied in all runs so far, as far as it is noted. */
async function noted({ checkpoint }: Migration): Promise<Amount | undefined> {
  const read = await checkpoint.read().catch(() => undefined)
  return read?.copied
}

function copiedSince(before: Amount | undefined, after: Amount | undefined): string | undefined {
  if (!after) return undefined
  const objects = after.objects - (before?.objects ?? 0)
  const bytes = after.bytes - (before?.bytes ?? 0)
  return objects > 0 ? `${amount({ objects, bytes })} copied` : undefined
}

function plan(what: string, warnings: readonly string[] = []): Finding {
  const changes: Change[] = [{ what, risk: 'safe' }]
  return { is: 'change', changes, warnings: warnings.slice(0, 10) }
}

function everything({ source, to }: Migration, surveyed: Amount | undefined): string {
  const size = surveyed ? `, at most ${amount(surveyed)}` : ''
  return `copy what the bucket ${to.bucket} lacks of ${source.name}${size}; Mastodon goes on running`
}

function outcome(migration: Migration, run: CopyRun, maxLoss: number): Finding {
  const { unread, tookMs } = run
  const unnamed = run.summary.failed.filter(({ reason }) => reason === NAME_REFUSED)
  const summary = {
    ...run.summary,
    failed: run.summary.failed.filter(({ reason }) => reason !== NAME_REFUSED),
    leftOut: run.summary.leftOut + unnamed.length,
  }
  if (unread.length > 0 || summary.failed.length > maxLoss) {
    return { is: 'blocked', problem: incomplete(migration, { ...run, summary }) }
  }
  const facts = { mediaCopied: summary }
  const lost = summary.failed.map(({ key, reason }) => `${shown(key)} (${reason})`)
  const warning = `${counted(lost.length, 'file')} could not be copied, as --max-loss allows: ${lost.slice(0, MOST_NAMED).join(', ')}`
  return {
    is: 'ready',
    note: `${amount(summary)} in ${duration(tookMs)}${rest(migration, summary)}`,
    facts,
    warnings: [...(lost.length > 0 ? [warning] : []), ...namesRefused(unnamed)],
  }
}

function namesRefused(unnamed: CopySummary['failed']): string[] {
  if (unnamed.length === 0) return []
  const named = unnamed.slice(0, MOST_NAMED).map(({ key }) => shown(key))
  return [
    `${counted(unnamed.length, 'file')} left out, as R2 takes no object of such a name: ${named.join(', ')}. No name that Mastodon makes up is like that; to copy them all the same, rename them.`,
  ]
}

function rest(migration: Migration, { vanished, leftOut, unchanged = 0 }: CopySummary): string {
  const same =
    unchanged > 0 ? [`${counted(unchanged, 'older file')} not sent again (same content)`] : []
  const gone = vanished > 0 ? [`${counted(vanished, 'file')} gone from the source by then`] : []
  const left = [...skipped(migration), ...(leftOut > 0 ? [counted(leftOut, 'file')] : [])]
  const out = left.length > 0 ? `left out on purpose: ${left.join(', ')}` : 'nothing left out'
  return `; ${[...same, ...gone, out].join(', ')}`
}

function amount({ objects, bytes }: Amount): string {
  return objects === 0 ? 'nothing was missing' : `${counted(objects, 'file')}, ${bytesOf(bytes)}`
}

function minute(time: string | undefined): string {
  return time === undefined ? 'then' : `${time.slice(0, 16).replace('T', ' ')} UTC`
}
