import { bytesOf, count, duration } from '../../core/amounts.ts'

/** Where a copy stands. Bytes and milliseconds. */
export interface CopyState {
  readonly objects: number
  readonly bytes: number
  readonly total: { readonly objects: number; readonly bytes: number } | undefined
  readonly failed: number
  readonly elapsedMs: number
}

/** Too early to tell a rate by. */
const SETTLED_MS = 2_000

/** One line of at most `width` characters; what matters least is left out first. */
export function copyLine(state: CopyState, width: number): string {
  const { objects, bytes, total, failed } = state
  const share = total && shareOf(state, total)
  const rate = state.elapsedMs < SETTLED_MS ? undefined : 1000 / state.elapsedMs
  const left = total && rate !== undefined ? timeLeft(state, total) : undefined
  const parts: [rank: number, long: string, short?: string][] = []
  if (share !== undefined) parts.push([0, `${Math.floor(share * 100)} %`])
  const of = total ? ` of ${count(total.objects)}` : ''
  parts.push([1, `${count(objects)}${of} files`, `${count(objects)} files`])
  const ofBytes = total ? ` of ${bytesOf(total.bytes)}` : ''
  parts.push([4, `${bytesOf(bytes)}${ofBytes}`, bytesOf(bytes)])
  if (rate !== undefined) {
    parts.push([5, `${bytesOf(bytes * rate)}/s`])
    parts.push([6, `${count(Math.round(objects * rate))} files/s`])
  }
  if (left !== undefined) parts.push([3, `${duration(left)} left`])
  if (failed > 0) parts.push([2, `${count(failed)} failed`])
  return within(parts, width)
}

function within(parts: readonly [number, string, string?][], width: number): string {
  const whole = parts.map(([, long]) => long).join(', ')
  if (whole.length <= width) return whole
  for (let most = 6; most >= 0; most -= 1) {
    const kept = parts.filter(([rank]) => rank <= most)
    const line = kept.map(([, long, short = long]) => short).join(', ')
    if (line.length <= width) return line
  }
  return ''
}

type Total = NonNullable<CopyState['total']>

/** Small files cost requests, large ones bytes: the smaller share is the honest one. */
function shareOf({ objects, bytes, failed }: CopyState, total: Total): number {
  const byCount = total.objects === 0 ? 1 : (objects + failed) / total.objects
  const bySize = total.bytes === 0 ? 1 : bytes / total.bytes
  return Math.min(byCount, failed > 0 ? byCount : bySize, 1)
}

function timeLeft(state: CopyState, total: Total): number | undefined {
  const share = shareOf(state, total)
  return share <= 0 ? undefined : (state.elapsedMs * (1 - share)) / share
}
