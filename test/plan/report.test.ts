import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { planSteps, planWarnings, reportEnv, reportProblem } from '../../src/plan/report.ts'
import { reportJsonSchema, reportSchema } from '../../src/plan/report-schema.ts'
import type { Finding } from '../../src/plan/step.ts'
import { blocked, hasChanges, type Plan, risks } from '../../src/plan/survey.ts'
import { broken } from '../fakes/fake-steps.ts'

const plan = (...findings: Finding[]): Plan => ({
  items: findings.map((finding, index) => ({ id: `step-${index}`, title: 'Step', finding })),
})
const ready: Finding = { is: 'ready', note: 'there', warnings: ['mind the gap'] }
const safe: Finding = { is: 'change', changes: [{ what: 'make it', risk: 'safe' }] }
const open: Finding = {
  is: 'change',
  changes: [
    { what: 'open it', risk: 'public' },
    { what: 'wait', risk: 'safe' },
  ],
  warnings: ['slow'],
}
const waiting: Finding = { is: 'waiting', on: 'accessKey', will: 'use the key' }
const stuck: Finding = { is: 'blocked', problem: broken('no-way') }

describe('a plan as data', () => {
  it.each<[Finding, string, string, number]>([
    [ready, 'ready', 'there', 0],
    [safe, 'would-change', 'make it', 1],
    [open, 'would-change', 'open it; wait', 2],
    [waiting, 'would-change', 'use the key', 1],
    [stuck, 'blocked', 'no-way.', 0],
  ])('%o → %s', (finding, status, note, changes) => {
    const [step] = planSteps(plan(finding), String)
    expect([step?.status, step?.note, step?.changes.length]).toEqual([status, note, changes])
  })

  it.each<[Plan, boolean, string[], string | undefined]>([
    [plan(), false, [], undefined],
    [plan(ready), false, [], undefined],
    [plan(ready, safe), true, ['safe'], undefined],
    [plan(open), true, ['public', 'safe'], undefined],
    [plan(waiting), true, [], undefined],
    [plan(ready, stuck, safe), true, ['safe'], 'no-way'],
  ])('what would change, its risks, and what is in the way', (of, changes, found, problem) => {
    expect(hasChanges(of)).toBe(changes)
    expect([...risks(of)]).toEqual(found)
    expect(blocked(of)?.code).toBe(problem)
  })

  it('collects the warnings', () => {
    expect(planWarnings(plan(ready, safe, open, stuck), String)).toEqual(['mind the gap', 'slow'])
  })
})

describe('the report’s schema', () => {
  const full = {
    command: 'init',
    ok: false,
    dryRun: false,
    settings: { mediaHost: { value: 'files.example.com', source: '--media-host' } },
    steps: planSteps(plan(ready, safe, open, waiting, stuck), String),
    checks: [],
    env: reportEnv({ file: '/x', backup: undefined, changed: ['S3_BUCKET'], diff: ['+ A=1'] }),
    warnings: [],
    next: ['npx mastodon-r2 init'],
    log: null,
    problem: reportProblem(broken('no-way'), String),
  }
  const valid = new Ajv2020({ strict: true }).compile(reportJsonSchema())

  it('takes a whole report, in zod and as JSON Schema', () => {
    expect(reportSchema.safeParse(full).success).toBe(true)
    expect(valid(full)).toBe(true)
  })

  it.each<[string, object]>([
    ['no command', { command: undefined }],
    ['an unknown status', { steps: [{ ...full.steps[0], status: 'fine' }] }],
    ['an unknown risk', { steps: [{ ...full.steps[1], changes: [{ what: 'x', risk: 'odd' }] }] }],
    ['half a problem', { problem: { code: 'x' } }],
    ['a check of no weight', { checks: [{ id: 'x', severity: 'grave' }] }],
    ['ok as a word', { ok: 'yes' }],
  ])('refuses %s', (_, more) => {
    const report = JSON.parse(JSON.stringify({ ...full, ...more })) as unknown
    expect(reportSchema.safeParse(report).success).toBe(false)
    expect(valid(report)).toBe(false)
  })

  it('shows what was written, never the lines', () => {
    expect(full.env).toEqual({ file: '/x', backup: null, changed: ['S3_BUCKET'] })
    expect([reportEnv(undefined), reportProblem(undefined, String)]).toEqual([null, null])
  })
})
