import { Problem } from '../core/problem.ts'
import type { Finding, Step } from '../plan/step.ts'
import type { PlacedCommand } from '../services/process/command.ts'
import { judgeFreshness } from './freshness.ts'

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
