import { safeFrom } from '../announce/notes.ts'
import { count, counted } from '../core/amounts.ts'
import { DAY_MS } from '../core/clock.ts'
import { shellWord } from '../core/shell-word.ts'
import { prose, type Text, type ToType } from '../core/to-type.ts'
import type { Ended } from '../flow/flow.ts'
import { NOT_TAKEN_BACK } from '../plan/apply.ts'
import { type Comparison, lostFiles } from '../plan/report-schema.ts'
import type { CopyPlace } from '../services/rclone/port.ts'
import type { Stage } from '../settings/stages.ts'
import type { Closing } from '../ui/port.ts'
import { refillArgs } from './cleanup.ts'
import type { PreparedMigration } from './migration.ts'

const KEPT_DAYS = 30

/**
 * How to remove what was copied, once nobody can need it any more: 30 days after the switch. Nothing
 * here removes it. What was left out of the copy is only there, so no command is given then.
 */
export function laterRemoval(
  from: CopyPlace,
  switchedAt: Date,
  {
    leftOut,
    compareLine,
  }: { readonly leftOut: Comparison['leftOut']; readonly compareLine: ToType },
): Text[] {
  const day = new Date(switchedAt.getTime() + KEPT_DAYS * DAY_MS).toISOString().slice(0, 10)
  const compare = ['Compare once more before that:', prose`  ${compareLine}`]
  if (from.kind === 'bucket') {
    return [`Keep the old bucket ${from.bucket}, and delete it not before ${day}.`, ...compare]
  }
  const { private: privates = 0, suspended = 0, skipped = 0 } = leftOut
  const only = privates + suspended + skipped
  if (only > 0) {
    return [
      `Keep the files in ${from.path}, also after ${day}: ${count(only)} of them were left out of the copy and are nowhere else.`,
    ]
  }
  return [
    `Keep the files in ${from.path}; remove them not before ${day}.`,
    ...compare,
    'Then:',
    `  find ${shellWord(from.path)}/ -mindepth 1 -delete`,
  ]
}

interface MigrateEnded extends Ended {
  readonly stage: Stage
  readonly prepared: PreparedMigration
  /** The command that goes on with this stage. */
  readonly again: ToType
  /** The command that comes after this one has ended well. */
  readonly next: ToType | undefined
  /** Tables of what was found, e.g. by a survey. */
  readonly tables: Closing['sections']
}

type Section = Closing['sections'][number]

const done: Record<Stage, string> = {
  survey: 'That is what is there; nothing was changed.',
  announce: 'The pages name the media host. Wait a week before the switch, or live with a reload.',
  cleanup: 'Cleaned up.',
  copy: 'Copied.',
  cutover: 'Switched: Mastodon stores its media on R2, and nothing is missing there.',
  compare: 'Both sides are equal.',
  redirects: 'Old addresses lead to the media host.',
}

const advice: Partial<Record<Stage, readonly string[]>> = {
  copy: ['Run it again at any time: it copies what is new, and asks for nothing that is there.'],
}

/** The last words of a stage: what came of it, and the next one to type. */
export function migrateClosing(ended: MigrateEnded): Closing {
  const { report, stage, again, tables } = ended
  if (report.problem) {
    const sections = [...tables, { title: 'To go on from here', lines: [prose`  ${again}`] }]
    return { headline: failed(ended), sections }
  }
  if (report.dryRun) {
    const carryOut: Section = { title: 'To carry it out', lines: [prose`  ${again}`] }
    return {
      headline: 'That is the plan. Nothing was changed.',
      sections: [...tables, ...(stage === 'survey' ? [] : [carryOut])],
    }
  }
  const sections = [
    ...tables,
    ...left(ended),
    ...fetchAgain(ended),
    ...later(ended),
    ...goOn(ended),
  ]
  return { headline: headlineOf(ended), sections }
}

