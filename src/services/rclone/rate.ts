/** What a service grants: how many requests a second, once it has refused some (429, 503 SlowDown). */

/** What came of one run of rclone, in requests. */
export interface RateRun {
  /** Requests a second that it was held to; undefined: none. */
  readonly asked: number | undefined
  readonly granted: number
  readonly refused: number
  /** Granted since the first refusal. */
  readonly grantedSince: number
  /** Granted a second, while it was in full swing. */
  readonly rate: number
  /** For so long it was in full swing. */
  readonly ms: number
}

/** `wait`: seconds, 0 for none. `gaveUp`: it was asked too often, and nothing was granted. */
export type Verdict = { readonly wait: number } | 'gaveUp'

/** Where nothing is known; twice as many are tried while all is well. */
const FIRST = 200
const LEAST = 1
/** Seconds that are waited for, one time after the other, when nothing at all was granted. */
const WAITS = [5, 15, 30, 60] as const
/** Below what was found: a little less asked for is hardly refused. */
const BELOW = 0.97
const UP = 1.04
/** A smaller share of refusals is no reason for anything. */
const FEW = 0.004
/** After so many runs without a refusal it is tried whether the limit has gone. */
const HELD = 2
const PROBE = 1.25
const [SEARCH_S, HOLD_S] = [1.5, 15] as const

/**
 * Finds the rate and goes on a little below it. Doubles until something is refused; the share that was
 * refused tells the rate (granted = asked × share), and small steps come after that. Looks for more
 * now and then, so that it notices when the limit has gone.
 */
export class Rate {
  #perSecond: number | undefined
  /** `search`: doubling. `hold`: near the limit. `probe`: whether there still is one. */
  #is: 'free' | 'search' | 'hold' | 'probe' = 'free'
  #refusedAt: number | undefined
  #good = 0
  #empty = 0

  /** Requests a second; undefined: no limit is known. */
  get perSecond(): number | undefined {
    return this.#perSecond === undefined ? undefined : Math.max(LEAST, Math.round(this.#perSecond))
  }

  /** Requests after which it is looked again; undefined: nothing is looked for. */
  get requests(): number | undefined {
    if (this.#perSecond === undefined) return undefined
    return Math.ceil(this.#perSecond * (this.#is === 'hold' ? HOLD_S : SEARCH_S))
  }

  /** Whether a run has seen enough, and is better ended than gone on with. */
  static isEnough(run: Pick<RateRun, 'asked' | 'granted' | 'refused'>): boolean {
    const { asked, granted, refused } = run
    if (asked === undefined) return refused >= 3
    return refused >= 8 && refused > 0.02 * (granted + refused)
  }

  ended(run: RateRun): Verdict {
    const { asked, granted, refused } = run
    if (granted + refused === 0) return { wait: 0 }
    if (granted === 0) return this.#nothing()
    this.#empty = 0
    const isFew = refused <= FEW * (granted + refused)
    if (asked === undefined) {
      if (!isFew) this.#begin(run)
    } else if (isFew) this.#granted(run, asked)
    else this.#refused(run, asked)
    return { wait: 0 }
  }

  /** Not one: it has to be waited for, whatever the rate. */
  #nothing(): Verdict {
    const wait = WAITS[this.#empty]
    this.#empty += 1
    this.#perSecond = Math.max(LEAST, (this.#perSecond ?? FIRST) / 4)
    this.#is = 'search'
    this.#refusedAt = undefined
    return wait === undefined ? 'gaveUp' : { wait }
  }

  /** A run that nothing held back tells the rate when it was a long one, or refused seldom. */
  #begin({ granted, refused, rate, ms }: RateRun): void {
    this.#refusedAt = undefined
    if (ms >= 3_000 && refused < 0.1 * granted) {
      this.#perSecond = BELOW * rate
      this.#is = 'hold'
    } else {
      this.#perSecond = FIRST
      this.#is = 'search'
    }
    this.#good = 0
  }

  #granted({ rate }: RateRun, asked: number): void {
    if (this.#is === 'hold') {
      this.#good += 1
      const up = asked * UP
      if (this.#refusedAt === undefined || up < this.#refusedAt) this.#perSecond = up
      if (this.#good < HELD) return
      this.#good = 0
      this.#is = 'probe'
      this.#perSecond = asked * PROBE
      return
    }
    // More than is asked for anyway: nothing holds it back any longer.
    if (rate < 0.7 * asked) this.#free()
    else {
      this.#refusedAt = undefined
      this.#perSecond = asked * 2
    }
  }

  #refused({ grantedSince, refused }: RateRun, asked: number): void {
    const share = Math.max(grantedSince, 1) / (Math.max(grantedSince, 1) + refused)
    this.#refusedAt = asked
    this.#perSecond = Math.max(asked * share * BELOW, asked / 4)
    this.#is = 'hold'
    this.#good = 0
  }

  #free(): void {
    this.#perSecond = undefined
    this.#refusedAt = undefined
    this.#is = 'free'
  }
}
