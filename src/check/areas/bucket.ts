import type { Check } from '../../plan/verdict.ts'
import type { Open } from './inside.ts'
import type { StorageAt } from './storage-door.ts'

/** Does the bucket open with what the env file says? One HEAD; all of --quick there is here. */
export function bucketCheck(open: Open): Check<keyof StorageAt> {
  return {
    id: 'storage-bucket',
    about: 'storage',
    title: 'Bucket',
    cost: 'look',
    async look(at) {
      const door = await open(at)
      if (door.is === 'shut') return [door.verdict]
      return [{ severity: 'ok', saw: `${door.bucket} opens at ${door.endpoint}` }]
    },
  }
}
