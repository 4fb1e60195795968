import { Problem } from '../core/problem.ts'
import { shellLine } from '../core/shell-word.ts'
import { asRoot, prose, type Text } from '../core/to-type.ts'
import type { Facts, Finding, Step, World } from '../plan/step.ts'
import type { Installation, ProcessesPort, RunningProcess } from '../services/mastodon/port.ts'
import { serviceCommands } from '../services/mastodon/service-control.ts'
import type { PlacedCommand, RunnerPort } from '../services/process/port.ts'

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

/** The same of this moment; undefined where the file is not there. */
export async function freshnessOf(
  file: string,
  processes: ProcessesPort,
): Promise<Freshness | undefined> {
  const changedAt = await processes.changedAt(file)
  return changedAt && judgeFreshness(await processes.running(), changedAt)
}

export interface SettingsChange {
  readonly path: string
  readonly at: Date
}

/**
 * When the settings last changed: of all files that hand them to Mastodon; a container takes them from
 * the compose file, too, a service from its unit. Undefined where there is none.
 */
export async function lastChange(
  { composeFile, compose, envFiles, services = [], unitFiles = [] }: Installation,
  processes: Pick<ProcessesPort, 'changedAt'>,
): Promise<SettingsChange | undefined> {
  const ofCompose = compose?.files ?? (composeFile === undefined ? [] : [composeFile])
  const own = [...envFiles.map(({ path }) => path), ...services.flatMap((one) => one.envFiles)]
  const paths = new Set([...own, ...ofCompose, ...unitFiles])
  const times = await Promise.all(
    [...paths].map(async (path) => ({ path, at: await processes.changedAt(path) })),
  )
  return times
    .flatMap(({ path, at }) => (at === undefined ? [] : [{ path, at }]))
    .reduce<SettingsChange | undefined>(
      (last, one) => (last && last.at >= one.at ? last : one),
      undefined,
    )
}

