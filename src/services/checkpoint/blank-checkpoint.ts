import type { Checkpoint } from './port.ts'

/** What is known before the first run. */
export const blankCheckpoint: Checkpoint = {
  version: 1,
  completeSince: undefined,
  begunAt: undefined,
  failed: [],
  vanished: [],
  selection: '',
  announcedAt: undefined,
  copied: { objects: 0, bytes: 0 },
  switchedAt: undefined,
  equalAt: undefined,
}
