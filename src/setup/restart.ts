import { Problem } from '../core/problem.ts'
import type { Finding, Step } from '../plan/step.ts'
import type { RunningProcess } from '../services/mastodon/port.ts'
import type { PlacedCommand } from '../services/process/port.ts'

/** Whether every process of Mastodon has read the env file since it last changed. */
export type Freshness =
  /** `since`: when the last one began. */
  | { readonly is: 'fresh'; readonly since: Date; readonly count: number }
  | { readonly is: 'old'; readonly names: readonly string[] }
  /** `hidden`: waiting would not bring anything to light. */
  | { readonly is: 'unseen'; readonly why: string; readonly hidden: boolean }

/** Workers that a reload started came up within this time of each other, milliseconds. */
const TOGETHER_MS = 60_000

/**
 * The web part and Sidekiq both have to be seen: what is not on this machine may still use an old
 * key. Streaming does not use the storage. `restartedAt`: when this run restarted the services.
 */
export function judgeFreshness(
  running: readonly RunningProcess[] | undefined,
  changedAt: Date,
  restartedAt?: Date,
): Freshness {
  if (running === undefined) {
    return { is: 'unseen', why: "Mastodon's processes can't be seen from here", hidden: true }
  }
  const users = running.filter(({ role }) => role !== 'streaming')
  const missing = (['web', 'sidekiq'] as const).filter(
    (role) => !users.some((process) => process.role === role),
  )
  const old = users.filter((process) => !isFresh(process, changedAt, restartedAt))
  if (old.length > 0) return { is: 'old', names: old.map(({ name }) => name) }
  if (missing.length > 0) {
    const why = `no ${missing.join(' and no ')} process is seen on this machine`
    return { is: 'unseen', why, hidden: false }
  }
  const since = new Date(Math.max(...users.map(({ startedAt }) => startedAt.getTime())))
  return { is: 'fresh', since, count: users.length }
}

/**
 * A young worker below an old Puma: reloaded (all of them are young and came together), or only
 * replaced after a crash, which keeps the old settings. One worker alone can't tell.
 */
function isFresh({ startedAt, below }: RunningProcess, changedAt: Date, restartedAt?: Date) {
  if (startedAt <= changedAt) return false
  if (below === undefined || below.startedAt > changedAt) return true
  if (restartedAt !== undefined && startedAt >= restartedAt) return true
  return below.workers > 1 && below.spreadMs <= TOGETHER_MS
}

type Needs = 'processes' | 'runner' | 'clock' | 'facts'

export interface RestartWishes {
  /** `print`: a person runs the commands. */
  readonly mode: 'run' | 'print'
  /** Empty where it is not known how Mastodon is started. */
  readonly commands: readonly PlacedCommand[]
  /** A person vouches for what can't be seen from here. */
  readonly assumeRestarted: boolean
  /** How things stand when a command fails; that of a rotation unless told. */
  readonly meanwhile?: string
}

const OLD_KEY_WORKS =
  'The env file holds the new key; the old one still works, so Mastodon goes on with it.'

/** Start times are known to the second, so a process has to begin in a later one than the file. */
const NEXT_SECOND_MS = 1_100

/** Makes Mastodon read the env file anew, unless it has done so already. */
export function restart(wishes: RestartWishes): Step<Needs> {
  const { mode, commands, assumeRestarted, meanwhile = OLD_KEY_WORKS } = wishes
  const all = commands.map(({ line }) => line).join(' && ')
  return {
    id: 'restart',
    title: 'Restart',

    async look({ processes, facts }): Promise<Finding> {
      const will = mode === 'run' && all !== '' ? `run: ${all}` : 'ask you to restart Mastodon'
      const { envWritten, restartedAt, rotation } = facts
      if (!envWritten?.file) return { is: 'waiting', on: 'envWritten', will }
      if (restartedAt) return { is: 'ready', note: 'the commands were run', facts: { restartedAt } }
      const changedAt = await processes.changedAt(envWritten.file)
      const state = changedAt && judgeFreshness(await processes.running(), changedAt)
      if (state?.is === 'fresh') return { is: 'ready', note: 'Mastodon was restarted already' }
      // What was restarted before this run can't know what this run has written.
      const maySay = assumeRestarted && rotation?.kind === 'finish'
      if (maySay && state?.is !== 'old') return { is: 'ready', note: 'done, as you say' }
      if (mode === 'run' && all !== '') {
        return { is: 'change', changes: [{ what: will, risk: 'public' }] }
      }
      const note = all === '' ? 'restart Mastodon, web and Sidekiq' : 'to be done by you'
      return { is: 'later', note, next: all }
    },

    async change({ runner, clock }) {
      await clock.sleep(NEXT_SECOND_MS)
      const restartedAt = clock.now()
      for (const { command, cwd, line } of commands) {
        const { exitCode, stderr } = await runner.run(command, cwd)
        if (exitCode !== 0) throw failed(line, stderr, meanwhile)
      }
      return { restartedAt }
    },
  }
}

function failed(line: string, stderr: string, meanwhile: string): Problem {
  const [said = ''] = stderr.trim().split('\n').slice(-1)
  return new Problem({
    code: 'restart-failed',
    what: `This failed: ${line}`,
    why: `${said === '' ? 'It did not say why.' : `It said: ${said.slice(0, 300).replace(/[.\s]*$/, '.')}`} ${meanwhile}`,
    next: 'Run that line yourself. Once it works, run the same command again: it goes on from here.',
  })
}
