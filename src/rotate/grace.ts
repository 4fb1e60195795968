import type { Finding, Step, World } from '../plan/step.ts'

type Needs = 'clock' | 'facts'
type At = Pick<World, Needs>

/** Between two looks at the clock, milliseconds. */
const TICK_MS = 15_000

/** Links to private files (archives) that the old key signed work for an hour, and die with it. */
export function grace(graceMs: number): Step<Needs> {
  const over = (): Finding => {
    const note = graceMs === 0 ? 'none wanted' : 'over: no link signed with the old key is left'
    return { is: 'ready', note, facts: { graceOver: true } }
  }
  return {
    id: 'grace',
    title: 'Grace period',

    async look(at): Promise<Finding> {
      const will = `wait ${words(graceMs)}, so that links signed with the old key run out`
      const { allFresh, publicProven } = at.facts
      if (!allFresh) return { is: 'waiting', on: 'allFresh', will }
      if (!publicProven) return { is: 'waiting', on: 'publicProven', will }
      const left = leftOf(at, graceMs)
      if (left <= 0) return over()
      const what = `wait ${words(left)}, so that links signed with the old key run out`
      return { is: 'change', changes: [{ what, risk: 'safe' }] }
    },

    change: async () => ({}),

    async confirm(at, tell): Promise<Finding> {
      for (let left = leftOf(at, graceMs); left > 0; left = leftOf(at, graceMs)) {
        tell(`${words(left)} left. You can stop this run: the next one goes on from here`)
        await at.clock.sleep(Math.min(left, TICK_MS))
      }
      return over()
    },
  }
}

/** Counted from the last moment at which a process used the old key. */
function leftOf({ clock, facts }: At, graceMs: number): number {
  const { since, fileChangedAt } = facts.allFresh ?? {}
  const start = Math.max(since?.getTime() ?? 0, fileChangedAt?.getTime() ?? 0)
  return start + graceMs - clock.now().getTime()
}

function words(ms: number): string {
  if (ms < 90_000) return `${Math.ceil(ms / 1000)} s`
  return `${Math.ceil(ms / 60_000)} min`
}
