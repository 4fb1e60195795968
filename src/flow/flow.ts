import { createClock, type RunClock, unlessStopped } from '../core/clock.ts'
import { Cancelled, Declined, Problem } from '../core/problem.ts'
import { hasOnlyAllProxy, proxiesOf } from '../core/proxy.ts'
import { prose, readerOf, renderText, type Text, type ToType, uniqueText } from '../core/to-type.ts'
import type { Host } from '../host.ts'
import { type Applied, apply, NOT_TAKEN_BACK } from '../plan/apply.ts'
import {
  leftToType,
  outcomeSteps,
  planSteps,
  planWarnings,
  type Report,
  reportEnv,
  reportProblem,
} from '../plan/report.ts'
import type { Facts, StepIn, World } from '../plan/step.ts'
import { blocked, hasChanges, type Plan, risks, survey } from '../plan/survey.ts'
import { hasSwitch } from '../settings/argv.ts'
import { contradiction } from '../settings/no-effect.ts'
import { outputCatalog } from '../settings/output.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Closing, Render, Ui } from '../ui/port.ts'
import { runLog } from './run-log.ts'
import { chooseVoice, gather, inRehearsal, whereaboutsOf } from './session.ts'
import { type Stopping, watchStops } from './stopping.ts'
import { Timings } from './timings.ts'

/** Ctrl-C; after the first change with what is done, what is not, and how to go on. */
function cancelled(stopped?: { readonly applied: Applied; readonly again: ToType }): Problem {
  const words = stopped
    ? {
        what: 'Stopped before the end.',
        why: howFar(stopped.applied),
        next: prose`This goes on from here:\n  ${stopped.again}`,
      }
    : {
        what: 'Stopped. Nothing was changed.',
        why: 'You stopped the run.',
        next: 'Run the same command again whenever you like.',
      }
  return new Problem({ code: 'cancelled', ...words })
}

function howFar({ outcomes }: Applied): string {
  const titles = (statuses: readonly string[]) => {
    const found = outcomes.filter(({ status }) => statuses.includes(status))
    const names = found.map(({ title, unconfirmed, reached }) => {
      const state = reached === undefined ? 'begun' : `begun: ${reached}`
      return unconfirmed ? `${title} (${state})` : title
    })
    return names.join(', ') || 'nothing'
  }
  return `Done: ${titles(['changed', 'ready'])}. Not done: ${titles(['skipped', 'failed', 'blocked'])}.`
}

/** A plan without a yes is never carried out. */
function nobodyAgreed(): Problem {
  return new Problem({
    code: 'not-agreed',
    what: 'Nothing was changed: nobody agreed to the plan.',
    why: 'There is no terminal to ask at.',
    next: 'Add --yes to agree, or --dry-run to only see the plan.',
    exit: 2,
  })
}

/** A report before anything is known. */
function emptyReport(command: string, dryRun: boolean): Report {
  return {
    command,
    ok: false,
    dryRun,
    settings: {},
    steps: [],
    checks: [],
    env: null,
    warnings: [],
    next: [],
    log: null,
    problem: null,
  }
}

/** By their flags' names, which is what a person would type to change one. */
function shownSettings(settings: Settings<Catalog>, names: readonly string[]): Report['settings'] {
  const all = settingsOf(settings)
  const shown = names.flatMap((name) => {
    const setting = all[name]
    return setting ? [[settings.flag(name).slice(2), setting] as const] : []
  })
  return Object.fromEntries(shown)
}

/** All settings with their sources; secrets are masked, switches left out. */
export function settingsOf(settings: Settings<Catalog>): Report['settings'] {
  const shown = settings.entries().flatMap(([name, { text, value, source }]) => {
    if (typeof value === 'boolean') return []
    return [[name, { value: text ?? '****', source }] as const]
  })
  return Object.fromEntries(shown)
}

/** A survey younger than this is not repeated before the first change. */
const FRESH_MS = 5_000

