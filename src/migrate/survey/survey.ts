import { bytesOf, count, counted, duration } from '../../core/amounts.ts'
import { whoReads } from '../../moving/unread.ts'
import { dollars } from '../../plan/prices.ts'
import type { MediaSurvey } from '../../plan/report-schema.ts'
import type { Step } from '../../plan/step.ts'
import { noted } from '../../services/checkpoint/port.ts'
import type { MediaFile, Oddity } from '../../services/media/port.ts'
import { UnreadPlaces } from '../copy/work.ts'
import { latency } from '../latency.ts'
import { leftOut, type Migration, type PrepareStage } from '../migration.ts'
import { slurperAdvice } from '../slurper/advice.ts'
import { paceOf } from './costs.ts'
import { MediaCount } from './count.ts'
import { surveyLines } from './lines.ts'

export interface SurveyWishes {
  /** Told of every survey that came to its end. */
  surveyed(survey: MediaSurvey): Promise<void> | void
}

/** Milliseconds between two states of the walk on the screen. */
const TELL_MS = 200
const TRIES = 3
const HOUR_MS = 3_600_000

/** What there is to migrate, and what that costs: one walk and three requests, nothing is changed. */
export function surveyMedia(migration: Migration, { surveyed }: SurveyWishes): Step<'clock'> {
  return {
    id: 'survey',
    title: 'Media',
    async look({ clock }) {
      const startedAt = clock.now()
      const latencyMs = await latency(migration, { clock, tries: TRIES })
      const unread = new UnreadPlaces()
      const counting = await countAll(migration, startedAt, unread)
      const { wishes, selection } = migration
      const pace = paceOf({ ...wishes, latencyMs: latencyMs ?? undefined })
      const survey = counting.survey({ ...pace, latencyMs })
      await surveyed(survey)
      const habits = { usualModes: survey.usualModes, now: startedAt.getTime() }
      const isWanted = (file: MediaFile) => leftOut(file, selection, habits) === undefined
      const missing = await unread.wanted(migration, { isWanted })
      const warnings = warningsOf(survey, migration, missing.length)
      return { is: 'ready', note: noteOf(survey), warnings }
    },
  }
}

async function countAll(
  migration: Migration,
  startedAt: Date,
  unread: UnreadPlaces,
): Promise<MediaCount> {
  const { source, selection, rclone, signal, width } = migration
  const counting = new MediaCount({
    source,
    selection,
    startedAt,
    canCarry: (key) => rclone.canCarry(key),
  })
  let toldAt = performance.now()
  const onOddity = (oddity: Oddity) => {
    counting.seeOddity(oddity)
    unread.note(oddity)
  }
  const reading = source.files({ signal, onOddity })
  for await (const files of reading) {
    for (const file of files) counting.see(file)
    if (performance.now() - toldAt < TELL_MS) continue
    toldAt = performance.now()
    const { objects, bytes } = counting
    migration.tell(`${counted(objects, 'file')}, ${bytesOf(bytes)} so far`.slice(0, width))
  }
  return counting
}

function noteOf({ total, copied, costs }: MediaSurvey): string {
  if (total.objects === 0) return 'there are no files'
  const all = `${counted(total.objects, 'file')}, ${bytesOf(total.bytes)}`
  const some = copied.objects === total.objects ? '' : `, ${count(copied.objects)} of them to copy`
  const time = duration(costs.hours * HOUR_MS)
  return `${all}${some}; about ${time} and ${dollars(costs.firstMonthDollars)} in the first month`
}

function warningsOf(survey: MediaSurvey, { selection }: Migration, unread: number): string[] {
  const { suspended, usualModes, classes } = survey
  const warnings: string[] = []
  if (suspended.objects > 0) {
    const files = `${counted(suspended.objects, 'file')} that only their owner may read, among open ones`
    warnings.push(
      selection.withSuspended
        ? `${files}: media of suspended users, most likely. A copy publishes it, as --with-suspended says.`
        : `${files}: media of suspended users, most likely. It is left out, as a copy would publish it; --with-suspended copies it.`,
    )
  }
  if (usualModes === 'closed') {
    warnings.push(
      'Only their owner may read any of these files. Media of suspended users looks like all the rest then: it is copied, and public from then on.',
    )
  }
  if (unread > 0) {
    const places = unread === 1 ? '1 file or folder' : `${count(unread)} files or folders`
    warnings.push(`${places} can't be read, and would be missing. ${whoReads}`)
  }
  if (selection.withPrivate && classes.some((row) => row.private)) {
    warnings.push(
      'backups/ and imports/ are copied too: whoever has an address there could read it.',
    )
  }
  return warnings
}

/** Looks at everything and changes nothing; what would be copied is noted for later runs. */
export const surveyStage: PrepareStage = async (run, { migration, old }) => {
  let survey: MediaSurvey | undefined
  const step = surveyMedia(migration, {
    surveyed: (found) => {
      survey = found
      run.surveys.last = found
    },
  })
  const slurper = () => {
    if (!old || !survey) return []
    const { bytes } = survey.copied
    const { advice, why } = slurperAdvice({ source: old.slurper, bytes, bytesPerSecond: undefined })
    const how = advice === 'impossible' ? '' : ' Choose it with --engine super-slurper.'
    return [{ title: `Super Slurper is ${advice} here`, lines: [`${why}${how}`] }]
  }
  return {
    steps: [step],
    found: () => {
      if (survey === undefined) return { report: {}, tables: [] }
      const lines = surveyLines(survey, migration.width)
      return { report: { survey }, tables: [{ title: 'What is there', lines }, ...slurper()] }
    },
    async done() {
      if (survey === undefined) return
      const { at, copied } = survey
      await noted(migration.checkpoint, { surveyed: { at, ...copied } })
    },
  }
}
