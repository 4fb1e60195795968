import { expect, test } from 'vitest'
import { leftOut } from '../../src/flow/carry-out.ts'
import type { Report } from '../../src/plan/report.ts'
import type { Finding } from '../../src/plan/step.ts'

const step = (status: Report['steps'][number]['status'], note: string) => ({
  id: note,
  title: `Step ${note}`,
  status,
  note,
  changes: [],
})
const item = (finding: Finding) => ({ id: 'x', title: 'X', finding })

function lines(steps: Report['steps'], findings: readonly Finding[], next: string[] = []) {
  const report = { steps } as Partial<Report> as Report
  return leftOut({ report, plan: { items: findings.map(item) }, left: next }).flatMap(
    (it) => it.lines,
  )
}

test('nothing skipped, nothing said', () => {
  expect(lines([step('changed', 'a'), step('ready', 'b')], [])).toEqual([])
})

test('what was skipped, and each thing to do once, whether planned or met on the way', () => {
  const later = { is: 'later', note: 'b', next: 'Grant B.' } as const
  expect(
    lines(
      [step('changed', 'a'), step('skipped', 'b'), step('skipped', 'c')],
      [{ is: 'ready', note: 'a' }, later, { ...later, next: '' }],
      ['Grant B.', 'Grant C.'],
    ),
  ).toEqual(['Step b: b', 'Step c: c', 'Grant B.', 'Grant C.'])
})
