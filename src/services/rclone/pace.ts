import { Rate, type RateRun, type Verdict } from './rate.ts'

/** How one run of rclone goes: fixed when it begins. */
export interface Stride {
  /** Files under way at the same time. */
  readonly transfers: number
  /** Requests a second, where a service refused more; no limit unless told. */
  readonly perSecond: number | undefined
  /** Files after which it is looked how it went. */
  readonly files: number
}

/** What was measured of a run: while it was in full swing, without its start and its end. */
export interface Measured extends RateRun {
  readonly transfers: number
  readonly files: number
  /** In full swing. */
  readonly filesPerSecond: number
  readonly bytesPerSecond: number
}

export interface GaugeOptions {
  readonly stride: Stride
  /** Files of the run. */
  readonly files: number
  /** Requests that a file takes. */
  readonly requests: number
  size(key: string): number
  /** Milliseconds. */
  now(): number
}

/** Measures one run while it goes on. */
export class Gauge {
  readonly #options: GaugeOptions
  #files = 0
  #refused = 0
  #since = 0
  #bytes = 0
  #first = 0
  #swing = { files: 0, bytes: 0, ms: 0 }

  constructor(options: GaugeOptions) {
    this.#options = options
  }

  copied(key: string): void {
    const { files, stride, size, now } = this.#options
    const ms = now()
    if (this.#files === 0) this.#first = ms
    this.#files += 1
    this.#bytes += size(key)
    if (this.#refused > 0) this.#since += 1
    const left = files - this.#files
    // What is left is under way: from here on there are fewer and fewer.
    if (left < stride.transfers && this.#swing.files > 0) return
    this.#swing = { files: this.#files, bytes: this.#bytes, ms: ms - this.#first }
  }

  refused(): void {
    this.#refused += 1
  }

  get measured(): Measured {
    const { stride, requests } = this.#options
    const { files, bytes, ms } = this.#swing
    const each = 1000 / Math.max(ms, 1)
    return {
      asked: stride.perSecond,
      transfers: stride.transfers,
      files: this.#files,
      granted: this.#files * requests,
      refused: this.#refused,
      grantedSince: this.#since * requests,
      rate: files * requests * each,
      filesPerSecond: files * each,
      bytesPerSecond: bytes * each,
      ms,
    }
  }
}

export interface PaceWishes {
  /** What was asked for, and is obeyed. */
  readonly given?: number | undefined
  /** Milliseconds of one small request. */
  readonly latencyMs?: number | undefined
  /** That a file takes; 1 unless told. */
  readonly requests?: number
  /** That wait to be copied. */
  readonly waiting?: number
}

const [FEWEST, MOST] = [32, 768] as const
/** Where no answer was timed. */
const UNKNOWN_LATENCY_MS = 75
/**
 * Twice what rclone did in a second on two cores (a file takes 0.4 ms of processor): more under way
 * than are needed cost nothing measurable, fewer cost in proportion.
 */
const MOST_FILES_PER_SECOND = 4_000
/** Files that rclone has in hand beside those that wait for an answer: it reads, signs and sums up. */
const IN_HAND = 64
/** The few that go before all others where so many wait. */
interface Scouts {
  readonly stride: Stride
  readonly waiting: number
}

/**
 * So few that a service which grants far less has refused few of them when it is heard of. They cost a
 * start of rclone, 0.1 s, and their round trips: far away that is most of a second, which fewer files
 * would notice. A batch has 20,000.
 */
const [NEAR, FAR]: readonly [Scouts, Scouts] = [
  { stride: { transfers: 24, perSecond: undefined, files: 90 }, waiting: 6_000 },
  { stride: { transfers: 96, perSecond: undefined, files: 200 }, waiting: 15_000 },
]
/** Milliseconds of an answer from which on it is far. */
const FAR_MS = 50
/** A run ends while its last files are under way: so many times as many cost 1 part in so many. */
const ROUNDS = 40
const LEAST_FILES = 5_000
/** Seconds, so that the start of rclone (0.1 to 0.3 s) does not count. */
const LEAST_S = 12
const STEP = 1.5
/** More at a time has to bring so much; fewer may cost so much. */
const [GAIN, LOSS] = [1.05, 0.97] as const
/** Runs until it is tried again. */
const HELD = 8

/**
 * How many files are under way, and how many requests a second: follows what was measured of the runs
 * before. More at a time as long as that brings something, then as few as do the same. Begins with the
 * bucket's latency times what rclone does. A number that was given stays.
 */
export class Pace {
  readonly #rate = new Rate()
  #transfers: number | undefined
  #given: number | undefined
  #best: { transfers: number; score: number } | undefined
  #perSecond = 0
  #meanBytes = 0
  #held = 0
  #way: 'up' | 'down' | 'hold' = 'up'
  #wasUp = false
  #isUntried = true

  next({ given, latencyMs, requests = 1, waiting = 0 }: PaceWishes): Stride {
    this.#given = given
    const scouts = latencyMs !== undefined && latencyMs < FAR_MS ? NEAR : FAR
    const isWorth = this.#isUntried && waiting >= scouts.waiting
    if (isWorth && given === undefined) return scouts.stride
    this.#transfers ??= transfersFor(latencyMs)
    const transfers = given ?? this.#transfers
    const { perSecond, requests: looked } = this.#rate
    const inAll = given === undefined ? this.#filesOf(transfers) : Number.POSITIVE_INFINITY
    return { transfers, perSecond, files: looked === undefined ? inAll : looked / requests }
  }

  /** Requests a second; undefined: no limit is known. */
  get perSecond(): number | undefined {
    return this.#rate.perSecond
  }

  static readonly isEnough = Rate.isEnough

  ended(run: Measured): Verdict {
    const verdict = this.#rate.ended(run)
    this.#isUntried = false
    const isTelling = run.asked === undefined && run.refused === 0
    if (this.#given === undefined && isTelling && run.files >= 4 * run.transfers) this.#learn(run)
    return verdict
  }

  #filesOf(transfers: number): number {
    return Math.ceil(Math.max(ROUNDS * transfers, LEAST_FILES, LEAST_S * this.#perSecond))
  }

  #learn({ transfers, filesPerSecond, bytesPerSecond }: Measured): void {
    const mean = bytesPerSecond / filesPerSecond
    this.#meanBytes = this.#meanBytes === 0 ? mean : 0.7 * this.#meanBytes + 0.3 * mean
    this.#perSecond = filesPerSecond
    // Small files cost requests, large ones bytes: a run of larger ones is no slower one.
    const byBytes = mean === 0 ? filesPerSecond : bytesPerSecond / this.#meanBytes
    this.#step(transfers, (filesPerSecond + byBytes) / 2)
  }

  #step(transfers: number, score: number): void {
    const best = this.#best
    if (this.#way === 'hold') {
      this.#best = { transfers, score }
      this.#held += 1
      if (this.#held < HELD) return
      this.#held = 0
      this.#wasUp = !this.#wasUp
      this.#go(this.#wasUp ? 'up' : 'down', transfers)
      return
    }
    if (!best) {
      this.#best = { transfers, score }
      this.#go('up', transfers)
      return
    }
    const need = this.#way === 'up' ? GAIN : LOSS
    if (score >= need * best.score) {
      this.#best = { transfers, score: Math.max(score, best.score) }
      this.#go(this.#way, transfers)
    } else if (this.#way === 'up' && !this.#wasUp) {
      // It brought nothing: perhaps fewer do as well.
      this.#wasUp = true
      this.#go('down', best.transfers)
    } else this.#hold(best.transfers)
  }

  /** Where there is no further to go that way, the other way, once. */
  #go(way: 'up' | 'down', from: number): void {
    const to = clamped(way === 'up' ? from * STEP : from / STEP)
    if (to !== from) {
      this.#way = way
      this.#transfers = to
    } else if (way === 'up' && !this.#wasUp) {
      this.#wasUp = true
      this.#go('down', from)
    } else this.#hold(from)
  }

  #hold(transfers: number): void {
    this.#way = 'hold'
    this.#held = 0
    this.#transfers = transfers
  }
}

/** Where a copy begins. `latencyMs`: of one small request. */
export function transfersFor(latencyMs: number = UNKNOWN_LATENCY_MS): number {
  return clamped((latencyMs / 1000) * MOST_FILES_PER_SECOND + IN_HAND)
}

function clamped(transfers: number): number {
  return Math.min(MOST, Math.max(FEWEST, Math.round(transfers)))
}
