import { bytesOf, count, counted } from '../core/amounts.ts'
import { dollars, prices } from '../plan/prices.ts'
import type { Usage } from '../plan/report-usage.ts'
import { dayChart, type Screen, shareBar, short } from './chart.ts'
import { SHOWN_DAYS } from './requests.ts'

const [NAME, SIZE, OBJECTS] = [24, 9, 11]
const LEAST_BAR = 6

interface Amount {
  readonly objects: number
  readonly bytes: number
}

/** Every line is indented, so that no voice breaks it, and none is wider than the screen. */
const indented = (lines: readonly string[]) => lines.map((line) => `  ${line}`)

/** One line an amount: name, size, objects, and a bar where there is room. */
function amountLines(
  rows: readonly (Amount & { readonly name: string })[],
  total: Amount,
  { width, unicode }: Screen,
): string[] {
  const room = width - 2
  const beside = room - NAME - SIZE - OBJECTS - 2
  const isNarrow = room < NAME + SIZE + OBJECTS
  return rows.map(({ name, objects, bytes }) => {
    const size = bytesOf(bytes).padStart(SIZE)
    if (isNarrow) return `${name.padEnd(room - SIZE - 7)}${size}${short(objects).padStart(7)}`
    const share = total.bytes === 0 ? 0 : bytes / total.bytes
    const bar = beside < LEAST_BAR ? '' : `  ${shareBar(share, Math.min(beside, 30), unicode)}`
    return `${name.padEnd(NAME)}${size}${count(objects).padStart(OBJECTS)}${bar}`.trimEnd()
  })
}

function ageName(days: number | null, before: number | undefined): string {
  if (days === null) return `older than ${before ?? 0} days`
  return before === undefined ? `up to ${days} days` : `${before} to ${days} days`
}

export function kindLines({ stored }: Usage, screen: Screen): string[] {
  const kinds = stored.kinds.map(({ title, ...amount }) => ({ name: title, ...amount }))
  const all = { name: 'in all', objects: stored.objects, bytes: stored.bytes }
  return indented(amountLines([...kinds, all], stored, screen))
}

export function ageLines({ stored }: Usage, screen: Screen): string[] {
  const rows = stored.ages.map(({ days, ...amount }, at) => ({
    name: ageName(days, stored.ages[at - 1]?.days ?? undefined),
    ...amount,
  }))
  return indented(amountLines(rows, stored, screen))
}

/** A chart of Class A and one of Class B. */
export function chartLines({ analytics }: Usage, screen: Screen): string[] {
  const days = (analytics?.days ?? []).slice(-SHOWN_DAYS)
  const own = { ...screen, width: screen.width - 2 }
  const chart = (name: string, of: 'classA' | 'classB') => [
    name,
    ...dayChart(
      days.map((day) => ({ day: day.day, value: day[of] })),
      own,
    ),
  ]
  return indented([
    ...chart('Class A (uploads, lists)', 'classA'),
    '',
    ...chart('Class B (reads, heads)', 'classB'),
  ])
}

/** The dearest requests of thirty days. */
export function operationLines({ analytics }: Usage, { width }: Screen): string[] {
  const rows = (analytics?.operations ?? []).filter(({ requests }) => requests > 0).slice(0, 6)
  const isNarrow = width < 60
  return indented(
    rows.flatMap(({ action, class: name, requests, listPrice }) => {
      const [columns, number] = isNarrow
        ? [21, short(requests).padStart(7)]
        : [32, count(requests).padStart(13)]
      // A name is never cut off: a long one has a line of its own.
      const above = action.length < columns ? [] : [action]
      const head = (above.length === 0 ? action : '').padEnd(columns)
      const kind = name === 'A' || name === 'B' ? name : '-'
      return [...above, `${head}${kind}${number}${dollars(listPrice).padStart(9)}`]
    }),
  )
}

/** The bill, line by line: so far, and as it is expected at the month's end. */
export function billLines({ month }: Usage, { width }: Screen): string[] {
  const { soFar, expected } = month
  const [name, cell] = width < 60 ? [17, 9] : [20, 14]
  const number = width < 60 ? short : count
  const uses = soFar ? [soFar, expected] : [expected]
  const row = (head: string, of: (use: typeof expected) => string) =>
    `${head.padEnd(name)}${uses.map((use) => of(use).padStart(cell)).join('')}`
  const heads = soFar ? ['so far', 'in all'] : ['in all']
  const requests = [
    row('Class A', ({ classA }) => number(classA)),
    row('', ({ bill }) => dollars(bill.classA)),
    row('Class B', ({ classB }) => number(classB)),
    row('', ({ bill }) => dollars(bill.classB)),
  ]
  return indented([
    `${''.padEnd(name)}${heads.map((head) => head.padStart(cell)).join('')}`,
    row('stored, GB-month', ({ gbMonths }) => gbMonths.toFixed(1)),
    row('', ({ bill }) => dollars(bill.storage)),
    ...(soFar ? requests : []),
    row(soFar ? 'the bill' : 'storage alone', ({ bill }) => dollars(bill.total)),
  ])
}

/** Where the numbers come from, and what they leave out. */
export function noteLines({ month, stored, analytics, withoutAnalytics }: Usage): string[] {
  const { free } = prices
  const tier = `${free.gbMonths} GB-months, ${short(free.classA)} of Class A and ${short(free.classB)} of Class B are free each month for an account; what is beyond is rounded up to whole GB and millions.`
  const table = `Prices of Standard storage, as they stood on ${prices.readOn} at ${prices.source}`
  const list = `This look took ${counted(stored.listRequests, 'request')} of Class A.`
  if (analytics === null) {
    return [
      `From the list of the bucket alone: ${withoutAnalytics ?? ''} Requests, and other buckets of the account, are not in it; it is as if the free storage were all for this bucket.`,
      tier,
      table,
      list,
    ]
  }
  const days = `The month is the calendar's, from ${month.first} on (UTC). Its end is reckoned from what is stored today and the requests of the last seven days.`
  return [
    `Requests and the bill are those of the whole account, from Cloudflare's analytics, which count by samples.`,
    days,
    tier,
    table,
    list,
  ]
}
