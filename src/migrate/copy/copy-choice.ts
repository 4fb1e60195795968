import type { Clock } from '../../plan/step.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { Migration } from '../migration.ts'
import { leftOut } from '../selection.ts'
import { usualModes } from '../usual-modes.ts'

/** Which files are copied; counts those that are left out, of what is walked through. */
export interface Choice {
  isWanted(file: MediaFile): boolean
  readonly leftOut: number
}

/** Reads as much of the source as it takes to know how its files are usually readable. */
export async function chooseFiles(
  { selection, source, signal }: Migration,
  clock: Pick<Clock, 'now'>,
): Promise<Choice> {
  const now = clock.now().getTime()
  const modes = selection.withSuspended ? 'open' : await usualModes(source, signal)
  let count = 0
  return {
    isWanted(file) {
      const isLeft = leftOut(file, selection, { usualModes: modes, now }) !== undefined
      if (isLeft) count += 1
      return !isLeft
    },
    get leftOut() {
      return count
    },
  }
}

/** What need not be walked through, as nothing of it is copied. */
export function skipped({ selection }: Migration): readonly string[] {
  return selection.onlyLocal ? ['cache/', ...selection.skip] : selection.skip
}

/** The rules of a run as the checkpoint keeps them: other rules are a new first copy. */
export function rulesOf({ selection }: Migration): string {
  const { onlyLocal, skip, withPrivate, withSuspended } = selection
  return JSON.stringify({ onlyLocal, skip: [...skip].sort(), withPrivate, withSuspended })
}
