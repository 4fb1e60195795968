import { safeFrom } from '../announce/notes.ts'
import { count, counted } from '../core/amounts.ts'
import { DAY_MS } from '../core/clock.ts'
import { shellWord } from '../core/shell-word.ts'
import { prose, type Text, type ToType } from '../core/to-type.ts'
import type { Ended } from '../flow/run.ts'
import { NOT_TAKEN_BACK } from '../plan/apply.ts'
import { type Comparison, type LeftOut, lostFiles } from '../plan/report-schema.ts'
import type { CopyPlace } from '../services/rclone/port.ts'
import type { Stage } from '../settings/stages.ts'
import type { Closing } from '../ui/port.ts'
import { refillArgs } from './cleanup.ts'
import type { PreparedMigration } from './migration.ts'

const KEPT_DAYS = 30

/** Of what was at the source, what is nowhere else: left out for good, lost, or no plain file. */
function nowhereElse(comparison: Comparison): number {
  // Media of other servers is fetched again; all else that was left out is the only copy.
  const { cache = 0, ...reasons } = comparison.leftOut
  const leftOut = Object.values(reasons).reduce((sum, files) => sum + files, 0)
  return leftOut + lostFiles(comparison) + comparison.oddities
}

/**
 * How to remove what was copied, once nobody can need it any more: 30 days after the switch. Nothing
 * here removes it. While the old place is the only one that some files are in, no command is given.
 */
export function laterRemoval(
  from: CopyPlace,
  switchedAt: Date,
  { comparison, compareLine }: { readonly comparison: Comparison; readonly compareLine: ToType },
): Text[] {
  const day = new Date(switchedAt.getTime() + KEPT_DAYS * DAY_MS).toISOString().slice(0, 10)
  const only = nowhereElse(comparison)
  if (only > 0) {
    const place =
      from.kind === 'bucket' ? `the old bucket ${from.bucket}` : `the files in ${from.path}`
    const [are, them] = only === 1 ? ['is', 'it'] : ['are', 'them']
    return [
      `Keep ${place}, also after ${day}: ${count(only)} of what is there ${are} not in the new bucket, and nowhere else (${whatOnly(comparison)}).`,
      prose`To see ${them} counted again: ${compareLine}`,
    ]
  }
  const compare = ['Compare once more before that:', prose`  ${compareLine}`]
  if (from.kind === 'bucket') {
    return [`Keep the old bucket ${from.bucket}, and delete it not before ${day}.`, ...compare]
  }
  return [
    `Keep the files in ${from.path}; remove them not before ${day}.`,
    ...compare,
    'Then:',
    `  find ${shellWord(from.path)}/ -mindepth 1 -delete`,
  ]
}

const onlyThere: Record<Exclude<LeftOut, 'cache'>, string> = {
  skipped: 'left out by --skip',
  private: 'private',
  suspended: 'of suspended users',
  unfinished: 'just being stored',
  name: 'of a name that R2 refuses',
}

/** `2 of suspended users, 1 missing in the bucket`. */
function whatOnly({ leftOut, oddities, ...sides }: Comparison): string {
  const differing = sides.sizeDiffers.objects + sides.contentDiffers.objects
  const { cache, ...reasons } = leftOut
  const parts: [number, string][] = [
    ...Object.entries(reasons).map(([reason, files]): [number, string] => [
      files,
      onlyThere[reason as keyof typeof onlyThere] ?? reason,
    ]),
    [sides.missing.objects, 'missing in the bucket'],
    [differing, 'different in the bucket'],
    [sides.unreadable.objects, 'not readable'],
    [oddities, 'no plain files'],
  ]
  return parts
    .filter(([files]) => files > 0)
    .map(([files, what]) => `${count(files)} ${what}`)
    .join(', ')
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
  copy: [
    'Before that, copy again whenever you like: it copies what is new, and asks for nothing else.',
  ],
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
    comparison: report.comparison,
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
  if (next === undefined) return []
  return [{ title: 'Next', lines: [prose`  ${next}`, ...(advice[stage] ?? [])] }]
}
