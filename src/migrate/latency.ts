import type { Clock } from '../plan/step.ts'
import type { Migration } from './migration.ts'

/** Milliseconds after which it is not waited for any longer. */
const PATIENCE_MS = 5_000

export interface LatencyOptions {
  readonly clock: Pick<Clock, 'sleep'>
  /** Requests, one after the other; the first may have to connect. */
  readonly tries: number
  /** Told after each: milliseconds of the fastest so far. */
  readonly fastest?: (ms: number) => void
}

/** Milliseconds of the fastest of a few requests to the bucket; null when it does not answer. */
export async function latency(
  { bucket }: Pick<Migration, 'bucket'>,
  { clock, tries, fastest }: LatencyOptions,
): Promise<number | null> {
  const enough = new AbortController()
  const late = clock.sleep(PATIENCE_MS, enough.signal).then(() => null)
  const measured = measure(bucket, tries, fastest).catch(() => null)
  try {
    return await Promise.race([measured, late])
  } finally {
    enough.abort()
  }
}

async function measure(
  bucket: Migration['bucket'],
  tries: number,
  told: LatencyOptions['fastest'],
): Promise<number> {
  let fastest = Number.POSITIVE_INFINITY
  for (let tried = 0; tried < tries; tried += 1) {
    const before = performance.now()
    await bucket().headBucket()
    fastest = Math.min(fastest, performance.now() - before)
    told?.(fastest)
  }
  return fastest
}

const PROBES = 3

/** Asks the bucket how long a small request takes, beside what is done meanwhile. */
export class Probe {
  #ms: number | undefined
  /** Resolves after the first answer, or once none is waited for any longer. */
  readonly answered: Promise<void>

  constructor(migration: Pick<Migration, 'bucket'>, clock: Pick<Clock, 'sleep'>) {
    this.answered = new Promise((resolve) => {
      const fastest = (ms: number) => {
        this.#ms = ms
        resolve()
      }
      const over = () => resolve()
      void latency(migration, { clock, tries: PROBES, fastest }).then(over, over)
    })
  }

  /** Milliseconds of the fastest so far. */
  get ms(): number | undefined {
    return this.#ms
  }
}
