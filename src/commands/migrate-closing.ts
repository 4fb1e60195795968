import type { Stage } from '../plan/migration.ts'
import type { Closing } from '../ui/port.ts'
import type { Ended } from './flow.ts'
import type { PreparedMigration } from './prepare-migration.ts'

interface MigrateEnded extends Ended {
  readonly stage: Stage
  readonly prepared: PreparedMigration
  /** The command that goes on with this stage. */
  readonly again: string
  /** The stage that comes after this one has ended well. */
  readonly next: Stage | undefined
  /** Tables of what was found, e.g. by a survey. */
  readonly tables: Closing['sections']
}

type Section = Closing['sections'][number]

const done: Record<Stage, string> = {
  survey: 'That is what is there; nothing was changed.',
  announce: 'The pages name the media host. Wait a week before the switch, or live with a reload.',
  cleanup: 'Cleaned up.',
  copy: 'Copied. Mastodon still stores media where it did.',
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
    const sections = [...tables, { title: 'To go on from here', lines: [`  ${again}`] }]
    return { headline: failed(ended), sections }
  }
  if (report.dryRun) {
    const carryOut: Section = { title: 'To carry it out', lines: [`  ${again}`] }
    return {
      headline: 'That is the plan. Nothing was changed.',
      sections: [...tables, ...(stage === 'survey' ? [] : [carryOut])],
    }
  }
  return { headline: headlineOf(ended), sections: [...tables, ...left(ended), ...goOn(ended)] }
}

function failed({ report, stage }: MigrateEnded): string {
  const isBack = stage === 'cutover' && report.steps.some(({ status }) => status === 'failed')
  if (isBack) return 'Not switched.'
  return stage === 'compare' ? 'Not equal yet.' : 'Not finished. What is done stays done.'
}

function headlineOf({ report, stage }: MigrateEnded): string {
  const open = report.steps.filter(({ status }) => status === 'skipped')
  if (open.length === 0) return done[stage]
  return 'Done as far as this run could; the rest is yours.'
}

/** What is left for the person, with the lines to type. */
function left({ report, again }: MigrateEnded): Section[] {
  const notes = report.steps.filter(({ status }) => status === 'skipped')
  const lines = notes.map(({ title, note }) => `${title}: ${note}`)
  const commands = report.next.filter((line) => line !== again && line !== '')
  return lines.length === 0
    ? []
    : [{ title: 'What is left', lines: [...lines, ...commands.map((line) => `  ${line}`)] }]
}

function goOn({ next, stage }: MigrateEnded): Section[] {
  const hints = advice[stage] ?? []
  const lines = next === undefined ? [] : [`  npx mastodon-r2 migrate --stage ${next}`]
  if (hints.length + lines.length === 0) return []
  return [{ title: 'Next', lines: [...hints, ...lines] }]
}
