import type { Comparison } from '../../../src/plan/report-schema.ts'
import type { Checkpoint } from '../../../src/services/checkpoint/port.ts'
import { blankCheckpoint } from '../../../src/services/checkpoint/port.ts'

/** A checkpoint after a whole copy. */
export const noted: Checkpoint = {
  ...blankCheckpoint,
  completeSince: '2026-11-22T08:00:00.000Z',
}

export function tallyOf(objects: number, bytes: number, examples: string[]): Comparison['missing'] {
  return { objects, bytes, examples }
}

/** Both sides are equal but for what is told. */
export function comparisonOf(more: Partial<Comparison> = {}): Comparison {
  const none = tallyOf(0, 0, [])
  return {
    at: '2026-11-22T10:00:00.000Z',
    source: '/srv/system',
    equal: true,
    same: { objects: 20_000, bytes: 3_100_000_000 },
    missing: none,
    sizeDiffers: none,
    contentDiffers: none,
    unreadable: none,
    extra: none,
    uploaded: none,
    deletedSince: none,
    leftOut: {},
    oddities: 0,
    contents: null,
    headers: null,
    ...more,
  }
}
