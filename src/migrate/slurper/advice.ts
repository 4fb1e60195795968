import { count } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import type { SlurperSource } from '../../services/cloudflare/port.ts'
import type { SlurperTotal } from './jobs.ts'

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

const JOBS = 'https://dash.cloudflare.com/?to=/:account/r2/slurper'
const RCLONE = 'Or leave out --engine super-slurper: then rclone on this machine copies it.'

export function cannotRead(source: string): Problem {
  return new Problem({
    code: 'slurper-cannot-read',
    what: `Cloudflare can't read ${source}.`,
    why: "It tried with the key of Mastodon's env file and does not say why it failed. The usual reasons: the key may not list the bucket, S3_REGION is wrong, or the provider lets in certain addresses only.",
    next: `Give the key the right to list and read, check S3_REGION, let every address in for the time of the copy; then run this again. ${RCLONE}`,
  })
}

export function cannotWrite(bucket: string): Problem {
  return new Problem({
    code: 'slurper-cannot-write',
    what: `Super Slurper can't write into ${bucket}.`,
    why: "It tried with Mastodon's key for R2 and does not say why it failed. A key that is limited to this machine's address (--allow-ip) can't be used from Cloudflare's machines.",
    next: prose`See that the key works:\n  ${toType('check')}\nIf it is limited to addresses, make one that is not:\n  ${toType('rotate', { allowIp: ['0.0.0.0/0', '::/0'] })}\n${RCLONE}`,
  })
}

export function wrongJurisdiction(): Problem {
  return new Problem({
    code: 'slurper-jurisdiction',
    what: 'Super Slurper can not copy into a bucket with the jurisdiction fedramp-high.',
    why: 'Its API does not know that jurisdiction.',
    next: 'Leave out --engine super-slurper: then rclone on this machine copies it.',
    exit: 2,
  })
}

export function paused(total: SlurperTotal): Problem {
  return new Problem({
    code: 'slurper-paused',
    what: 'A job of Super Slurper was paused.',
    why: `Somebody paused it at Cloudflare; ${count(total.transferred)} objects are copied, and stay.`,
    next: `Run the same command again to let it go on, or abort it at ${JOBS}`,
  })
}

export function aborted(total: SlurperTotal): Problem {
  return new Problem({
    code: 'slurper-aborted',
    what: 'A job of Super Slurper ended before it was done.',
    why: `Somebody aborted or deleted it at Cloudflare, or it could not go on; ${count(total.transferred)} objects are copied, and stay.`,
    next: `Its log says more: ${JOBS}. Run the same command again: a new job copies what is missing. ${RCLONE}`,
  })
}
