import { randomBytes } from 'node:crypto'
import { setTimeout as after } from 'node:timers/promises'
import { Cancelled } from './problem.ts'

/** The real clock; sleeping ends with Cancelled when one of the signals is aborted. */
export function createClock(interrupted: AbortSignal) {
  return {
    now: () => new Date(),
    randomHex: (length: number) =>
      randomBytes(Math.ceil(length / 2))
        .toString('hex')
        .slice(0, length),
    async sleep(ms: number, signal?: AbortSignal) {
      const either = signal ? AbortSignal.any([interrupted, signal]) : interrupted
      try {
        await after(ms, undefined, { signal: either })
      } catch {
        throw new Cancelled()
      }
    },
  }
}
