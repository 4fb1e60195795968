import { Problem } from '../core/problem.ts'
import type { Applied } from '../plan/apply.ts'

/** Ctrl-C after something was changed: what is done, what is not, and how to go on. */
export function stopped({ outcomes }: Applied, again: string): Problem {
  const titles = (statuses: readonly string[]) => {
    const found = outcomes.filter(({ status }) => statuses.includes(status))
    const names = found.map(({ title, unconfirmed, reached }) => {
      const state = reached === undefined ? 'begun' : `begun: ${reached}`
      return unconfirmed ? `${title} (${state})` : title
    })
    return names.join(', ') || 'nothing'
  }
  return new Problem({
    code: 'cancelled',
    what: 'Stopped before the end.',
    why: `Done: ${titles(['changed', 'ready'])}. Not done: ${titles(['skipped', 'failed', 'blocked'])}.`,
    next: `This goes on from here:\n  ${again}`,
  })
}

/** Ctrl-C or a no before the first change. */
export function nothingDone(): Problem {
  return new Problem({
    code: 'cancelled',
    what: 'Stopped. Nothing was changed.',
    why: 'You stopped the run, or did not agree to the plan.',
    next: 'Run the same command again whenever you like.',
  })
}

/** A plan without a yes is never carried out. */
export function nobodyAgreed(): Problem {
  return new Problem({
    code: 'not-agreed',
    what: 'Nothing was changed: nobody agreed to the plan.',
    why: 'There is no terminal to ask at.',
    next: 'Add --yes to agree, or --dry-run to only see the plan.',
    exit: 2,
  })
}
