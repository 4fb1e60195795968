import type { Comparison } from '../../plan/comparison.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'

/**
 * What the checkpoint holds after a comparison. Not equal: the next copy has to list the bucket again,
 * and copies what has another content, which no list shows.
 */
export function noteComparison(checkpoint: Checkpoint, comparison: Comparison): Checkpoint {
  if (comparison.equal) return { ...checkpoint, equalAt: comparison.at }
  const known = new Set(checkpoint.failed.map(({ key }) => key))
  const again = comparison.contentDiffers.examples.filter((key) => !known.has(key))
  const reason = 'another content in the bucket'
  const failed = [...checkpoint.failed, ...again.map((key) => ({ key, reason }))]
  // What changed since the last complete copy, to the same size, is found by this moment.
  const begunAt = checkpoint.begunAt ?? checkpoint.completeSince
  return { ...checkpoint, completeSince: undefined, begunAt, failed }
}
