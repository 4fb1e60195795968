import { EXAMPLES, kept, Tally } from '../../moving/tally.ts'
import {
  type Amount,
  classOf,
  leftOutReasons,
  type MediaSurvey,
  mediaClasses,
} from '../../plan/report-schema.ts'
import type { MediaFile, MediaSource, Oddity } from '../../services/media/port.ts'
import { leftOut, type Selection, UsualModes } from '../migration.ts'
import { costs, type Load, type Pace, uploadRequests } from './costs.ts'

/** What a copy would carry and leave out, if the tree's files were usually readable like that. */
class CopyForecast {
  readonly load: { -readonly [name in keyof Load]: Load[name] } = {
    objects: 0,
    bytes: 0,
    uploads: 0,
  }
  /** Media of suspended users, whether it is left out or not. */
  readonly suspended = new Tally()
  readonly #left = new Map(leftOutReasons.map((reason) => [reason, new Tally(0)]))
  readonly #careful: Selection
  readonly #withSuspended: boolean
  readonly #habits: { readonly usualModes: 'open' | 'closed'; readonly now: number }

  constructor(selection: Selection, usualModes: 'open' | 'closed', now: Date) {
    this.#careful = { ...selection, withSuspended: false }
    this.#withSuspended = selection.withSuspended
    this.#habits = { usualModes, now: now.getTime() }
  }

  see(file: MediaFile): void {
    const { key, size } = file
    const reason = leftOut(file, this.#careful, this.#habits)
    if (reason === 'suspended') this.suspended.add(key, size)
    const isClosed = reason === 'suspended' || reason === 'unfinished'
    if (reason === undefined || (isClosed && this.#withSuspended)) {
      this.load.objects += 1
      this.load.bytes += size
      this.load.uploads += uploadRequests(size)
    } else {
      this.#left.get(reason)?.add(key, size)
    }
  }

  leftOut(): MediaSurvey['leftOut'] {
    const told: MediaSurvey['leftOut'] = {}
    for (const [reason, { objects, bytes }] of this.#left) {
      if (objects > 0) told[reason] = { objects, bytes }
    }
    return told
  }
}

export interface MediaCountOptions {
  readonly source: Pick<MediaSource, 'name' | 'kind'>
  readonly selection: Selection
  readonly canCarry: (key: string) => boolean
  readonly startedAt: Date
}

/** Counts a tree file by file and keeps numbers and a few names only. */
export class MediaCount {
  readonly #at: MediaCountOptions
  readonly #modes = new UsualModes()
  readonly #total = new Tally(0)
  readonly #classes = new Map(mediaClasses.map(({ name }) => [name, new Tally(0)]))
  readonly #private = new Tally()
  readonly #oddNames = new Tally()
  readonly #oddities = new Map<Oddity['kind'], { count: number; examples: string[] }>()
  readonly #outcomes

  constructor(options: MediaCountOptions) {
    this.#at = options
    const { selection } = options
    const onlyLocal = { ...selection, onlyLocal: true }
    // Which of both it is can be said at the end only.
    const outcome = (usualModes: 'open' | 'closed') => ({
      chosen: new CopyForecast(selection, usualModes, options.startedAt),
      onlyLocal: new CopyForecast(onlyLocal, usualModes, options.startedAt),
    })
    this.#outcomes = { open: outcome('open'), closed: outcome('closed') }
  }

  get objects(): number {
    return this.#total.objects
  }

  get bytes(): number {
    return this.#total.bytes
  }

  see(file: MediaFile): void {
    const { key, size } = file
    const { name, private: isPrivate } = classOf(key)
    this.#modes.see(file)
    this.#total.add(key, size)
    this.#classes.get(name)?.add(key, size)
    if (isPrivate) this.#private.add(key, size)
    if (!this.#at.canCarry(key)) this.#oddNames.add(key, size)
    for (const { chosen, onlyLocal } of [this.#outcomes.open, this.#outcomes.closed]) {
      chosen.see(file)
      onlyLocal.see(file)
    }
  }

  seeOddity({ kind, path }: Pick<Oddity, 'kind' | 'path'>): void {
    const seen = this.#oddities.get(kind) ?? { count: 0, examples: [] }
    seen.count += 1
    if (seen.examples.length < EXAMPLES) seen.examples.push(kept(path))
    this.#oddities.set(kind, seen)
  }

  survey(pace: Pace & { readonly latencyMs: number | null }): MediaSurvey {
    const { source, selection, startedAt } = this.#at
    const usualModes = this.#modes.result
    const { chosen, onlyLocal } = this.#outcomes[usualModes]
    const costsNow = costs(chosen.load, pace)
    const costsLocal = costs(onlyLocal.load, pace)
    const classes = this.#classRows()
    const refetchable = classes.filter(({ again }) => again !== null)
    const fewer = chosen.load.objects - onlyLocal.load.objects
    return {
      at: startedAt.toISOString(),
      source: source.name,
      kind: source.kind,
      total: amountOf(this.#total),
      classes,
      again: sum(refetchable),
      copied: amountOf(chosen.load),
      leftOut: chosen.leftOut(),
      usualModes,
      suspended: chosen.suspended.told(),
      private: this.#private.told(),
      oddNames: this.#oddNames.told(),
      oddities: [...this.#oddities].map(([kind, seen]) => ({ kind, ...seen })),
      costs: costsNow,
      pace,
      onlyLocal:
        selection.onlyLocal || fewer === 0
          ? null
          : {
              copied: amountOf(onlyLocal.load),
              saves: {
                objects: fewer,
                bytes: chosen.load.bytes - onlyLocal.load.bytes,
                firstMonthDollars: costsNow.firstMonthDollars - costsLocal.firstMonthDollars,
                hours: costsNow.hours - costsLocal.hours,
              },
              costs: costsLocal,
            },
    }
  }

  #classRows(): MediaSurvey['classes'] {
    return [...this.#classes].flatMap(([name, tally]) => {
      const known = mediaClasses.find((one) => one.name === name)
      if (tally.objects === 0 || !known) return []
      const { title, again = null, private: isPrivate = false } = known
      return [{ class: name, title, ...amountOf(tally), again, private: isPrivate }]
    })
  }
}

function amountOf({ objects, bytes }: Amount): Amount {
  return { objects, bytes }
}

function sum(rows: readonly Amount[]): Amount {
  const all = { objects: 0, bytes: 0 }
  for (const { objects, bytes } of rows) {
    all.objects += objects
    all.bytes += bytes
  }
  return all
}