/** What a command adds to the one way that every command goes. */
export interface FlowSpec<C extends Catalog, At = World> {
  readonly name: string
  readonly catalog: C
  /** The part of the catalog that has a flag here; all of it unless told. */
  readonly accepts?: Partial<C>
  /** Settings, questions and connections → what to look at. Throws Problem or Cancelled. */
  prepare(run: Run<C>): Promise<Prepared<At>>
}

export interface Run<C extends Catalog> {
  readonly host: Host
  readonly ui: Ui
  /** Text as this run tells it, for what goes into the report. */
  readonly render: Render
  readonly settings: Settings<C>
  readonly clock: RunClock
  /** Of every request that is made; undefined where nobody asked for --timings. */
  readonly timings: Timings | undefined
  readonly stopping: Stopping
  /** Called before the first change. */
  readonly beginLog: () => Promise<void>
  /** Called when the run ends, however it ends. */
  readonly atEnd: (() => Promise<void>)[]
}

/** What the runner itself uses of a world. */
type Running = Pick<World, 'clock' | 'facts'>

export interface Prepared<At = World> {
  readonly world: At
  /** Steps that find all they need in that world. */
  readonly steps: readonly StepIn<At>[]
  /** What ends the run when it rejects, asked beside the looks, as who the API token is. */
  readonly known?: () => Promise<unknown>
  readonly planTitle: string
  /** The settings that stand above the plan, in this order; the report has all of them. */
  readonly shown: readonly (keyof Catalog & string)[]
  /** What is destructive is in the plan only because its own flag was given: `--yes` covers it. */
  readonly flagged?: true
  /** The command that goes on from here. */
  readonly again: ToType
  closing(ended: Ended): Closing
  /** The block for standard output, when the run was to print it. */
  block?(facts: Partial<Facts>): string | undefined
  /** What the report holds besides the steps. */
  details?(facts: Partial<Facts>): Partial<Report>
  /** Whether a run without a fault still leaves something that has to be done: `LEFT_TO_DO`. */
  isUnfinished?(report: Report): boolean
}

/** The exit code of a run that did what it could, and has to be run again (`rotate`). */
const LEFT_TO_DO = 3

export interface Ended {
  readonly report: Report
  readonly facts: Partial<Facts>
  readonly plan: Plan | undefined
  /** What to type before another run can do what this one had to leave; once it was carried out. */
  readonly left: readonly Text[]
}

/** Settings → plan → one yes → apply → report. Returns the exit code. */
export function flow<C extends Catalog, At extends Running>(
  host: Host,
  argv: readonly string[],
  spec: FlowSpec<C, At>,
): Promise<number> {
  return session(host, argv, spec, async (run, draft) => {
    const prepared = await unlessStopped(host.interrupted, spec.prepare(run))
    const settings = settingsOf(run.settings)
    return await carryOut(run, prepared, { ...draft, settings })
  })
}

/** Voice, settings and clock around the work of a command; a Problem that it throws is reported. */
export async function session<C extends Catalog>(
  host: Host,
  argv: readonly string[],
  spec: Pick<FlowSpec<C>, 'name' | 'catalog' | 'accepts'>,
  work: (run: Run<C>, draft: Report) => Promise<number>,
): Promise<number> {
  const has = (name: Exclude<keyof typeof outputCatalog, 'format' | 'logFile'>) =>
    hasSwitch(host, argv, outputCatalog[name])
  let settings: Settings<C> | undefined
  let told = readerOf(host)
  let timings: Timings | undefined
  let isRehearsal = false
  const render = (text: Text) => {
    const words = renderText(text, told)
    return isRehearsal ? inRehearsal(words) : words
  }
  const log = runLog(host, spec.name, (line) => ui.warn(line))
  const ui = await chooseVoice(host, {
    log,
    json: has('json'),
    quiet: has('quiet'),
    colour: !has('noColor'),
    print: has('print'),
    verbose: has('verbose'),
    render,
  })
  const draft = emptyReport(spec.name, has('dryRun'))
  const atEnd: (() => Promise<void>)[] = []
  const clock = createClock(host.interrupted)
  const stopping = watchStops(host, ui)
  try {
    settings = await unlessStopped(host.interrupted, gather(host, spec.name, argv, spec))
    for (const more of ['verbose', 'timings'] as const) {
      if (settings.on('quiet') && settings.on(more)) {
        throw contradiction('--quiet', `--${more}`, 'one asks for less, the other for more')
      }
    }
    told = { ...told, ...whereaboutsOf(settings) }
    await log.know(settings, JSON.stringify(settingsOf(settings)))
    if (settings.on('timings')) timings = new Timings()
    isRehearsal = settings.on('sandbox')
    if (!isRehearsal) lookForProxies(host, ui)
    const { begin: beginLog } = log
    const run: Run<C> = { host, ui, render, settings, clock, timings, stopping, atEnd, beginLog }
    ui.intro(`mastodon-r2 ${spec.name}`)
    for (const note of settings.notes) ui.say(note)
    return await work(run, draft)
  } catch (error) {
    if (!(error instanceof Problem || error instanceof Cancelled)) log.bug(error)
    const known = settings ? { ...draft, settings: settingsOf(settings) } : draft
    return failed({ ui, render }, known, error)
  } finally {
    const tidied = stopping.hold('tidying up')
    for (const end of atEnd.reverse()) await end()
    tidied()
    stopping.close()
    const [title, ...row] = timings?.lines() ?? []
    if (title !== undefined) ui.note(title, row)
    await log.close()
  }
}

