import { bytesOf, count, duration } from '../../core/amounts.ts'

interface Amount {
  readonly objects: number
  readonly bytes: number
}

/** Where a copy stands. Bytes and milliseconds. */
export interface CopyState extends Amount {
  readonly total: Amount | undefined
  readonly failed: number
  readonly elapsedMs: number
  /** A second; what `CopyPace` makes of the states so far. Undefined where it is too early for one. */
  readonly rate?: Amount | undefined
  /** The kind of media of the last file that was copied. */
  readonly now?: string | undefined
}

/** Too early to tell a rate by, and too early to tell from it how long the rest takes. */
const SETTLED_MS = 2_000
const FORESEEN_MS = 10_000
/** The rate of the last half minute, older ones fading out, so that what is left does not jump. */
const MEMORY_MS = 30_000

/** How fast a copy goes: an average in which what is longer ago counts for less. */
export class CopyPace {
  #last: (Amount & { readonly elapsedMs: number }) | undefined
  #rate: Amount | undefined

  /** Per second, of the states so far and this one; undefined until they are settled. */
  after({ objects, bytes, elapsedMs }: CopyState): Amount | undefined {
    const last = this.#last ?? { objects: 0, bytes: 0, elapsedMs: 0 }
    const took = elapsedMs - last.elapsedMs
    if (elapsedMs < SETTLED_MS) return undefined
    if (took <= 0) return this.#rate
    const mean = (now: number, before: number, rate = 0) => {
      // As many milliseconds as there were count, until there are more than are remembered.
      const weight = Math.min(took / Math.min(elapsedMs, MEMORY_MS), 1)
      return rate + weight * ((Math.max(now - before, 0) * 1000) / took - rate)
    }
    this.#rate = {
      objects: mean(objects, last.objects, this.#rate?.objects),
      bytes: mean(bytes, last.bytes, this.#rate?.bytes),
    }
    this.#last = { objects, bytes, elapsedMs }
    return this.#rate
  }
}

/** Columns of the bar; below this width there is none. */
const BAR = 16
const BARRED = 60

/** One line of at most `width` characters; what matters least is left out first. */
export function copyLine(state: CopyState, width: number): string {
  const { objects, bytes, total, failed, rate } = state
  const share = total && shareOf(state, total)
  const left = state.elapsedMs < FORESEEN_MS ? undefined : msLeft(state)
  const parts: [rank: number, long: string, short?: string][] = []
  if (share !== undefined) {
    const bar = width < BARRED ? '' : `${barOf(share, BAR)} `
    parts.push([0, `${bar}${Math.floor(share * 100)} %`])
  }
  const of = total ? ` of ${count(total.objects)}` : ''
  parts.push([1, `${count(objects)}${of} files`, `${count(objects)} files`])
  const ofBytes = total ? ` of ${bytesOf(total.bytes)}` : ''
  parts.push([4, `${bytesOf(bytes)}${ofBytes}`, bytesOf(bytes)])
  if (rate !== undefined) {
    parts.push([5, `${bytesOf(rate.bytes)}/s`])
    parts.push([7, `${count(Math.round(rate.objects))} files/s`])
  }
  if (left !== undefined) parts.push([3, `${duration(left)} left`])
  if (failed > 0) parts.push([2, `${count(failed)} failed`])
  if (state.now !== undefined) parts.push([6, `now: ${state.now}`])
  return within(parts, width)
}

/** `[######----]`, of ASCII alone. */
function barOf(share: number, columns: number): string {
  const full = Math.floor(share * (columns - 2))
  return `[${'#'.repeat(full).padEnd(columns - 2, '-')}]`
}

function within(parts: readonly [number, string, string?][], width: number): string {
  const whole = parts.map(([, long]) => long).join(', ')
  if (whole.length <= width) return whole
  for (let most = 7; most >= 0; most -= 1) {
    const kept = parts.filter(([rank]) => rank <= most)
    const line = kept.map(([, long, short = long]) => short).join(', ')
    if (line.length <= width) return line
  }
  return ''
}

/** Small files cost requests, large ones bytes: the smaller share is the honest one. */
function shareOf({ objects, bytes, failed }: CopyState, total: Amount): number {
  const byCount = total.objects === 0 ? 1 : (objects + failed) / total.objects
  const bySize = total.bytes === 0 ? 1 : bytes / total.bytes
  return Math.min(byCount, failed > 0 ? byCount : bySize, 1)
}

/** For the same reason the longer one of both. */
function msLeft({ objects, bytes, failed, total, rate }: CopyState): number | undefined {
  if (!total || !rate) return undefined
  const seconds = (open: number, perSecond: number) => {
    if (open <= 0) return 0
    return perSecond > 0 ? open / perSecond : undefined
  }
  const byCount = seconds(total.objects - objects - failed, rate.objects)
  const bySize = failed > 0 ? 0 : seconds(total.bytes - bytes, rate.bytes)
  if (byCount === undefined || bySize === undefined) return undefined
  return Math.max(byCount, bySize) * 1000
}
