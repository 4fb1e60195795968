import type { MediaClass } from './media-class.ts'
import type { SeededRandom } from './seeded-random.ts'

const DAY_MS = 24 * 3600 * 1000
/** Records are this old at most, days. */
export const OLDEST_DAYS = 90

/** A new id of this kind; `at`, and what a snowflake holds above its 16 lowest bits: milliseconds. */
export function recordId(ids: MediaClass['ids'], random: SeededRandom, at: number): string {
  if (ids === 'row') return String(1 + random.below(40_000_000))
  return String((BigInt(at) << 16n) | BigInt(random.below(65_536)))
}

/** Groups of three digits, nine digits at least (Paperclip's `:id_partition`). */
export function idPartition(id: string): string {
  const whole = id.padStart(Math.max(9, Math.ceil(id.length / 3) * 3), '0')
  return (whole.match(/\d{3}/g) ?? []).join('/')
}

/**
 * Days since the record was made. Row numbers hold no time, so the age of such a record is told by
 * its number.
 */
export function ageInDays(partition: string, now: number): number {
  const id = BigInt(partition.replaceAll('/', ''))
  if (id < 1n << 40n) return Number(id % BigInt(OLDEST_DAYS))
  return (now - Number(id >> 16n)) / DAY_MS
}