/** What can't be obeyed is told before anything is asked of the network. Throws `proxy-not-usable`. */
function lookForProxies({ environment }: Host, ui: Ui): void {
  proxiesOf(environment)
  if (!hasOnlyAllProxy(environment)) return
  ui.warn('ALL_PROXY is not obeyed here, and not by rclone: HTTPS_PROXY is, where it is set.')
}

/** Plan → one yes → apply → report, of what was prepared. Returns the exit code. */
export async function carryOut<C extends Catalog, At extends Running>(
  { ui, render, settings, host, clock, stopping, beginLog }: Run<C>,
  prepared: Prepared<At>,
  draft: Report,
): Promise<number> {
  const { world, steps } = prepared
  const looked = ui.busy('Looking at what is there')
  const looking = Promise.all([survey(steps, world), prepared.known?.()])
  const [plan] = await unlessStopped(host.interrupted, looking).finally(looked)
  const lookedAt = clock.now().getTime()
  const problem = blocked(plan)
  const dryRun = settings.on('dryRun')
  const report: Report = {
    ...draft,
    steps: planSteps(plan, render),
    warnings: planWarnings(plan, render),
    next: [render(prepared.again)],
    problem: reportProblem(problem, render),
  }
  ui.showPlan(plan, shownSettings(settings, prepared.shown), prepared.planTitle)
  for (const warning of report.warnings) ui.warn(warning)
  const end = (ended: Report, facts: Partial<Facts>, left: readonly Text[] = []) => {
    const final = { ...ended, ...prepared.details?.(facts) }
    const closing = prepared.closing({ report: final, facts, plan, left })
    const first = (closing.next ?? []).map((line) => render(line).trim())
    ui.finish({ ...final, next: [...first, ...final.next] }, closing)
  }
  if (problem) {
    end(report, readyFacts(plan))
    return problem.exit
  }
  if (dryRun || !hasChanges(plan)) {
    const ready = { ...report, ok: true }
    end(ready, readyFacts(plan))
    return !dryRun && prepared.isUnfinished?.(ready) ? LEFT_TO_DO : 0
  }
  await agree({ ui, settings }, plan, prepared.flagged)
  await beginLog()
  const isFresh = clock.now().getTime() - lookedAt < FRESH_MS
  const { hold } = stopping
  const options = { signal: host.interrupted, looked: isFresh ? plan : undefined, hold }
  const applied = await apply(steps, world, ui, options)
  const left = leftToType(applied.outcomes)
  const warned = applied.warnings.map(render)
  const problemOf = applied.cancelled
    ? cancelled({ applied, again: prepared.again })
    : applied.problem
  const done: Report = {
    ...report,
    ok: applied.problem === undefined && !applied.cancelled,
    steps: outcomeSteps(applied.outcomes, render),
    warnings: [...new Set([...report.warnings, ...warned])],
    env: reportEnv(applied.facts.envWritten),
    next: [...left.map(render), ...report.next],
    problem: reportProblem(problemOf, render),
  }
  for (const warning of warned) if (!report.warnings.includes(warning)) ui.warn(warning)
  const block = done.ok ? prepared.block?.(applied.facts) : undefined
  if (block !== undefined) ui.block(block)
  end(done, applied.facts, left)
  if (applied.cancelled) return 130
  if (applied.problem) return exitCode(done, applied.problem)
  return prepared.isUnfinished?.(done) ? LEFT_TO_DO : 0
}