/** What `--only-local` left behind, and how it comes back. */
function fetchAgain({ stage, prepared }: MigrateEnded): Section[] {
  const { migration } = prepared
  if (stage !== 'cutover' || !migration.selection.onlyLocal) return []
  const commands = [['media', 'remove', '--days', '0'], refillArgs].flatMap((args) => {
    const line = migration.tootctl.command(args)?.line ?? `tootctl ${args.join(' ')}`
    return [`  ${line}`]
  })
  return [
    {
      title: 'The media of other servers',
      lines: [
        'What Mastodon fetched since the clean-up stayed in cache/. Let it forget that too, then fetch the pictures of accounts again (slow; it may run for days):',
        ...commands,
      ],
    },
  ]
}

/** When the old place may be emptied, by the person. */
function later({ stage, prepared, facts, report }: MigrateEnded): Section[] {
  const { migration, checkpoint } = prepared
  const noted = checkpoint?.switchedAt
  const at = facts.switched?.at ?? (noted === undefined ? undefined : new Date(noted))
  if (!at || (stage !== 'cutover' && stage !== 'compare') || !report.comparison) return []
  const lines = laterRemoval(migration.from, at, {
    leftOut: report.comparison.leftOut,
    compareLine: migration.lineFor('compare'),
  })
  return [{ title: 'The old place', lines }]
}

function failed({ report, stage, facts }: MigrateEnded): string {
  if (facts.switched)
    return 'Switched: Mastodon stores its media on R2. What follows is not finished.'
  if (stage === 'compare') return 'Not equal yet.'
  if (facts.envWritten?.changed.length === 0) {
    return 'Not proven. The env file named R2 before this run, and still does.'
  }
  const hasBegun = report.steps.some(({ status }) => status === 'changed' || status === 'failed')
  if (!hasBegun) return 'Nothing was changed.'
  return stage === 'cutover' ? notSwitched(report) : 'Not finished. What is done stays done.'
}

function notSwitched({ steps }: MigrateEnded['report']): string {
  const isOpen = steps.some(({ note }) => note.startsWith(NOT_TAKEN_BACK))
  return isOpen
    ? 'Not switched, and not all of it is back as it was: Mastodon needs the commands above.'
    : 'Not switched; everything is back as it was.'
}

function headlineOf(ended: MigrateEnded): string {
  const { report, stage } = ended
  const open = report.steps.filter(({ status }) => status === 'skipped')
  const idle = report.steps.every(({ status }) => status === 'ready')
  if (idle && stage === 'copy') return 'Nothing is new; all of it is in the bucket.'
  if (open.length === 0) return exactly(ended) ?? done[stage]
  return 'Done as far as this run could; the rest is yours.'
}

/** Where the usual words of a stage would not be true. */
function exactly({ report, stage, prepared }: MigrateEnded): string | undefined {
  const { checkpoint, switchedOn, world } = prepared
  if (stage === 'copy' && !switchedOn) return 'Copied. Mastodon still stores media where it did.'
  const { comparison } = report
  if (stage === 'cutover' && comparison && !comparison.equal) {
    const lost = counted(lostFiles(comparison), 'file')
    return `Switched: Mastodon stores its media on R2. It lacks ${lost}, as --max-loss allows.`
  }
  if (stage !== 'announce' || checkpoint?.announcedAt === undefined) return undefined
  const from = safeFrom(checkpoint.announcedAt)
  if (from <= world.clock.now()) return 'The pages name the media host, long enough for a switch.'
  return `The pages name the media host; a switch is safe from ${from.toISOString().slice(0, 10)}.`
}

/** What is left for the person, with the lines to type. */
function left({ report, left: commands }: MigrateEnded): Section[] {
  const notes = report.steps.filter(({ status }) => status === 'skipped')
  const lines = notes.map(({ title, note }) => `${title}: ${note}`)
  return lines.length === 0
    ? []
    : [{ title: 'What is left', lines: [...lines, ...commands.map((line) => prose`  ${line}`)] }]
}

function goOn({ next, stage }: MigrateEnded): Section[] {
  const hints = advice[stage] ?? []
  const lines: Text[] = next === undefined ? [] : [prose`  ${next}`]
  if (hints.length + lines.length === 0) return []
  return [{ title: 'Next', lines: [...hints, ...lines] }]
}
