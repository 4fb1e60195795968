import type { Check } from '../../plan/verdict.ts'
import { probeUploads } from '../../setup/proof.ts'
import { insideCheck, type Open } from './inside.ts'
import { latencyOf } from './latency.ts'
import { stopwatch } from './stopwatch.ts'
import type { StorageAt } from './storage-door.ts'

/** The installer's own upload probe, with how long R2 took to answer. */
export function uploadCheck(open: Open): Check<keyof StorageAt | 'clock'> {
  return insideCheck<'clock'>(open, {
    id: 'storage-upload',
    title: 'Test upload',
    cost: 'probe',
    async inside({ s3 }, { clock }) {
      const watch = stopwatch(s3, clock)
      await probeUploads(watch.s3, clock.randomHex(16))
      return [
        { severity: 'ok', saw: 'upload, multipart, read, list and delete all work' },
        latencyOf(watch.times),
      ]
    },
  })
}
