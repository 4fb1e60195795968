import type { Checkpoint, CheckpointPort } from '../services/checkpoint/port.ts'

const nothing: Checkpoint = {
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

/** Writes some of a checkpoint's facts and leaves the others. The port's Problems. */
export async function noted(
  checkpoint: CheckpointPort,
  facts: Partial<
    Pick<Checkpoint, 'announcedAt' | 'switchedAt' | 'equalAt' | 'surveyed' | 'slurperJobs'>
  >,
): Promise<void> {
  await checkpoint.write({ ...nothing, ...(await checkpoint.read()), ...facts })
}
