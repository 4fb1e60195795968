import type { RunningProcess } from '../services/mastodon/processes-port.ts'

/** Whether every process of Mastodon has read the env file since it last changed. */
export type Freshness =
  /** `since`: when the last one began. */
  | { readonly is: 'fresh'; readonly since: Date; readonly count: number }
  | { readonly is: 'old'; readonly names: readonly string[] }
  /** `hidden`: waiting would not bring anything to light. */
  | { readonly is: 'unseen'; readonly why: string; readonly hidden: boolean }

/** Workers that a reload started came up within this time of each other, milliseconds. */
const TOGETHER_MS = 60_000

/**
 * The web part and Sidekiq both have to be seen: what is not on this machine may still use an old
 * key. Streaming does not use the storage. `restartedAt`: when this run restarted the services.
 */
export function judgeFreshness(
  running: readonly RunningProcess[] | undefined,
  changedAt: Date,
  restartedAt?: Date,
): Freshness {
  if (running === undefined) {
    return { is: 'unseen', why: "Mastodon's processes can't be seen from here", hidden: true }
  }
  const users = running.filter(({ role }) => role !== 'streaming')
  const missing = (['web', 'sidekiq'] as const).filter(
    (role) => !users.some((process) => process.role === role),
  )
  const old = users.filter((process) => !isFresh(process, changedAt, restartedAt))
  if (old.length > 0) return { is: 'old', names: old.map(({ name }) => name) }
  if (missing.length > 0) {
    const why = `no ${missing.join(' and no ')} process is seen on this machine`
    return { is: 'unseen', why, hidden: false }
  }
  const since = new Date(Math.max(...users.map(({ startedAt }) => startedAt.getTime())))
  return { is: 'fresh', since, count: users.length }
}

/**
 * A young worker below an old Puma: reloaded (all of them are young and came together), or only
 * replaced after a crash, which keeps the old settings. One worker alone can't tell.
 */
function isFresh({ startedAt, below }: RunningProcess, changedAt: Date, restartedAt?: Date) {
  if (startedAt <= changedAt) return false
  if (below === undefined || below.startedAt > changedAt) return true
  if (restartedAt !== undefined && startedAt >= restartedAt) return true
  return below.workers > 1 && below.spreadMs <= TOGETHER_MS
}
