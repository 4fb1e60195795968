import type { Check, CheckWorld, Verdict } from '../../plan/verdict.ts'
import type { Door, StorageAt } from './storage-door.ts'

type OpenDoor = Extract<Door, { is: 'open' }>
export type Open = (at: StorageAt) => Promise<Door>

/** A check that needs the open bucket; skipped when the bucket's own check has the reason. */
export interface InsideCheck<Needs extends keyof CheckWorld> extends Omit<Check, 'look' | 'about'> {
  inside(door: OpenDoor, at: Pick<CheckWorld, Needs>): Promise<readonly Verdict[]>
}

export function insideCheck<Needs extends keyof CheckWorld>(
  open: Open,
  { inside, ...check }: InsideCheck<Needs>,
): Check<keyof StorageAt | Needs> {
  return {
    ...check,
    about: 'storage',
    async look(at) {
      const door = await open(at)
      if (door.is === 'open') return inside(door, at)
      return [{ severity: 'skipped', saw: `not tried: ${door.because}` }]
    },
  }
}
