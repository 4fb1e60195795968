import { createClock, type RunClock } from '../core/clock.ts'
import { Cancelled, Problem } from '../core/problem.ts'
import type { Host } from '../host.ts'
import { apply } from '../plan/apply.ts'
import {
  leftToType,
  outcomeSteps,
  planSteps,
  planWarnings,
  type Report,
  reportEnv,
  reportProblem,
} from '../plan/report.ts'
import type { Facts, Step, World } from '../plan/step.ts'
import { blocked, hasChanges, type Plan, risks, survey } from '../plan/survey.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Closing, Ui } from '../ui/port.ts'
import { nobodyAgreed, nothingDone, stopped } from './endings.ts'
import { emptyReport, settingsOf, shownSettings } from './report-settings.ts'
import { gather } from './session.ts'
import { tellPlace } from './tell-place.ts'
import { chooseVoice } from './voice.ts'

/** A survey younger than this is not repeated before the first change. */
const FRESH_MS = 5_000

/** What a command adds to the one way that every command goes. */
export interface FlowSpec<C extends Catalog> {
  readonly name: string
  readonly catalog: C
  /** The part of the catalog that has a flag here; all of it unless told. */
  readonly accepts?: Partial<C>
  /** Settings, questions and connections → what to look at. Throws Problem or Cancelled. */
  prepare(run: Run<C>): Promise<Prepared>
}

export interface Run<C extends Catalog> {
  readonly host: Host
  readonly ui: Ui
  readonly settings: Settings<C>
  readonly clock: RunClock
  /** Called when the run ends, however it ends. */
  readonly atEnd: (() => Promise<void>)[]
}

export interface Prepared {
  readonly world: World
  readonly steps: readonly Step[]
  readonly planTitle: string
  /** The settings that stand above the plan, in this order; the report has all of them. */
  readonly shown: readonly (keyof Catalog & string)[]
  /** What is destructive is in the plan only because its own flag was given: `--yes` covers it. */
  readonly flagged?: true
  /** The command that goes on from here. */
  readonly again: string
  closing(ended: Ended): Closing
  /** The block for standard output, when the run was to print it. */
  block?(facts: Partial<Facts>): string | undefined
  /** What the report holds besides the steps. */
  details?(facts: Partial<Facts>): Partial<Report>
}

export interface Ended {
  readonly report: Report
  readonly facts: Partial<Facts>
  readonly plan: Plan | undefined
}

/** Settings → plan → one yes → apply → report. Returns the exit code. */
export function flow<C extends Catalog>(
  host: Host,
  argv: readonly string[],
  spec: FlowSpec<C>,
): Promise<number> {
  return session(host, argv, spec, async (run, draft) => {
    const prepared = await spec.prepare(run)
    const settings = settingsOf(run.settings)
    return await carryOut(run, prepared, { ...draft, settings, next: [prepared.again] })
  })
}

/** Voice, settings and clock around the work of a command; a Problem that it throws is reported. */
export async function session<C extends Catalog>(
  host: Host,
  argv: readonly string[],
  spec: Pick<FlowSpec<C>, 'name' | 'catalog' | 'accepts'>,
  work: (run: Run<C>, draft: Report) => Promise<number>,
): Promise<number> {
  const colour = (on: boolean) => !on && (host.environment.NO_COLOR ?? '') === ''
  let ui = await chooseVoice(host, {
    json: argv.includes('--json'),
    quiet: argv.includes('--quiet'),
    colour: colour(argv.includes('--no-color')),
    print: argv.includes('--print'),
  })
  const draft = emptyReport(spec.name, argv.includes('--dry-run'))
  let settings: Settings<C> | undefined
  const atEnd: (() => Promise<void>)[] = []
  const clock = createClock(host.interrupted)
  try {
    settings = await gather(host, spec.name, argv, spec)
    ui = tellPlace(ui, settings.entries())
    const run: Run<C> = { host, ui, settings, clock, atEnd }
    ui.intro(`mastodon-r2 ${spec.name}`)
    for (const note of settings.notes) ui.say(`Put right: ${note}`)
    return await work(run, draft)
  } catch (error) {
    const known = settings ? { ...draft, settings: settingsOf(settings) } : draft
    return failed(ui, known, error)
  } finally {
    for (const end of atEnd.reverse()) await end()
  }
}

/** Plan → one yes → apply → report, of what was prepared. Returns the exit code. */
export async function carryOut<C extends Catalog>(
  { ui, settings, host, clock }: Run<C>,
  prepared: Prepared,
  draft: Report,
): Promise<number> {
  const { world, steps } = prepared
  const looked = ui.busy('Looking at what is there')
  const plan = await survey(steps, world).finally(looked)
  const lookedAt = clock.now().getTime()
  const problem = blocked(plan)
  const dryRun = settings.on('dryRun')
  const report: Report = {
    ...draft,
    steps: planSteps(plan),
    warnings: planWarnings(plan),
    problem: reportProblem(problem),
  }
  ui.showPlan(plan, shownSettings(settings, prepared.shown), prepared.planTitle)
  for (const warning of report.warnings) ui.warn(warning)
  const end = (ended: Report, facts: Partial<Facts>) => {
    const final = { ...ended, ...prepared.details?.(facts) }
    ui.finish(final, prepared.closing({ report: final, facts, plan }))
  }
  if (problem) {
    end(report, readyFacts(plan))
    return problem.exit
  }
  if (dryRun || !hasChanges(plan)) {
    end({ ...report, ok: true }, readyFacts(plan))
    return 0
  }
  await agree(ui, plan, settings.on('yes'), prepared.flagged)
  const isFresh = clock.now().getTime() - lookedAt < FRESH_MS
  const options = { signal: host.interrupted, looked: isFresh ? plan : undefined }
  const applied = await apply(steps, world, ui, options)
  const done: Report = {
    ...report,
    ok: applied.problem === undefined && !applied.cancelled,
    steps: outcomeSteps(applied.outcomes),
    warnings: [...new Set([...report.warnings, ...applied.warnings])],
    env: reportEnv(applied.facts.envWritten),
    next: [...leftToType(applied.outcomes), ...report.next],
    problem: reportProblem(applied.cancelled ? stopped(applied, prepared.again) : applied.problem),
  }
  for (const warning of applied.warnings) if (!report.warnings.includes(warning)) ui.warn(warning)
  const block = done.ok ? prepared.block?.(applied.facts) : undefined
  if (block !== undefined) ui.block(block)
  end(done, applied.facts)
  return applied.cancelled ? 130 : (applied.problem?.exit ?? 0)
}

async function agree(ui: Ui, plan: Plan, yes: boolean, flagged = false): Promise<void> {
  const found = risks(plan)
  if (yes && (flagged || !found.has('destructive'))) return
  if (!ui.canAsk) throw nobodyAgreed()
  const open = found.has('public') ? ' What is marked [public] can be seen by everyone.' : ''
  if (!(await ui.agree(`Carry this out?${open}`))) throw new Cancelled()
}

function readyFacts(plan: Plan): Partial<Facts> {
  const facts = plan.items.map(({ finding }) =>
    finding.is === 'ready' ? finding.facts : undefined,
  )
  return Object.assign({}, ...facts)
}

function failed(ui: Ui, draft: Report, error: unknown): number {
  const cancelled = error instanceof Cancelled
  if (!cancelled && !(error instanceof Problem)) throw error
  const problem = cancelled ? nothingDone() : error
  const headline = cancelled ? 'Stopped. Nothing was changed.' : problem.what
  ui.finish({ ...draft, problem: reportProblem(problem) }, { headline, sections: [] })
  return cancelled ? 130 : problem.exit
}
