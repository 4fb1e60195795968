import { randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { Cancelled } from './problem.ts'

const TIDY_MS = 2_000

export type RunClock = ReturnType<typeof createClock>

/** The real clock; sleeping ends with Cancelled when one of the signals is aborted. */
export function createClock(interrupted: AbortSignal) {
  const sleep = async (ms: number, signal?: AbortSignal) => {
    const either = signal ? AbortSignal.any([interrupted, signal]) : interrupted
    try {
      await after(ms, undefined, { signal: either })
    } catch {
      throw new Cancelled()
    }
  }
  return {
    now: () => new Date(),
    randomHex: (length: number) =>
      randomBytes(Math.ceil(length / 2))
        .toString('hex')
        .slice(0, length),
    sleep,
    /**
     * For pauses between repeated requests: Ctrl-C ends them too, but what is tidied up after it
     * still gets its repetitions, two seconds apart at most.
     */
    sleepOrTidy: (ms: number) => (interrupted.aborted ? after(Math.min(ms, TIDY_MS)) : sleep(ms)),
  }
}

/** Milliseconds. */
export const DAY_MS = 86_400_000
