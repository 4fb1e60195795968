import { setImmediate as othersTurn } from 'node:timers/promises'
import { Cancelled } from '../../core/problem.ts'
import type { MediaFile } from './port.ts'
import type { TreeWalk } from './walk.ts'

const BATCH = 1000
/** Milliseconds of walking before Ctrl-C and the screen get their turn. */
const SLICE_MS = 8

/** A walk in batches. */
export async function* inTurns(
  walk: TreeWalk,
  {
    signal,
    batch: size = BATCH,
  }: { readonly signal?: AbortSignal | undefined; readonly batch?: number } = {},
): AsyncGenerator<readonly MediaFile[]> {
  let batch: MediaFile[] = []
  for (let more = true; more; ) {
    if (signal?.aborted) throw new Cancelled()
    more = walk.fill(batch, size, performance.now() + SLICE_MS)
    if (batch.length >= size || (!more && batch.length > 0)) {
      yield batch
      batch = []
    }
    await othersTurn()
  }
}
