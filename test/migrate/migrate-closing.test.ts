import { expect, test } from 'vitest'
import { toType } from '../../src/core/to-type.ts'
import { migrateClosing } from '../../src/migrate/closing.ts'
import type { Report } from '../../src/plan/report.ts'
import type { Stage } from '../../src/settings/stages.ts'
import { comparisonOf, tallyOf } from './compare/comparisons.ts'

type Ending = Parameters<typeof migrateClosing>[0]

const NOW = new Date('2026-11-22T12:00:00Z')
const switchedAt = '2026-11-21T12:00:00.000Z'

function headline(
  stage: Stage,
  { report, ...more }: Partial<Omit<Ending, 'report'>> & { report?: Partial<Report> },
  prepared: object = {},
): string {
  const step = { id: 's', title: 'Step', status: 'changed', note: '', changes: [] } as const
  return migrateClosing({
    report: { dryRun: false, problem: null, steps: [step], next: [], ...report } as Report,
    facts: {},
    plan: undefined,
    stage,
    again: toType('migrate'),
    left: [],
    next: undefined,
    tables: [],
    prepared: {
      migration: {
        selection: {},
        from: { kind: 'folder', path: '/srv/system' },
        lineFor: (stage: Stage) => toType('migrate', { stage }),
      },
      world: { clock: { now: () => NOW } },
      switchedOn: false,
      ...prepared,
    } as unknown as Ending['prepared'],
    ...more,
  }).headline
}

test('a copy says where Mastodon stores media, which is R2 after the switch', () => {
  expect(headline('copy', {})).toBe('Copied. Mastodon still stores media where it did.')
  expect(headline('copy', {}, { switchedOn: true })).toBe('Copied.')
})

test('who announced more than a week ago has nothing to wait for', () => {
  const since = (announcedAt: string) => ({ checkpoint: { announcedAt } })
  expect(headline('announce', {}, {})).toContain('Wait a week')
  expect(headline('announce', {}, since('2026-11-20T12:00:00.000Z'))).toContain('from 2026-11-27')
  expect(headline('announce', {}, since('2026-11-01T12:00:00.000Z'))).toBe(
    'The pages name the media host, long enough for a switch.',
  )
})

test('what --max-loss allowed to be missing is not passed over', () => {
  const facts = { switched: { at: NOW } }
  const equal = { comparison: comparisonOf() }
  expect(headline('cutover', { facts, report: equal })).toContain('nothing is missing')
  const lost = comparisonOf({ equal: false, missing: tallyOf(2, 9, ['a', 'b']) })
  const told = headline(
    'cutover',
    { facts, report: { comparison: lost } },
    {
      checkpoint: { switchedAt },
    },
  )
  expect(told).not.toContain('nothing is missing')
  expect(told).toContain('2 files')
})
