import { billFor } from '../../plan/prices.ts'
import { transfersFor } from '../../services/rclone/pace.ts'

/** What is to be carried: objects, bytes, and the Class A requests that upload them. */
export interface Load {
  readonly objects: number
  readonly bytes: number
  readonly uploads: number
}

/** How fast it goes. */
export interface Pace {
  readonly objectsPerSecond: number
  readonly bytesPerSecond: number
}

export interface Costs {
  readonly classA: number
  /** Stored, for a whole month; 1 GB is 10^9 bytes. */
  readonly gbMonths: number
  /** Dollars, beyond the free tier, which is the account's and may be in use elsewhere. */
  readonly classADollars: number
  readonly storageDollars: number
  readonly firstMonthDollars: number
  readonly hours: number
}

const MIB = 1024 * 1024
const GB = 1e9
/** rclone: --s3-upload-cutoff, --s3-chunk-size, and the most parts that S3 takes. */
const MULTIPART = { above: 200 * MIB, part: 8 * MIB, most: 10_000 }
/** Objects of one ListObjectsV2. */
const PAGE = 1000

/** Class A requests that upload one file: one, or begin, parts and end. */
export function uploadRequests(bytes: number): number {
  if (bytes <= MULTIPART.above) return 1
  return 2 + Math.min(Math.ceil(bytes / MULTIPART.part), MULTIPART.most)
}

/** One copy, one comparison afterwards, and a whole month of storage. */
export function costs(load: Load, pace: Pace): Costs {
  const classA = load.objects === 0 ? 0 : load.uploads + 1 + Math.ceil(load.objects / PAGE)
  const gbMonths = load.bytes / GB
  const bill = billFor({ gbMonths, classA, classB: 0 })
  return {
    classA,
    gbMonths,
    classADollars: bill.classA,
    storageDollars: bill.storage,
    firstMonthDollars: bill.total,
    hours: Math.max(load.objects / pace.objectsPerSecond, load.bytes / pace.bytesPerSecond) / 3600,
  }
}

/**
 * Where nothing was measured: 0.15 s for an upload, 100 Mbit/s. More than 400 objects a second rclone
 * did not do with 64 transfers on two cores, at 50 ms a request.
 */
const ASSUMED = { latencyMs: 150, bytesPerSecond: 12_500_000 }
const MOST_OBJECTS = 400

const UNITS: Readonly<Record<string, number>> = {
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
}

/** `latencyMs`: of one request, measured; `bwlimit` as rclone's --bwlimit takes it. */
export function paceOf(at: {
  /** Undefined: as many as suit the latency. */
  readonly transfers?: number | undefined
  readonly bwlimit: string | undefined
  readonly latencyMs?: number | undefined
  readonly bytesPerSecond?: number | undefined
}): Pace {
  const { latencyMs = ASSUMED.latencyMs, bytesPerSecond = ASSUMED.bytesPerSecond } = at
  const transfers = at.transfers ?? transfersFor(latencyMs)
  const each = transfers / (Math.max(latencyMs, 1) / 1000)
  return {
    objectsPerSecond: Math.min(each, MOST_OBJECTS),
    bytesPerSecond: Math.min(bytesPerSecond, limitOf(at.bwlimit)),
  }
}

/** Bytes a second; of separate limits for both ways the slower one. */
function limitOf(bwlimit = ''): number {
  const limits = bwlimit.split(':').map((rate) => {
    const [, number = '', unit = ''] = /^(\d+(?:\.\d+)?)([BKMG])$/i.exec(rate) ?? []
    return Number(number) * (UNITS[unit.toUpperCase()] ?? 0)
  })
  return Math.min(...limits.filter((limit) => limit > 0))
}
