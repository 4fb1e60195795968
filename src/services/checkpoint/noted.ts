import { blankCheckpoint } from './blank-checkpoint.ts'
import type { Checkpoint, CheckpointPort } from './port.ts'

/** Writes some of a checkpoint's facts and leaves the others. The port's Problems. */
export async function noted(
  checkpoint: CheckpointPort,
  facts: Partial<
    Pick<Checkpoint, 'announcedAt' | 'switchedAt' | 'equalAt' | 'surveyed' | 'slurperJobs'>
  >,
): Promise<void> {
  await checkpoint.write({ ...blankCheckpoint, ...(await checkpoint.read()), ...facts })
}
