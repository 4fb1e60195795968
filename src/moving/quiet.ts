import { duration } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import type {
  PlacedCommand,
  ServiceCommands,
  ServicesPort,
  SidekiqProcess,
} from '../services/mastodon/port.ts'
import { linesOf, runPlaced } from '../setup/restart.ts'

/** How much of Mastodon rests while it is switched. */
export type CutoverVariant = 'quiet' | 'no-downtime' | 'stop'

/** Milliseconds that Sidekiq gets to finish what it is at: a long video takes its time. */
export const WAIT_JOBS_MS = 600_000

/** Problem `cutover-contradiction`. */
export function variantOf(wish: { readonly stop: boolean; readonly noDowntime: boolean }) {
  const { stop, noDowntime } = wish
  if (!stop || !noDowntime) return stop ? 'stop' : noDowntime ? 'no-downtime' : 'quiet'
  throw new Problem({
    code: 'cutover-contradiction',
    what: '--stop and --no-downtime exclude each other.',
    why: 'The one stops Mastodon during the switch, the other keeps all of it running.',
    next: 'Leave one of them out.',
    exit: 2,
  })
}

export interface Rest {
  readonly variant: CutoverVariant
  readonly services: ServicesPort
  readonly waitJobsMs: number
}

/** What makes Mastodon use the new settings; for the step `restart`. */
export function restartFor({
  variant,
  services,
}: Pick<Rest, 'variant' | 'services'>): readonly PlacedCommand[] {
  const { commands } = services
  if (commands === undefined) return []
  return variant === 'stop' ? commands.start : commands.restart
}

/** Where nothing tells how Mastodon is started, this program can't switch it. */
export function switchedByHand(): Problem {
  return new Problem({
    code: 'cutover-by-hand',
    what: 'It is not known how Mastodon is started here, so it can not be switched from here.',
    why: 'Neither systemd units nor a compose file of Mastodon were found.',
    next: 'Run this where Mastodon runs, or name its folder with --mastodon-dir.',
    exit: 2,
  })
}

/** What a cut-over that was killed has left at rest or stopped, one warning each. */
export async function leftResting({ commands, sidekiq }: ServicesPort): Promise<string[]> {
  const seen = await sidekiq()
  if (commands === undefined || seen === undefined) return []
  if (seen.length === 0) return [notRunning(commands)]
  if (!seen.some(({ quiet }) => quiet)) return []
  return [
    `Sidekiq rests already, since a run that was cut off; this run wakes it. To wake it as the env file stands: ${linesOf(commands.wake)}`,
  ]
}

/** It may run elsewhere, too: that is not known here. */
export function notRunning({ start }: Pick<ServiceCommands, 'start'>): string {
  return `No Sidekiq of this Mastodon is seen to run here. A cut-over with --stop that was cut off leaves it stopped, and the web part too. To start both as the env file stands: ${linesOf(start)}`
}

interface Telling {
  tell(state: string): void
  say(line: string): void
}

type Needs = 'runner' | 'clock' | 'facts' | 'place' | 'envWriter'

/** Sidekiq gives jobs this long when it is told to end (its `timeout`), milliseconds. */
const BLIND_WAIT_MS = 25_000

/**
 * Nothing of Mastodon writes media while the last of it is copied; web may, unless it is stopped.
 * `isSwitched`: nothing would be restarted afterwards, so nothing may go to rest.
 */
export function quietServices(
  { tell, say }: Telling,
  { variant, services, waitJobsMs }: Rest,
  isSwitched: (at: Pick<World, Needs>) => Promise<boolean>,
): Step<Needs> {
  const { commands } = services
  const down = (variant === 'stop' ? commands?.stop : commands?.quiet) ?? []
  let begun = false
  let over = false
  return {
    id: 'quiet',
    title: variant === 'stop' ? 'Stop' : 'Rest',

    async look(at): Promise<Finding> {
      const { facts } = at
      if (variant === 'no-downtime') {
        return { is: 'ready', note: 'Mastodon goes on (--no-downtime)', facts: { quieted: true } }
      }
      if (facts.quieted) return { is: 'ready', note: noteOf(variant) }
      if (await isSwitched(at)) {
        return { is: 'ready', note: 'Mastodon is switched already', facts: { quieted: true } }
      }
      const wait = `wait until its jobs are done (at most ${Math.round(waitJobsMs / 60_000)} min)`
      const what =
        variant === 'stop' ? `run: ${linesOf(down)}` : `run: ${linesOf(down)}, and ${wait}`
      return { is: 'change', changes: [{ what, risk: 'public' }] }
    },

    async change({ runner, clock }) {
      begun = true
      await runPlaced(runner, down, 'Nothing was switched.')
      if (variant === 'quiet') await jobsDone({ services, clock, tell, say, waitJobsMs })
      return { quieted: true }
    },

    async undo({ runner, facts }) {
      if (!begun || over || facts.switched || commands === undefined) return undefined
      const seen = await services.sidekiq()
      // Whoever took back the switch has started the services anew.
      if (seen !== undefined && seen.length > 0 && !seen.some(({ quiet }) => quiet))
        return undefined
      const up = variant === 'stop' ? commands.start : commands.wake
      await runPlaced(runner, up, wakeMeanwhile(variant, up))
      over = true
      return `back at work: ${linesOf(up)}`
    },
  }
}

function noteOf(variant: CutoverVariant): string {
  return variant === 'stop' ? 'web and Sidekiq are stopped' : 'Sidekiq rests'
}

function wakeMeanwhile(variant: CutoverVariant, up: ServiceCommands['wake']): string {
  const state = variant === 'stop' ? 'Mastodon is stopped' : 'Sidekiq takes no jobs'
  return `${state} until this was run: ${linesOf(up)}`
}

interface Wait extends Pick<Rest, 'services' | 'waitJobsMs'>, Telling {
  readonly clock: World['clock']
}

/** Titles are renewed about every ten seconds, so an idle Sidekiq is known only once it says that it rests. */
async function jobsDone({ services, clock, tell, say, waitJobsMs }: Wait): Promise<void> {
  const end = clock.now().getTime() + waitJobsMs
  for (;;) {
    const seen = await services.sidekiq()
    if (seen === undefined) {
      say("Sidekiq's jobs can't be seen from here; giving them 25 seconds.")
      return clock.sleep(BLIND_WAIT_MS)
    }
    if (seen.every(({ busy, quiet }) => quiet && busy === 0)) return
    if (clock.now().getTime() >= end) throw stillBusy(seen)
    const state = seen.some(({ quiet }) => !quiet) ? 'Sidekiq goes to rest' : left(seen)
    tell(`${state}; seconds mostly, at most ${duration(waitJobsMs)}`)
    await clock.sleep(1_000)
  }
}

function left(seen: readonly SidekiqProcess[]): string {
  const jobs = seen.reduce((sum, { busy }) => sum + busy, 0)
  return `Sidekiq has ${jobs} ${jobs === 1 ? 'job' : 'jobs'} left`
}

function stillBusy(seen: readonly SidekiqProcess[]): Problem {
  const awake = seen.filter(({ quiet }) => !quiet).length
  return new Problem({
    code: 'sidekiq-busy',
    what:
      awake > 0
        ? `${awake} of ${seen.length} Sidekiq processes did not go to rest.`
        : `${left(seen)} and did not finish in time.`,
    why: 'A job that is under way may store media in the old place. Nothing was switched.',
    next: 'Try again at a calmer hour, or choose another way: --stop (a short outage), --no-downtime (what is stored meanwhile is copied afterwards).',
  })
}
