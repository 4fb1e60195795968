import { hash } from 'node:crypto'
import type { KnownVersions } from './port.ts'

/** Share of the places that may be taken: beyond it the walk to a free one grows long. */
const FULL = 0.8
const FEWEST_PLACES = 1024

/**
 * The last version of each key, without the keys: 16 bytes a place, 64 MB for two to three
 * million. A key is told by 64 bits of its SHA-1; that one which was never set is taken for another
 * is as likely as 1 in 10^13 at three million, and would then have to have the other's time, too.
 */
export class VersionTable implements KnownVersions {
  readonly #most: number
  #marks = new Uint32Array(2 * FEWEST_PLACES)
  /** NaN: the place is free. */
  #times = new Float64Array(FEWEST_PLACES).fill(Number.NaN)
  size = 0

  /** What is set beyond `most` keys is forgotten. */
  constructor(most: number) {
    this.#most = most
  }

  set(key: string, changedAt: number): void {
    const [high, low] = markOf(key)
    const at = this.#find(high, low)
    if (Number.isNaN(this.#times[at])) {
      if (this.size >= this.#most) return
      this.size += 1
      if (this.size > FULL * this.#times.length) {
        this.#grow()
        this.#put(high, low, changedAt)
        return
      }
    }
    this.#fill(at, high, low, changedAt)
  }

  get(key: string): number | undefined {
    const time = this.#times[this.#find(...markOf(key))] as number
    return Number.isNaN(time) ? undefined : time
  }

  /** The place of this mark, or the free one where it belongs. */
  #find(high: number, low: number): number {
    const marks = this.#marks
    const times = this.#times
    const mask = times.length - 1
    let at = low & mask
    while (!Number.isNaN(times[at]) && !(marks[2 * at] === high && marks[2 * at + 1] === low)) {
      at = (at + 1) & mask
    }
    return at
  }

  #put(high: number, low: number, changedAt: number): void {
    this.#fill(this.#find(high, low), high, low, changedAt)
  }

  #fill(at: number, high: number, low: number, changedAt: number): void {
    this.#marks[2 * at] = high
    this.#marks[2 * at + 1] = low
    this.#times[at] = changedAt
  }

  #grow(): void {
    const [marks, times] = [this.#marks, this.#times]
    this.#marks = new Uint32Array(2 * marks.length)
    this.#times = new Float64Array(2 * times.length).fill(Number.NaN)
    for (const [at, time] of times.entries()) {
      if (!Number.isNaN(time)) this.#put(marks[2 * at] as number, marks[2 * at + 1] as number, time)
    }
  }
}

function markOf(key: string): [number, number] {
  const digest = hash('sha1', key, 'buffer')
  return [digest.readUInt32LE(0), digest.readUInt32LE(4)]
}
