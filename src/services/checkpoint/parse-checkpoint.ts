import type { Checkpoint } from './port.ts'

/** Undefined: not a checkpoint of ours, or a torn one. `newer`: of a version that is not known. */
export function parseCheckpoint(text: string): Checkpoint | 'newer' | undefined {
  const read = parse(text)
  if (!isRecord(read)) return undefined
  if (typeof read.version === 'number' && read.version > 1) return 'newer'
  if (read.version !== 1 || typeof read.selection !== 'string') return undefined
  const { failed = [], vanished = [], copied, surveyed } = read
  if (!Array.isArray(failed) || !failed.every(isFailure)) return undefined
  if (!Array.isArray(vanished) || !vanished.every(isText)) return undefined
  if (!isTally(copied)) return undefined
  const times = ['completeSince', 'begunAt', 'announcedAt', 'switchedAt', 'equalAt'] as const
  if (!times.every((name) => isTime(read[name]))) return undefined
  if (surveyed !== undefined && !(isTally(surveyed) && isTime(surveyed.at))) return undefined
  return { failed, vanished, ...read } as unknown as Checkpoint
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isTime(value: unknown): boolean {
  return value === undefined || (isText(value) && !Number.isNaN(Date.parse(value)))
}

function isFailure(value: unknown): boolean {
  return isRecord(value) && isText(value.key) && isText(value.reason)
}

function isTally(value: unknown): value is Record<string, unknown> {
  return isRecord(value) && [value.objects, value.bytes].every(Number.isFinite)
}
