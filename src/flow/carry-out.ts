import { unlessStopped } from '../core/clock.ts'
import { Declined, Problem } from '../core/problem.ts'
import { prose, type Text, type ToType, uniqueText } from '../core/to-type.ts'
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
import type { Facts } from '../plan/step.ts'
import { blocked, hasChanges, type Plan, risks, survey } from '../plan/survey.ts'
import type { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'
import type { Closing } from '../ui/port.ts'
import type { Ended, Prepared, Run, Running } from './run.ts'
import { cancelled, settingsOf } from './session.ts'

/** The exit code of a run that did what it could, and has to be run again (`rotate`). */
const LEFT_TO_DO = 3

/** A survey younger than this is not repeated before the first change. */
const FRESH_MS = 5_000

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
    ? stopped({ applied, again: prepared.again })
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

/** Ctrl-C after the first change: what is done, what is not, and how to go on. */
function stopped({
  applied,
  again,
}: {
  readonly applied: Applied
  readonly again: ToType
}): Problem {
  return cancelled({
    what: 'Stopped before the end.',
    why: howFar(applied),
    next: prose`This goes on from here:\n  ${again}`,
  })
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

/** By their flags' names, which is what a person would type to change one. */
function shownSettings(settings: Settings<Catalog>, names: readonly string[]): Report['settings'] {
  const all = settingsOf(settings)
  const shown = names.flatMap((name) => {
    const setting = all[name]
    return setting ? [[settings.flag(name).slice(2), setting] as const] : []
  })
  return Object.fromEntries(shown)
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