/** 2 promises that nothing was changed: a run that had changed something before its Problem ends with 1. */
function exitCode({ steps }: Report, problem: Problem): 1 | 2 {
  const remains = steps.some(
    ({ status, changes, note }) =>
      status === 'changed' ||
      (status === 'failed' && (changes.length > 0 || note.startsWith(NOT_TAKEN_BACK))),
  )
  return remains ? 1 : problem.exit
}

const PUBLIC = 'marked [public] can be seen by everyone'

async function agree(
  { ui, settings }: Pick<Run<Catalog>, 'ui' | 'settings'>,
  plan: Plan,
  flagged = false,
): Promise<void> {
  const found = risks(plan)
  if (settings.on('yes') && (flagged || !found.has('destructive'))) return
  if (!ui.canAsk) throw nobodyAgreed()
  // Enter alone neither publishes nor destroys.
  const safe = found.has('public') || found.has('destructive') ? 'no' : undefined
  const isOpen = found.has('public')
  const agreed = settings.on('sandbox')
    ? await ui.agree(rehearsedQuestion(isOpen, safe))
    : await ui.agree(`Carry this out?${isOpen ? ` What is ${PUBLIC}.` : ''}`, safe)
  if (!agreed) throw new Declined()
}

/** Nothing can go wrong there, so Enter goes on; it must not become a habit. */
function rehearsedQuestion(isOpen: boolean, safe: 'no' | undefined): string {
  const real = [...(isOpen ? [`what is ${PUBLIC}`] : []), ...(safe ? ['Enter means no'] : [])]
  return `Carry this out?${real.length === 0 ? '' : ` For real, ${real.join(', and ')}.`}`
}

function readyFacts(plan: Plan): Partial<Facts> {
  const facts = plan.items.map(({ finding }) =>
    finding.is === 'ready' ? finding.facts : undefined,
  )
  return Object.assign({}, ...facts)
}

/** Tells what ended the work, and gives its exit code; throws what is a bug. */
export function failed(
  { ui, render }: Pick<Run<Catalog>, 'ui' | 'render'>,
  draft: Report,
  error: unknown,
): number {
  const isCancelled = error instanceof Cancelled
  if (!isCancelled && !(error instanceof Problem)) throw error
  if (error instanceof Declined) {
    ui.finish(draft, { headline: 'Nothing was changed.', sections: [] })
    return 130
  }
  const problem = isCancelled ? cancelled() : error
  const headline = isCancelled ? 'Stopped. Nothing was changed.' : problem.what
  ui.finish({ ...draft, problem: reportProblem(problem, render) }, { headline, sections: [] })
  return isCancelled ? 130 : problem.exit
}

/** Extras that this run could not do, why, and what has to be done first. */
export function leftOut({
  report,
  plan,
  left,
}: Pick<Ended, 'report' | 'plan' | 'left'>): Closing['sections'][number][] {
  const skipped = skippedSteps(report).map(({ title, note }) => `${title}: ${note}`)
  if (skipped.length === 0) return []
  const planned = plan?.items.flatMap(({ finding }) => {
    return finding.is === 'later' && finding.next !== '' ? [finding.next] : []
  })
  return [{ title: 'Left out', lines: [...skipped, ...uniqueText([...(planned ?? []), ...left])] }]
}

export function skippedSteps({ steps }: Pick<Report, 'steps'>): Report['steps'] {
  return steps.filter(({ status }) => status === 'skipped')
}
