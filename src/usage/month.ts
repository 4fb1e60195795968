import { DAY_MS } from '../core/clock.ts'
import { billFor, type MonthlyUse } from '../plan/prices.ts'
import type { Usage } from '../plan/report-usage.ts'

type Month = Usage['month']
type Day = NonNullable<Usage['analytics']>['days'][number]

const GB = 1e9
/** Whole days whose average goes on until the month ends. */
const RECENT = 7

/** What the month has cost so far, and what it costs at its end if all goes on as in the last week. */
export function monthOf(days: readonly Day[], now: Date): Month {
  const calendar = calendarOf(now)
  const past = days.filter(({ day }) => day >= calendar.first)
  const today = days.at(-1)
  const gone = (now.getTime() % DAY_MS) / DAY_MS
  // In days: what is left of this one, and the whole ones behind it.
  const left = calendar.days - past.length
  const daily = dailyRequests(days, gone)
  const gbDays = sum(past, ({ bytes }) => bytes) / GB
  const used = {
    gbMonths: gbDays / calendar.days,
    classA: sum(past, ({ classA }) => classA),
    classB: sum(past, ({ classB }) => classB),
  }
  const more = left + (1 - gone)
  return {
    ...calendar,
    soFar: billed(used),
    expected: billed({
      gbMonths: used.gbMonths + (((today?.bytes ?? 0) / GB) * left) / calendar.days,
      classA: Math.round(used.classA + daily.classA * more),
      classB: Math.round(used.classB + daily.classB * more),
    }),
  }
}

/** What is stored, kept for a whole month. */
export function monthOfStorage(bytes: number, now: Date): Month {
  const expected = billed({ gbMonths: bytes / GB, classA: 0, classB: 0 })
  return { ...calendarOf(now), soFar: null, expected }
}

/** Dollars that a month costs less without these bytes and reads, as it is expected otherwise. */
export function savedBy(
  expected: MonthlyUse,
  { bytes = 0, classB = 0 }: { readonly bytes?: number; readonly classB?: number },
): number {
  const gbMonths = Math.max(0, expected.gbMonths - bytes / GB)
  const less = { ...expected, gbMonths, classB: Math.max(0, expected.classB - classB) }
  return billFor(expected).total - billFor(less).total
}

function billed(use: MonthlyUse): Month['expected'] {
  return { ...use, bill: billFor(use) }
}

function calendarOf(now: Date): Pick<Month, 'first' | 'days'> {
  const [year, month] = [now.getUTCFullYear(), now.getUTCMonth()]
  return {
    first: new Date(Date.UTC(year, month, 1)).toISOString().slice(0, 10),
    days: new Date(Date.UTC(year, month + 1, 0)).getUTCDate(),
  }
}

/** `gone`: how much of today has passed, 0 to 1. */
function dailyRequests(days: readonly Day[], gone: number): Record<'classA' | 'classB', number> {
  const whole = days.slice(0, -1).slice(-RECENT)
  const [from, length] = whole.length > 0 ? [whole, whole.length] : [days, Math.max(gone, 0.01)]
  return {
    classA: sum(from, ({ classA }) => classA) / length,
    classB: sum(from, ({ classB }) => classB) / length,
  }
}

function sum(days: readonly Day[], of: (day: Day) => number): number {
  return days.reduce((all, day) => all + of(day), 0)
}
