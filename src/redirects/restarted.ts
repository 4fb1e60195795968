import { Problem } from '../core/problem.ts'
import { prose, type ToType } from '../core/to-type.ts'
import type { World } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import { lastChange, restartThem, runsWithSettings } from '../setup/restart.ts'

export interface Restarted {
  readonly installation: Installation
  /** When a cut-over had seen that all of Mastodon runs with R2; as long as no setting changed since. */
  readonly runsSince: Date | undefined
  /** A person vouches for what can't be seen from here. */
  readonly assumed: boolean
  /** What is to be typed once that is so. */
  readonly line: ToType
}

/**
 * What keeps a redirect from being made: a part of Mastodon that began before the switch stores new
 * media where it leads from. Problem `redirect-before-restart` or `redirect-restart-unseen`.
 */
export async function beforeRestart(
  at: Pick<World, 'processes'>,
  { installation, runsSince, assumed, line }: Restarted,
): Promise<Problem | undefined> {
  const changed = runsSince && (await lastChange(installation, at.processes))
  if (changed && changed.at <= runsSince) return undefined
  const state = await runsWithSettings(installation, at)
  if (state.is === 'old') return old(state.names, installation)
  return state.is === 'unseen' && !assumed ? unseen(state.why, line) : undefined
}

const OUT_OF_SIGHT = 'Redirected now, that would be out of sight.'

function old(names: readonly string[], installation: Installation): Problem {
  return new Problem({
    code: 'redirect-before-restart',
    what: 'Not all of Mastodon was restarted since its settings changed.',
    why: `These began before that, and may go on storing at the old place: ${names.join(', ')}. ${OUT_OF_SIGHT}`,
    next: prose`${restartThem(names, installation)}\nThen run this again.`,
    exit: 2,
  })
}

function unseen(why: string, line: ToType): Problem {
  return new Problem({
    code: 'redirect-restart-unseen',
    what: 'It can not be seen from here that all of Mastodon was restarted since its settings changed.',
    why: `${why.replace(/^./, (letter) => letter.toUpperCase())}. What runs with settings of before the switch stores at the old place. ${OUT_OF_SIGHT}`,
    next: prose`Restart web and every Sidekiq wherever they run, unless that was done since; then:\n  ${line}`,
    exit: 2,
  })
}
