import type { Clock } from '../plan/step.ts'
import type { Migration } from './migration.ts'

/** Milliseconds after which it is not waited for any longer. */
const PATIENCE_MS = 5_000

export interface LatencyOptions {
  readonly clock: Pick<Clock, 'sleep'>
  /** Requests, one after the other; the first may have to connect. */
  readonly tries: number
}

/** Milliseconds of the fastest of a few requests to the bucket; null when it does not answer. */
export async function latency(
  { bucket }: Pick<Migration, 'bucket'>,
  { clock, tries }: LatencyOptions,
): Promise<number | null> {
  const enough = new AbortController()
  const late = clock.sleep(PATIENCE_MS, enough.signal).then(() => null)
  try {
    return await Promise.race([measured(bucket, tries), late])
  } finally {
    enough.abort()
  }
}

async function measured(bucket: Migration['bucket'], most: number): Promise<number | null> {
  try {
    let fastest = Number.POSITIVE_INFINITY
    for (let tries = 0; tries < most; tries++) {
      const before = performance.now()
      await bucket().headBucket()
      fastest = Math.min(fastest, performance.now() - before)
    }
    return fastest
  } catch {
    return null
  }
}