/** Whether all of Mastodon began after its settings last changed. */
export async function runsWithSettings(
  installation: Installation,
  { processes }: Pick<World, 'processes'>,
): Promise<Freshness> {
  const changed = await lastChange(installation, processes)
  if (changed) return judgeFreshness(await processes.running(), changed.at)
  return { is: 'unseen', why: 'No file with its settings is there', hidden: true }
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

/** What the web part's new start costs, as seen on two slow cores with Mastodon 4.6.5. */
export function bootCost(commands: readonly PlacedCommand[]): string {
  const ofWeb = commands.find(({ command }) => command.args.some((word) => /web/.test(word)))
  const words = ofWeb?.command.args ?? []
  if (words.includes('reload-or-restart')) {
    return ' (requests wait while Rails boots; 12 to 33 s were seen)'
  }
  return words.includes('restart')
    ? ' (pages are away while Rails boots; 12 to 33 s were seen)'
    : ''
}

/** Makes Mastodon read the env file anew, unless it has done so already. */
export function restart(wishes: RestartWishes): Step<Needs> {
  const { mode, commands, assumeRestarted, meanwhile = OLD_KEY_WORKS } = wishes
  const all = linesOf(commands)
  return {
    id: 'restart',
    title: 'Restart',

    async look({ processes, facts }): Promise<Finding> {
      const will =
        mode === 'run' && all !== ''
          ? `run: ${all}${bootCost(commands)}`
          : 'ask you to restart Mastodon'
      const { envWritten, restartedAt, rotation } = facts
      if (!envWritten?.file) return { is: 'waiting', on: 'envWritten', will }
      if (restartedAt) return { is: 'ready', note: 'the commands were run', facts: { restartedAt } }
      const state = await freshnessOf(envWritten.file, processes)
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
      await runPlaced(runner, commands, meanwhile)
      return { restartedAt }
    },
  }
}

/** In a rehearsal: the place of both steps that make Mastodon read the env file, and see that it did. */
export const noneToRestart: Step<'processes' | 'facts'> = {
  id: 'fresh-processes',
  title: 'Restart',

  async look({ processes, facts }): Promise<Finding> {
    const file = facts.envWritten?.file
    const note = 'no Mastodon uses the scratch copy; for real it is restarted here'
    if (!file) return { is: 'waiting', on: 'envWritten', will: `nothing: ${note}` }
    const changedAt = await processes.changedAt(file)
    if (!changedAt) throw gone(file)
    const allFresh: Facts['allFresh'] = { since: changedAt, fileChangedAt: changedAt }
    return { is: 'ready', note, facts: { allFresh } }
  },
}

/** What the plan shows of commands that are run one after the other. */
export function linesOf(commands: readonly PlacedCommand[]): string {
  return commands.map(({ line }) => line).join(' && ')
}

/** Runs them in their order until one fails. Problem `command-failed`; `meanwhile` says how things stand. */
export async function runPlaced(
  runner: RunnerPort,
  commands: readonly PlacedCommand[],
  meanwhile: string,
): Promise<void> {
  for (const { command, cwd, line } of commands) {
    const { exitCode, stderr } = await runner.run(command, cwd)
    if (exitCode === 0) continue
    const said = stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.slice(0, 300)
      .replace(/[.\s]*$/, '.')
    throw new Problem({
      code: 'command-failed',
      what: `This failed: ${line}`,
      why: `${said === undefined || said === '.' ? 'It did not say why.' : `It said: ${said}`} ${meanwhile}`,
      next: 'Run that line yourself to see what is wrong. Then run the same command again.',
    })
  }
}

type FreshNeeds = 'processes' | 'clock' | 'facts'
type FreshAt = Pick<World, FreshNeeds>

/** Milliseconds that Puma and Sidekiq get to come up; a big instance on a small machine is slow. */
const DEADLINE_MS = 180_000

export interface FreshWishes {
  readonly assumeRestarted: boolean
  /** What is old and what is new about the env file; the key unless told. */
  readonly about?: 'key' | 'storage'
}

/** Proof that no process of Mastodon can still hold what the env file held before. */
export function freshProcesses({ assumeRestarted, about = 'key' }: FreshWishes): Step<FreshNeeds> {
  return {
    id: 'fresh-processes',
    title: 'Running processes',

    async look(at): Promise<Finding> {
      const { envWritten, restartedAt, allFresh, rotation } = at.facts
      const will = `see that all of Mastodon runs with the new ${about}`
      if (!envWritten?.file) return { is: 'waiting', on: 'envWritten', will }
      if (allFresh)
        return { is: 'ready', note: `all run with the new ${about}`, facts: { allFresh } }
      const { state, changedAt } = await see(at)
      if (state.is === 'fresh') return fresh(state, changedAt)
      const mayBe = rotation?.kind === 'finish' || restartedAt !== undefined
      if (state.is === 'unseen' && assumeRestarted && mayBe) {
        const known = { since: changedAt, fileChangedAt: changedAt }
        return { is: 'ready', note: 'restarted, as you say', facts: { allFresh: known } }
      }
      const mayCome = restartedAt !== undefined && !(state.is === 'unseen' && state.hidden)
      if (mayCome) return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
      return state.is === 'old' ? stillOld(state, about) : unseen(state)
    },

    async change(at) {
      const end = at.clock.now().getTime() + DEADLINE_MS
      for (;;) {
        const { state, changedAt } = await see(at)
        if (state.is === 'fresh') {
          return { allFresh: { since: state.since, fileChangedAt: changedAt } }
        }
        if (at.clock.now().getTime() >= end) throw tooOld(state, about)
        await at.clock.sleep(1_000)
      }
    },
  }
}

async function see({ processes, facts }: FreshAt) {
  const file = facts.envWritten?.file ?? ''
  const changedAt = await processes.changedAt(file)
  if (!changedAt) throw gone(file)
  const state = judgeFreshness(await processes.running(), changedAt, facts.restartedAt)
  return { state, changedAt }
}

function fresh(state: Extract<Freshness, { is: 'fresh' }>, changedAt: Date): Finding {
  const note = `all ${state.count} began after the env file changed`
  const allFresh: Facts['allFresh'] = { since: state.since, fileChangedAt: changedAt }
  return { is: 'ready', note, facts: { allFresh } }
}

type About = NonNullable<FreshWishes['about']>

function stillOld({ names }: Extract<Freshness, { is: 'old' }>, about: About): Finding {
  return { is: 'later', note: `run with the old ${about} still: ${names.join(', ')}`, next: '' }
}

function unseen({ why }: Extract<Freshness, { is: 'unseen' }>): Finding {
  return {
    is: 'later',
    note: `not proven: ${why}. Add --assume-restarted once it was restarted wherever it runs`,
    next: '',
  }
}

const whyWait: Record<About, string> = {
  key: 'The old key stays active until every process has the new one, so nothing is broken.',
  storage: 'What it stores would go to the old place, where nobody looks for it any more.',
}

function tooOld(state: Exclude<Freshness, { is: 'fresh' }>, about: About): Problem {
  const why = whyWait[about]
  const again = 'Then run the same command again: it goes on from here.'
  if (state.is === 'unseen') {
    return new Problem({
      code: 'processes-unseen',
      what: `After the restart ${state.why}.`,
      why,
      next: `Start what is missing. If it runs on another machine, restart it there and add --assume-restarted. ${again}`,
    })
  }
  return new Problem({
    code: 'processes-old',
    what: `After the restart these still run with the old ${about}: ${state.names.join(', ')}.`,
    why,
    next: prose`${restartThem(state.names)}\n${again}`,
  })
}

/** The sentence, and the line if one is known, that starts all of these anew. */
export function restartThem(
  names: readonly string[],
  kind?: Parameters<typeof serviceCommands>[0],
): Text {
  const line = restartOf(names, kind)
  if (line !== undefined) return prose`Restart them:\n  ${line}`
  const ofCompose = ' (containers: docker compose up -d --no-deps --force-recreate SERVICE)'
  return `Restart what is named above${kind === undefined ? ofCompose : ''}.`
}

/** What starts all of these anew; undefined where nothing tells. `kind`: how Mastodon runs. */
export function restartOf(
  names: readonly string[],
  kind?: Parameters<typeof serviceCommands>[0],
): Text | undefined {
  const services = names.filter((name) => name.endsWith('.service'))
  if (services.length > 0) return asRoot(`systemctl restart ${shellLine(services)}`)
  const containers = kind?.kind === 'docker' ? serviceCommands(kind, true)?.restart : undefined
  return containers && linesOf(containers)
}

function gone(file: string): Problem {
  return new Problem({
    code: 'env-file-gone',
    what: `${file} is not there any more.`,
    why: 'It was there when this run began. The old key stays active.',
    next: 'Put the file back (a backup is beside it), then run the same command again.',
  })
}
