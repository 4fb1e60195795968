import type { Checkpoint } from '../services/checkpoint/port.ts'
import type { MigrateRun } from './prepare.ts'
import type { Selection } from './selection.ts'

const NAMES = ['onlyLocal', 'skip', 'withPrivate', 'withSuspended'] as const

/**
 * What is copied: as the flags say, else as the runs before. A run without flags must not bring what
 * an earlier one left out on purpose.
 */
export function chooseSelection(
  { settings }: MigrateRun,
  checkpoint: Checkpoint | undefined,
): Selection {
  const isGiven = NAMES.some((name) => settings.source(name) !== undefined)
  const earlier = isGiven ? undefined : earlierSelection(checkpoint)
  return {
    onlyLocal: earlier?.onlyLocal ?? settings.on('onlyLocal'),
    skip: earlier?.skip ?? settings.get('skip') ?? [],
    withPrivate: earlier?.withPrivate ?? settings.on('withPrivate'),
    withSuspended: earlier?.withSuspended ?? settings.on('withSuspended'),
  }
}

/** The rules as the checkpoint keeps them; undefined where there are none. */
function earlierSelection(checkpoint: Checkpoint | undefined): Partial<Selection> | undefined {
  try {
    const rules: unknown = JSON.parse(checkpoint?.selection ?? '')
    return typeof rules === 'object' && rules !== null ? rules : undefined
  } catch {
    return undefined
  }
}
