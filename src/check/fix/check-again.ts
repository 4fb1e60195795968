import { Problem } from '../../core/problem.ts'
import type { Finding, StepIn, World } from '../../plan/step.ts'
import type { Checked } from '../../plan/verdict.ts'

/** Rules reach every place within about half a minute; as much again for a slow day, milliseconds. */
const SPREAD_MS = 60_000
const PAUSE_MS = 3_000

export interface CheckAgain {
  readonly step: StepIn<Pick<World, 'clock'>>
  /** What was found then; undefined until it has run. */
  found(): readonly Checked[] | undefined
}

/**
 * The proof of what was put right: all checks once more. `isAwaited`: what has to be gone, and may
 * take its time to be.
 */
export function checkAgain(
  look: () => Promise<readonly Checked[]>,
  isAwaited: (one: Checked) => boolean,
): CheckAgain {
  let found: readonly Checked[] | undefined
  return {
    found: () => found,
    step: {
      id: 'check-again',
      title: 'Check again',

      async look(): Promise<Finding> {
        if (found === undefined) {
          return { is: 'change', changes: [{ what: 'make all checks once more', risk: 'safe' }] }
        }
        const faults = found.filter(({ verdict }) => verdict.severity === 'fault')
        if (faults.length > 0) return { is: 'blocked', problem: faultsLeft(faults.length) }
        return { is: 'ready', note: 'no fault is left' }
      },

      async change({ clock }) {
        const end = clock.now().getTime() + SPREAD_MS
        let seen = await look()
        while (seen.some(isAwaited) && clock.now().getTime() < end) {
          await clock.sleep(PAUSE_MS)
          seen = await look()
        }
        found = seen
        return {}
      },
    },
  }
}

function faultsLeft(count: number): Problem {
  return new Problem({
    code: 'faults-left',
    what: count === 1 ? '1 fault is left.' : `${count} faults are left.`,
    why: 'What was planned is done; the rest needs a choice, or a right that this run does not have.',
    next: 'Type what stands under "Left to you". Then check again.',
  })
}
