import { Problem } from '../../core/problem.ts'
import type { SlurperSource } from '../../services/cloudflare/slurper-port.ts'

/** Above so many bytes Cloudflare's own engine is worth its set-up: 500 GB. */
const MANY_BYTES = 500e9
/** A copy through this machine that takes longer is held up by its line. */
const LONG_HOURS = 24

export interface SlurperAdvice {
  readonly advice: 'recommended' | 'possible' | 'impossible'
  /** One sentence. */
  readonly why: string
}

/**
 * Whether Super Slurper should carry a migration from another provider. `bytesPerSecond`: what this
 * machine moves, undefined when it wasn't measured; every byte passes it once down and once up.
 */
export function slurperAdvice(about: {
  readonly source: SlurperSource | Problem
  readonly bytes: number
  readonly bytesPerSecond: number | undefined
}): SlurperAdvice {
  const { source, bytes, bytesPerSecond } = about
  if (source instanceof Problem) {
    return { advice: 'impossible', why: `${source.what} ${source.why}` }
  }
  if (bytes >= MANY_BYTES) {
    const size = (bytes / 1e9).toFixed(0)
    return {
      advice: 'recommended',
      why: `${size} GB are much for one machine; Super Slurper copies from provider to R2 without it.`,
    }
  }
  const hours = bytesPerSecond ? bytes / bytesPerSecond / 3600 : 0
  if (hours >= LONG_HOURS) {
    return {
      advice: 'recommended',
      why: `At the speed of this machine's line the copy takes about ${Math.round(hours)} hours; Super Slurper does not use that line.`,
    }
  }
  return { advice: 'possible', why: 'rclone on this machine does it in reasonable time.' }
}
