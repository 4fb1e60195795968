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
/** What was granted and what was refused lie so close that it is good enough. */
const CLOSE = 1.1
/** Below a rate that was found; up a little while all is well; up to see whether the limit has gone. */
const [BELOW, UP, PROBE] = [0.97, 1.02, 1.15] as const
/** A smaller share of refusals is no reason for anything. */
const FEW = 0.004
/** Runs without a refusal until it is looked whether the limit has gone; twice as many each time. */
const [HELD, MOST_HELD] = [2, 8] as const
const [SEARCH_S, HOLD_S] = [2, 20] as const

/**
 * Finds the rate and goes on a little below it. Doubles until something is refused, then halves the
 * gap between what was granted and what was not. Looks for more now and then, so that it notices when
 * the limit has gone.
 */
export class Rate {
  #perSecond: number | undefined
  /** `search`: short runs. `hold`: near the limit. `probe`: whether there still is one. */
  #is: 'search' | 'hold' | 'probe' = 'search'
  /** The last rate that was granted whole, and the last that was not; 0 and infinity: none. */
  #good = 0
  #bad = Number.POSITIVE_INFINITY
  #held = 0
  #patience: number = HELD
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
  static isEnough(run: Pick<RateRun, 'asked' | 'grantedSince' | 'refused'>): boolean {
    const { asked, grantedSince, refused } = run
    if (asked === undefined) return refused >= 3
    return refused >= 4 && refused > 0.01 * (grantedSince + refused)
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
    this.#forget()
    this.#go('search', (this.#perSecond ?? FIRST) / 4)
    return wait === undefined ? 'gaveUp' : { wait }
  }

  /** A run that nothing held back tells the rate when it was a long one, or refused seldom. */
  #begin({ granted, refused, rate, ms }: RateRun): void {
    this.#forget()
    if (ms >= 3_000 && refused < 0.1 * granted) this.#go('hold', BELOW * rate)
    else this.#go('search', FIRST)
  }

  #granted({ rate }: RateRun, asked: number): void {
    this.#good = asked
    // More than is asked for anyway: nothing holds it back any longer.
    if (this.#is !== 'hold' && rate < 0.6 * asked) {
      this.#perSecond = undefined
      return
    }
    if (this.#is === 'hold') this.#hold(asked)
    else if (this.#is === 'probe') {
      this.#forget()
      this.#good = asked
      this.#go('search', asked * 1.5)
    } else if (this.#bad === Number.POSITIVE_INFINITY) this.#go('search', asked * 2)
    else if (this.#bad > CLOSE * asked) this.#go('search', Math.sqrt(asked * this.#bad))
    else this.#go('hold', asked)
  }

  #hold(asked: number): void {
    this.#held += 1
    if (this.#held >= this.#patience) this.#go('probe', asked * PROBE)
    else this.#go('hold', Math.max(asked, Math.min(asked * UP, this.#bad * BELOW)))
  }

  #refused({ grantedSince, refused }: RateRun, asked: number): void {
    this.#bad = asked
    if (this.#good >= asked) this.#good = 0
    if (this.#is === 'probe') {
      this.#patience = Math.min(this.#patience * 2, MOST_HELD)
      this.#go('hold', this.#good * BELOW)
      return
    }
    const share = grantedSince / Math.max(grantedSince + refused, 1)
    // Of a few answers, and of some that came while rclone waited: no more than a hint.
    const hint = BELOW * asked * Math.min(1, Math.max(share, this.#is === 'hold' ? 0.8 : 0.4))
    const between = this.#good > 0 ? Math.sqrt(this.#good * asked) : hint
    const next = hint > this.#good ? hint : between
    this.#go(asked > CLOSE * next ? 'search' : 'hold', next)
  }

  #forget(): void {
    this.#good = 0
    this.#bad = Number.POSITIVE_INFINITY
    this.#patience = HELD
  }

  #go(is: 'search' | 'hold' | 'probe', perSecond: number): void {
    if (is !== 'hold' || this.#is !== 'hold') this.#held = 0
    this.#is = is
    this.#perSecond = Math.max(LEAST, perSecond)
  }
}
