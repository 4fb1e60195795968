import { setTimeout } from 'node:timers/promises'

/** Seconds that are waited for after one "slow down" after the other. */
const WAITS = [1, 2, 4, 8, 15] as const
/** Milliseconds between two requests: once it was asked for, and the most. */
const FIRST_GAP = 50
const LARGEST_GAP = 2_000
/** After so many requests in peace the gap halves. */
const IN_PEACE = 50

export interface PaceOptions {
  /** Told before each wait. */
  readonly onWait?: ((seconds: number) => void) | undefined
  readonly sleep?: ((ms: number, signal?: AbortSignal) => Promise<unknown>) | undefined
}

/**
 * Heeds a service that asks to slow down: its refused request waits and is sent again, and all that
 * follow keep a distance, which shrinks again in peace.
 */
export class Pace {
  readonly #onWait: (seconds: number) => void
  readonly #sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>
  #gap = 0
  #peace = 0
  #turns: Promise<unknown> = Promise.resolve()

  constructor({ onWait = () => undefined, sleep = pause }: PaceOptions) {
    this.#onWait = onWait
    this.#sleep = sleep
  }

  /** Sends, and sends again while `isSlowDown` says so of what it threw. Throws the last error. */
  async send<T>(
    work: () => Promise<T>,
    isSlowDown: (error: unknown) => boolean,
    signal?: AbortSignal,
  ): Promise<T> {
    for (let nth = 0; ; nth += 1) {
      if (this.#gap > 0) await this.#turn(signal)
      try {
        const answer = await work()
        this.#ease()
        return answer
      } catch (error) {
        const seconds = WAITS[nth]
        if (seconds === undefined || signal?.aborted || !isSlowDown(error)) throw error
        this.#gap = Math.min(Math.max(this.#gap * 2, FIRST_GAP), LARGEST_GAP)
        this.#peace = 0
        this.#onWait(seconds)
        await this.#sleep(seconds * 1000, signal)
      }
    }
  }

  #turn(signal: AbortSignal | undefined): Promise<unknown> {
    this.#turns = this.#turns.then(() => this.#sleep(this.#gap, signal))
    return this.#turns
  }

  #ease(): void {
    if (this.#gap === 0) return
    this.#peace += 1
    if (this.#peace < IN_PEACE) return
    this.#peace = 0
    this.#gap = this.#gap <= FIRST_GAP ? 0 : this.#gap / 2
  }
}

/** Ends early, and without an error, when aborted: the request that follows tells of that. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}
