import type { MediaSurvey } from '../../plan/report-schema.ts'
import type { MediaFile } from '../../services/media/port.ts'
import { leftOut, leftOutReasons, type Selection } from '../selection.ts'
import { type Load, uploadRequests } from './costs.ts'
import { Tally } from './tally.ts'

/** What a copy would carry and leave out, if the tree's files were usually readable like that. */
export class CopyForecast {
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
