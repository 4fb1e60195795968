import { safeFrom } from '../announce/notes.ts'
import { count } from '../core/amounts.ts'
import type { Checkpoint } from '../services/checkpoint/port.ts'
import { type Stage, stages } from '../settings/stages.ts'

/** Where a migration stands, one line a stage. */
export interface StageStatus {
  readonly stage: Stage
  readonly state: 'done' | 'next' | 'open' | 'optional'
  readonly note: string
}

const purposes: Record<Stage, string> = {
  survey: 'see what is there and what it will cost',
  announce: 'tell browsers of the media host, a week before the switch',
  cleanup: 'let Mastodon remove what nobody needs; as you like',
  copy: 'copy the media while the server runs',
  cutover: 'switch Mastodon to R2',
  compare: 'compare both sides',
  redirects: 'lead old addresses to the media host',
}

export interface StandsAt {
  readonly switchedOn: boolean
  /** The media came from this server's disk: its old addresses are Mastodon's own. */
  readonly fromDisk?: boolean
}

/** Judged by what earlier runs noted, without a request. */
export function stageStatus(
  checkpoint: Checkpoint | undefined,
  { switchedOn, fromDisk = false }: StandsAt,
): readonly StageStatus[] {
  const done = doneStages(checkpoint, switchedOn)
  // What others link to goes on answering from the disk, and is nowhere once that is emptied.
  const areBroken = fromDisk && done.has('cutover') && !done.has('redirects')
  const optional: readonly Stage[] = areBroken ? ['cleanup'] : ['cleanup', 'redirects']
  const isCutOff = switchedOn && checkpoint?.completeSince !== undefined && !done.has('cutover')
  const next = isCutOff
    ? 'cutover'
    : areBroken
      ? 'redirects'
      : stages.find((stage) => !done.has(stage) && !optional.includes(stage))
  return stages.map((stage) => {
    const note = done.get(stage)
    if (note !== undefined) return { stage, state: 'done', note }
    const state = stage === next ? 'next' : optional.includes(stage) ? 'optional' : 'open'
    const isBegun = isCutOff && stage === 'cutover'
    return { stage, state, note: isBegun ? 'begun and cut off; do it again' : purposes[stage] }
  })
}

/** What a run without --stage goes on with; compare, once Mastodon is switched. */
export function nextStage(statuses: readonly StageStatus[]): Stage {
  const next = statuses.find(({ state }) => state === 'next')?.stage ?? 'compare'
  // Another command, with settings of its own, is not begun unasked.
  return next === 'redirects' ? 'compare' : next
}

function doneStages(checkpoint: Checkpoint | undefined, switchedOn: boolean): Map<Stage, string> {
  const done = new Map<Stage, string>()
  const {
    surveyed,
    announcedAt,
    completeSince,
    failed = [],
    switchedAt,
    redirectedAt,
    equalAt,
  } = checkpoint ?? {}
  if (surveyed) done.set('survey', `${count(surveyed.objects)} files, on ${day(surveyed.at)}`)
  if (announcedAt !== undefined) {
    const from = day(safeFrom(announcedAt).toISOString())
    done.set('announce', `since ${day(announcedAt)}; a switch is safe from ${from}`)
  }
  if (completeSince !== undefined && failed.length === 0) {
    done.set('copy', `complete as of ${minute(completeSince)}; a later run copies what is new`)
  }
  // The env file may be ahead of a cut-over that was cut off.
  if (switchedOn && (switchedAt !== undefined || completeSince === undefined)) {
    // Whoever is on R2 already has no use for what comes before a switch.
    if (!done.has('announce')) done.set('announce', 'not needed any more')
    const when = switchedAt === undefined ? '' : ` since ${minute(switchedAt)}`
    done.set('cutover', `Mastodon stores media on R2${when}`)
  }
  if (switchedOn && redirectedAt !== undefined) {
    done.set('redirects', `old addresses led to the media host on ${minute(redirectedAt)}`)
  }
  const isAfter = switchedAt === undefined || (equalAt ?? '') >= switchedAt
  if (switchedOn && equalAt !== undefined && isAfter) {
    done.set('compare', `both sides were equal on ${minute(equalAt)}`)
  }
  return done
}

function day(time: string): string {
  return time.slice(0, 10)
}

function minute(time: string): string {
  return `${time.slice(0, 16).replace('T', ' ')} UTC`
}
