import { once } from 'node:events'
import { setTimeout as after } from 'node:timers/promises'
import { Cancelled } from './problem.ts'
import { asRoot, prose, type Text } from './to-type.ts'

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
      Buffer.from(crypto.getRandomValues(new Uint8Array(Math.ceil(length / 2))))
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

/** What a person types whose clock is wrong. */
export const setClock = asRoot('timedatectl set-ntp true')

/** Names under which S3 services refuse a request for its time (AWS SDK, clock skew error codes). */
export const CLOCK_REFUSAL =
  /^(RequestTimeTooSkewed|RequestInTheFuture|RequestExpired|ExpiredRequest)$/

/** Why no connection came about, where this machine's clock may be the reason; by Node's error code. */
export function clockTrouble(
  code: string,
  now = new Date(),
): { readonly why: string; readonly next: Text } | undefined {
  if (!/^CERT_(NOT_YET_VALID|HAS_EXPIRED)$/.test(code)) return undefined
  const state = code === 'CERT_HAS_EXPIRED' ? 'has expired' : 'is not valid yet'
  const time = now
    .toISOString()
    .replace('T', ' ')
    .replace(/:\d+\.\d+Z$/, ' UTC')
  return {
    why: `The certificate of the other end ${state} by this machine's clock, which says ${time}.`,
    next: prose`If that is not the time, set the clock, and run this again:\n  ${setClock}\nIf it is, whoever runs the other end has to renew the certificate.`,
  }
}
