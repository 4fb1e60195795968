import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
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

/**
 * What the work gives, or Cancelled once the signal was aborted and the work has had `graceMs` more
 * (milliseconds; none unless told). Only for what can be left at any moment: it goes on unheard.
 */
export async function unlessStopped<T>(
  signal: AbortSignal | undefined,
  work: Promise<T>,
  graceMs = 0,
): Promise<T> {
  if (signal === undefined) return work
  const over = new AbortController()
  const stopped = async (): Promise<never> => {
    if (!signal.aborted) await once(signal, 'abort', { signal: over.signal })
    if (graceMs > 0) await after(graceMs, undefined, { signal: over.signal })
    throw new Cancelled()
  }
  try {
    return await Promise.race([work, stopped()])
  } finally {
    over.abort()
  }
}

/** Milliseconds. */
export const DAY_MS = 86_400_000
