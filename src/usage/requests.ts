import { DAY_MS } from '../core/clock.ts'
import { classOfOperation, listPrice, type OperationClass } from '../plan/prices.ts'
import type { Usage } from '../plan/report-usage.ts'
import type { AnalyticsPort, R2Day } from '../services/cloudflare/port.ts'

type Analytics = NonNullable<Usage['analytics']>
type Operation = Analytics['operations'][number]

/** Days that are shown; Cloudflare keeps 31. */
export const SHOWN_DAYS = 30
/** Days that are asked for at the same time. */
const AT_ONCE = 6

/** `2026-11-29`, UTC. */
function dayOf(time: number): string {
  return new Date(time).toISOString().slice(0, 10)
}

/** The last thirty days and the whole of this month, the oldest first; today is the last. */
export function daysUpTo(now: Date): string[] {
  const count = Math.max(SHOWN_DAYS, now.getUTCDate())
  return Array.from({ length: count }, (_, at) => dayOf(now.getTime() - (count - 1 - at) * DAY_MS))
}

/** Every one of these days, as the whole account used it. Throws the first Problem. */
export async function readDays(
  analytics: AnalyticsPort,
  accountId: string,
  days: readonly string[],
): Promise<R2Day[]> {
  const found: R2Day[] = []
  for (let at = 0; at < days.length; at += AT_ONCE) {
    const some = days.slice(at, at + AT_ONCE)
    found.push(...(await Promise.all(some.map((day) => analytics.r2Day(accountId, day)))))
  }
  return found
}

/** Refused for want of rights, which is not charged (Cloudflare docs, r2/pricing, FAQ). */
const UNCHARGED = [401, 403]

/** How many requests of each class a day had. */
function requestsOf({ operations }: R2Day): Record<OperationClass, number> {
  const counts = { A: 0, B: 0, free: 0, unlisted: 0 }
  for (const { action, status, requests } of operations) {
    if (!UNCHARGED.includes(status)) counts[classOfOperation(action)] += requests
  }
  return counts
}

/** Each day in numbers. One without a sample holds what the day before held. */
export function dayRows(days: readonly R2Day[]): Analytics['days'] {
  let last = { objects: 0, bytes: 0 }
  return days.map((day) => {
    if (day.storage.length > 0) {
      const sum = (of: 'objects' | 'bytes') =>
        day.storage.reduce((all, bucket) => all + bucket[of], 0)
      last = { objects: sum('objects'), bytes: sum('bytes') }
    }
    const { A: classA, B: classB, free, unlisted } = requestsOf(day)
    return { day: day.day, classA, classB, free, unlisted, ...last }
  })
}

/** What was asked of the account in these days, the dearest first. `bucket` as the analytics call it. */
export function operationRows(days: readonly R2Day[], bucket: string): Operation[] {
  const found = new Map<string, Operation>()
  for (const one of days.flatMap(({ operations }) => operations)) {
    const { action, status, requests } = one
    if (UNCHARGED.includes(status)) continue
    const row = found.get(action) ?? {
      action,
      class: classOfOperation(action),
      requests: 0,
      elsewhere: 0,
      notFound: 0,
      listPrice: 0,
    }
    row.requests += requests
    if (one.bucket !== bucket) row.elsewhere += requests
    if (status === 404) row.notFound += requests
    row.listPrice = listPrice(action, row.requests)
    found.set(action, row)
  }
  return [...found.values()].sort(
    (one, other) => other.listPrice - one.listPrice || other.requests - one.requests,
  )
}
