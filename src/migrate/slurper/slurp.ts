import type { Problem } from '../../core/problem.ts'
import type { BucketRef } from '../../services/cloudflare/port.ts'
import type { SlurperSource } from '../../services/cloudflare/slurper-port.ts'

/** From where to where Super Slurper copies. */
export interface Slurp {
  /** The bucket on R2. */
  readonly at: BucketRef
  /** The old bucket, or why it can't be read so. */
  readonly source: SlurperSource | Problem
}
