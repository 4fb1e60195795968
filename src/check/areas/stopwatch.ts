import type { Clock } from '../../plan/step.ts'
import type { S3Port } from '../../services/s3/port.ts'

export interface Stopwatch {
  readonly s3: S3Port
  /** Milliseconds of each request so far. Uploads are left out: they measure the line, not R2. */
  readonly times: readonly number[]
}

/** The same bucket, with every request but uploads timed. */
export function stopwatch(s3: S3Port, clock: Clock): Stopwatch {
  const times: number[] = []
  async function timed<T>(work: Promise<T>): Promise<T> {
    const began = clock.now().getTime()
    const result = await work
    times.push(Math.max(0, clock.now().getTime() - began))
    return result
  }
  return {
    times,
    s3: {
      headBucket: () => timed(s3.headBucket()),
      put: (...wish) => s3.put(...wish),
      putMultipart: (...wish) => s3.putMultipart(...wish),
      get: (...wish) => timed(s3.get(...wish)),
      head: (...wish) => timed(s3.head(...wish)),
      pages: (...wish) => s3.pages(...wish),
      list: (...wish) => timed(s3.list(...wish)),
      delete: (...wish) => timed(s3.delete(...wish)),
      deleteMany: (...wish) => timed(s3.deleteMany(...wish)),
      listBuckets: () => timed(s3.listBuckets()),
      serverTime: () => timed(s3.serverTime()),
    },
  }
}
