import * as z from 'zod'
import type { Problem } from '../core/problem.ts'
import { type Text, uniqueText } from '../core/to-type.ts'
import type { Outcome } from './apply.ts'
import { goneSchema } from './report-gone.ts'
import { comparisonSchema, mediaSurveySchema } from './report-schema.ts'
import { usageSchema } from './report-usage.ts'
import type { EnvWritten } from './step.ts'
import type { Plan, PlanItem } from './survey.ts'
import { type Checked, checkAreas } from './verdict.ts'

const change = z.object({
  what: z.string(),
  risk: z.enum(['safe', 'public', 'destructive']),
  goes: z.literal(true).optional(),
})

const step = z.object({
  id: z.string(),
  title: z.string(),
  status: z.enum(['ready', 'changed', 'would-change', 'failed', 'blocked', 'skipped']),
  note: z.string(),
  changes: z.array(change),
})

const check = z.object({
  id: z.string(),
  about: z.enum(checkAreas),
  title: z.string(),
  severity: z.enum(['fault', 'warning', 'note', 'ok', 'skipped']),
  saw: z.string(),
  matters: z.string().nullable(),
  next: z.string().nullable(),
})

/** What `--json` prints: one report on stdout. A contract; fields are added, never changed. */
export const reportSchema = z
  .object({
    command: z.string(),
    ok: z.boolean(),
    dryRun: z.boolean(),
    settings: z.record(z.string(), z.object({ value: z.unknown(), source: z.string() })),
    steps: z.array(step),
    checks: z.array(check),
    env: z
      .object({
        file: z.string().nullable(),
        backup: z.string().nullable(),
        changed: z.array(z.string()),
      })
      .nullable(),
    warnings: z.array(z.string()),
    next: z.array(z.string()),
    /** `migrate`: what is there to copy, and what that costs. */
    survey: mediaSurveySchema.optional(),
    /** `migrate`: what source and bucket hold, file by file. */
    comparison: comparisonSchema.optional(),
    /** The file with what this run told; null where it changed nothing, or there is none. */
    log: z.string().nullable(),
    /** `purge`: what each address answered afterwards. */
    purge: z
      .object({
        proofs: z.array(
          z.object({ url: z.string(), status: z.number(), cache: z.string().nullable() }),
        ),
        /** With `--deleted-since` and `--keep-list`. */
        since: goneSchema.optional(),
      })
      .optional(),
    /** `usage`: what is stored, what was asked, and what that costs. */
    usage: usageSchema.optional(),
    problem: z
      .object({ code: z.string(), what: z.string(), why: z.string(), next: z.string() })
      .nullable(),
  })
  .meta({ title: 'mastodon-r2 report', description: 'What a run of mastodon-r2 found and did.' })

export type Report = z.infer<typeof reportSchema>
export type ReportStep = Report['steps'][number]

/** JSON Schema (2020-12) of the report; `help --json-schema` prints it. */
export function reportJsonSchema(): object {
  return z.toJSONSchema(reportSchema)
}

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
