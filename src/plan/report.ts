import type { Problem } from '../core/problem.ts'
import { type Text, uniqueText } from '../core/to-type.ts'
import type { Outcome } from './apply.ts'
import type { Report } from './report-schema.ts'
import type { EnvWritten } from './step.ts'
import type { Plan, PlanItem } from './survey.ts'
import type { Checked } from './verdict.ts'

export type { Report } from './report-schema.ts'
export type ReportStep = Report['steps'][number]

/** How Text is told in a run; see `renderText`. */
type Render = (text: Text) => string

export function planSteps(plan: Plan, render: Render): ReportStep[] {
  return plan.items.map(({ id, title, finding }) => ({ id, title, ...describe(finding, render) }))
}

export function outcomeSteps(outcomes: readonly Outcome[], render: Render): ReportStep[] {
  return outcomes.map(({ id, title, status, note, changes, unconfirmed, reached }) => {
    const said = render(note)
    const begun = reached === undefined ? said : `${said}; ${reached}`
    const state = unconfirmed ? `${begun} (begun, not confirmed yet)` : said
    return { id, title, status, note: state, changes: [...changes] }
  })
}

export function reportChecks(checked: readonly Checked[], render: Render): Report['checks'] {
  return checked.map(({ id, about, title, verdict }) => {
    const { severity, saw } = verdict
    const { matters, next } = 'matters' in verdict ? verdict : {}
    const orNull = (text: Text | undefined) => (text === undefined ? null : render(text))
    return {
      id,
      about,
      title,
      severity,
      saw: render(saw),
      matters: orNull(matters),
      next: orNull(next),
    }
  })
}

export function planWarnings(plan: Plan, render: Render): string[] {
  return plan.items.flatMap(({ finding }) =>
    'warnings' in finding ? (finding.warnings ?? []).map(render) : [],
  )
}

/** What to type before another run can do what this one had to leave. */
export function leftToType(outcomes: readonly Outcome[]): Text[] {
  return uniqueText(outcomes.flatMap(({ next }) => (next === undefined ? [] : [next])))
}

export function reportEnv(written: EnvWritten | undefined): Report['env'] {
  if (!written) return null
  return {
    file: written.file ?? null,
    backup: written.backup ?? null,
    changed: [...written.changed],
  }
}

export function reportProblem(problem: Problem | undefined, render: Render): Report['problem'] {
  if (!problem) return null
  const { code, what, why, next } = problem
  return { code, what, why: render(why), next: render(next) }
}

function describe(
  finding: PlanItem['finding'],
  render: Render,
): Pick<ReportStep, 'status' | 'note' | 'changes'> {
  switch (finding.is) {
    case 'ready':
      return { status: 'ready', note: render(finding.note), changes: [] }
    case 'change': {
      const note = finding.changes.map(({ what }) => what).join('; ')
      return { status: 'would-change', note, changes: [...finding.changes] }
    }
    case 'waiting': {
      const changes = [{ what: finding.will, risk: 'safe' as const }]
      return { status: 'would-change', note: finding.will, changes }
    }
    case 'later':
      return { status: 'skipped', note: render(finding.note), changes: [] }
    case 'blocked':
      return { status: 'blocked', note: finding.problem.what, changes: [] }
  }
}
