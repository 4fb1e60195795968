import type { Verdict } from '../../plan/verdict.ts'

/** Mastodon waits this long for an answer, and tries once (its config/initializers/paperclip.rb). */
const READ_TIMEOUT_MS = 5_000
const SLOW_MS = 1_000

/** How fast R2 answered; `times` in milliseconds. */
export function latencyOf(times: readonly number[]): Verdict {
  const sorted = [...times].sort((a, b) => a - b)
  const p95 = Math.round(sorted[Math.ceil(sorted.length * 0.95) - 1] ?? 0)
  const median = Math.round(sorted[Math.floor((sorted.length - 1) / 2)] ?? 0)
  const saw = `${sorted.length} requests: half within ${median} ms, 95 % within ${p95} ms`
  if (p95 < SLOW_MS) return { severity: 'ok', saw }
  return {
    severity: p95 < READ_TIMEOUT_MS / 2 ? 'note' : 'warning',
    saw: `${saw}; that is slow`,
    matters:
      'Mastodon gives a request 5 s and tries once. After ten failures its breaker "object-storage" (Stoplight::Error::RedLight) refuses uploads with 503 for 30 s.',
    next: 'Run this again at another time. If it stays slow, put S3_READ_TIMEOUT=15 and S3_RETRY_LIMIT=1 (Mastodon 4.3 or newer) into the env file, and restart Mastodon.',
  }
}
