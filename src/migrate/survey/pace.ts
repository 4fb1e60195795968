import type { Pace } from './costs.ts'

/**
 * Where nothing was measured: 0.15 s for an upload, 100 Mbit/s. More than 400 objects a second rclone
 * did not do with 64 transfers on two cores, at 50 ms a request.
 */
const ASSUMED = { latencyMs: 150, bytesPerSecond: 12_500_000 }
const MOST_OBJECTS = 400

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  '': 1024,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
}

/** `latencyMs`: of one request, measured; `bwlimit` as rclone's --bwlimit takes it. */
export function paceOf(at: {
  readonly transfers: number
  readonly bwlimit: string | undefined
  readonly latencyMs?: number | undefined
  readonly bytesPerSecond?: number | undefined
}): Pace {
  const { latencyMs = ASSUMED.latencyMs, bytesPerSecond = ASSUMED.bytesPerSecond } = at
  const each = at.transfers / (Math.max(latencyMs, 1) / 1000)
  return {
    objectsPerSecond: Math.min(each, MOST_OBJECTS),
    bytesPerSecond: Math.min(bytesPerSecond, limitOf(at.bwlimit)),
  }
}

/** Bytes a second; a timetable, or separate limits for both ways, count as none. */
function limitOf(bwlimit: string | undefined): number {
  const [, number = '', unit = ''] =
    /^(\d+(?:\.\d+)?)([BKMGT]?)(?:i?B)?$/i.exec(bwlimit ?? '') ?? []
  const limit = Number(number) * (UNITS[unit.toUpperCase()] ?? 1024)
  return limit > 0 ? limit : Number.POSITIVE_INFINITY
}
