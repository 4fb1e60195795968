/** One request of this program, answered or not; milliseconds since it was started. */
export interface Timed {
  /** Method and path. */
  readonly what: string
  readonly begin: number
  readonly end: number
}

/** Times are rounded to milliseconds before they come here. */
const ROUNDED_MS = 1

/**
 * What the end of a run waited for: from the last answer backwards, each time the request that was
 * answered last before the next one began. Only these, made fewer or faster, would end it earlier.
 */
export function waitedFor(requests: readonly Timed[]): Timed[] {
  const byEnd = requests.toSorted((a, b) => a.end - b.end)
  const row: Timed[] = []
  let next = Number.POSITIVE_INFINITY
  for (const request of byEnd.reverse()) {
    if (request.end > next + ROUNDED_MS) continue
    row.push(request)
    next = request.begin
  }
  return row.reverse()
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
  const trips = row.length === 1 ? '1 round trip' : `${row.length} round trips`
  return [
    `Timings: ${requests.length} requests; ${trips} one after another is what the end waited for.`,
    ...folded(row),
    `Of ${seconds(total)} these answers took ${seconds(waited)}; the rest is pauses, and the work of this program.`,
  ]
}

/** The same request again and again, as one asks how far something is, is one line. */
function folded(row: readonly Timed[]): string[] {
  const groups: Timed[][] = []
  for (const request of row) {
    const last = groups.at(-1)
    if (last?.[0]?.what === request.what) last.push(request)
    else groups.push([request])
  }
  return groups.map((group) => {
    const took = group.reduce((sum, { begin, end }) => sum + end - begin, 0)
    const times = group.length === 1 ? '' : `, ${group.length} times`
    const at = seconds(group[0]?.begin ?? 0).padStart(9)
    return `  at ${at} ${`${Math.round(took)} ms`.padStart(9)}  ${group[0]?.what}${times}`
  })
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(2)} s`
}
