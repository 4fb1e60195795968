import { Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import type { World } from '../plan/step.ts'
import { restartThem, runsWithSettings } from '../setup/restart.ts'
import type { Leaving } from './leaving.ts'

type At = Pick<World, 'processes'>

/**
 * Before all of it runs with the new settings, new media goes to R2, where no redirected address leads.
 * `assumed`: a person vouches for what can't be seen from here. Problems: `leave-not-switched`,
 * `leave-restart-unseen`.
 */
export async function refuseBeforeRestart(
  leaving: Leaving,
  at: At,
  { assumed }: { readonly assumed: boolean },
): Promise<void> {
  const state = await runsWithSettings(leaving.installation, at)
  if (state.is === 'old') throw notSwitched(leaving, state.names)
  if (state.is === 'unseen' && !assumed) throw unseen(leaving, state.why)
}

/** `old`: what began before its settings named the destination; none when they do not name it. */
export function notSwitched(
  { there, installation, lineFor }: Leaving,
  old: readonly string[] = [],
): Problem {
  const { on } = there.words
  const isNamed = old.length > 0
  return new Problem({
    code: 'leave-not-switched',
    what: isNamed
      ? `Not all of Mastodon stores its media ${on} yet.`
      : `Mastodon does not store its media ${on} yet.`,
    why: isNamed
      ? `These began before its settings changed, and may go on storing on R2: ${old.join(', ')}. Redirected now, that would be out of sight.`
      : 'Redirected now, everything that is uploaded from here on would be out of sight.',
    next: isNamed
      ? prose`Bring the switch to its end, which restarts them:\n  ${lineFor('cutover')}\nIf this comes again: a reload does not show of every Puma. ${restartThem(old, installation)}`
      : prose`Switch it first:\n  ${lineFor('cutover')}`,
    exit: 2,
  })
}

function unseen({ lineFor }: Leaving, why: string): Problem {
  return new Problem({
    code: 'leave-restart-unseen',
    what: 'It can not be seen from here that all of Mastodon was restarted since its settings changed.',
    why: `${why.replace(/^./, (letter) => letter.toUpperCase())}. What runs with the old settings stores on R2; redirected now, that would be out of sight.`,
    next: prose`Restart web and every Sidekiq wherever they run; once that is done:\n  ${lineFor('redirects', { assumeRestarted: true })}`,
    exit: 2,
  })
}
