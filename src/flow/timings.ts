import { counted } from '../core/amounts.ts'

/** One request of this program, answered or not; milliseconds since it was started. */
export interface Timed {
  /** Method and path. */
  readonly what: string
  readonly begin: number
  readonly end: number
  /** From the first to the last of as many that asked how far something is; one unless told. */
  readonly times?: number
}

/** What is asked so often asks how far something is: no other request is sent again and again. */
const A_WAIT = 5

/** Times are rounded to milliseconds before they come here. */
const ROUNDED_MS = 1

/**
 * What the end of a run waited for: from the last answer backwards, each time the request that was
 * answered last before the next one began. Only these, made fewer or faster, would end it earlier.
 */
export function waitedFor(requests: readonly Timed[]): Timed[] {
  const byEnd = withWaits(requests).toSorted((a, b) => a.end - b.end)
  const row: Timed[] = []
  let next = Number.POSITIVE_INFINITY
  for (const request of byEnd.reverse()) {
    if (request.end > next + ROUNDED_MS) continue
    row.push(request)
    next = request.begin
  }
  return row.reverse()
}

/** Each row of requests that ask how far something is as the one wait that it is. */
function withWaits(requests: readonly Timed[]): Timed[] {
  const names = [...new Set(requests.map(({ what }) => what))]
  return names.flatMap((what) => {
    const asked = requests.filter((request) => request.what === what)
    if (asked.length < A_WAIT) return asked
    const begin = Math.min(...asked.map((request) => request.begin))
    const end = Math.max(...asked.map((request) => request.end))
    return [{ what, begin, end, times: asked.length }]
  })
}

/** The requests of a run, for --timings. */
export class Timings {
  readonly #requests: Timed[] = []

  /** Called when a request is over; `ms` is how long it took. */
  add({
    method,
    path,
    ms,
  }: {
    readonly method: string
    readonly path: string
    readonly ms: number
  }) {
    const end = performance.now()
    this.#requests.push({ what: `${method} ${path}`, begin: end - ms, end })
  }

  lines(): string[] {
    return timingLines(this.#requests, performance.now())
  }
}

/** The row of round trips as people read it; `total` is the time of the whole run. */
export function timingLines(requests: readonly Timed[], total: number): string[] {
  const row = waitedFor(requests)
  const waited = row.reduce((sum, { begin, end }) => sum + end - begin, 0)
  const trips = counted(row.length, 'round trip')
  return [
    `Timings: ${counted(requests.length, 'request')}; ${trips} one after another is what the end waited for.`,
    ...row.map(line),
    `Of ${seconds(total)} these took ${seconds(waited)}; the rest is the work of this program, and of who was asked.`,
  ]
}

function line({ what, begin, end, times }: Timed): string {
  const took = `${Math.round(end - begin)} ms`.padStart(9)
  // Which account or key it is of, and how a list was asked for, tells nothing of the time.
  const short = what.replace(/\?.*$/, '').replaceAll(/([0-9a-f]{4})[0-9a-f]{28,}/g, '$1...')
  return `  at ${seconds(begin).padStart(9)} ${took}  ${short}${times ? `, ${times} times` : ''}`
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
