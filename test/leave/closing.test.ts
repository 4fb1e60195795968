import { describe, expect, test } from 'vitest'
import { renderText, toType } from '../../src/core/to-type.ts'
import type { Ended } from '../../src/flow/run.ts'
import { leaveClosing } from '../../src/leave/closing.ts'
import type { Leaving } from '../../src/leave/leaving.ts'
import type { LeaveStage } from '../../src/leave/settings.ts'
import type { ReportStep } from '../../src/plan/report.ts'
import { OF_OTHERS } from '../../src/redirects/single.ts'
import { HOST, installationOf } from '../fakes/fake-world.ts'

const disk = {
  kind: 'disk',
  it: 'the disk',
  words: { fetch: 'fetch', fetched: 'fetched', on: 'on the disk' },
}
const bucket = {
  kind: 's3',
  it: 'the new bucket',
  words: { fetch: 'copy', fetched: 'copied', on: 'in the new bucket' },
}

interface Situation {
  readonly to?: typeof disk
  readonly isSwitched?: boolean
  readonly unfinished?: boolean
  readonly undo?: boolean
  readonly version?: string
  readonly problem?: object
  readonly steps?: readonly (readonly [id: string, status: ReportStep['status'], note?: string])[]
}

function closing(stage: LeaveStage, situation: Situation = {}) {
  const { to = disk, isSwitched = false, unfinished = false, undo = false, steps = [] } = situation
  const at = {
    there: to,
    installation: installationOf({ version: situation.version ?? '4.6.5' }),
    isSwitched,
    lineFor: (other: LeaveStage, more = {}) => toType('leave', { stage: other, ...more }),
  } as unknown as Leaving
  const report = {
    problem: situation.problem ?? null,
    dryRun: false,
    steps: steps.map(([id, status, note = '']) => ({ id, title: '', status, note, changes: [] })),
  }
  const ended = { report, facts: {} } as unknown as Ended
  const of = { at, stage, again: toType('leave', { stage }), mediaHost: HOST, base: 'b.example/x' }
  const { headline, sections } = leaveClosing(ended, { ...of, unfinished, undo })
  const lines = sections.flatMap((one) => [one.title, ...one.lines.map((line) => renderText(line))])
  return { headline, text: [headline, ...lines].join('\n') }
}

describe('the last words claim no more than was seen', () => {
  test.each<[LeaveStage, Situation, string]>([
    [
      'copy',
      { steps: [['copy', 'changed']] },
      'What the disk lacked was fetched. Mastodon goes on with R2.',
    ],
    ['copy', { steps: [['copy', 'ready']] }, 'Nothing is left to fetch. Mastodon goes on with R2.'],
    [
      'copy',
      { to: bucket, steps: [['copy', 'changed']] },
      'What the new bucket lacked was copied. Mastodon goes on with R2.',
    ],
    ['copy', { isSwitched: true, steps: [['copy', 'ready']] }, 'Nothing is left to fetch.'],
    ['compare', {}, 'Nothing is missing on the disk.'],
    ['compare', { to: bucket }, 'Nothing is missing in the new bucket.'],
    ['redirects', {}, `https://${HOST}/... leads to https://b.example/x/...`],
    [
      'redirects',
      {
        undo: true,
        steps: [['take-back-redirect', 'changed', 'the rule is gone; what answers now']],
      },
      `The redirect of https://${HOST}/... is taken back.`,
    ],
    [
      'redirects',
      {
        undo: true,
        steps: [
          ['take-back-redirect', 'changed', 'the rule is gone; u comes from the bucket again'],
        ],
      },
      `https://${HOST}/... is answered by the bucket on R2 again.`,
    ],
    [
      'redirects',
      { undo: true, steps: [['take-back-redirect', 'ready', 'no rule']] },
      `Nothing was changed: no rule of this program redirects https://${HOST}/...`,
    ],
  ])('%s: %j', (stage, situation, headline) => {
    expect(closing(stage, situation).headline).toBe(headline)
  })
})

describe('the line that comes next', () => {
  test.each<[LeaveStage, Situation]>([
    ['survey', { isSwitched: true, unfinished: true }],
    ['copy', { isSwitched: true, unfinished: true }],
    ['compare', { isSwitched: true, unfinished: true }],
    ['copy', {}],
  ])('is the cut-over while it has not come to its end: %s %j', (stage, situation) => {
    expect(closing(stage, situation).text).toContain('leave --stage cutover')
  })

  test.each<[LeaveStage, Situation]>([
    ['survey', { isSwitched: true }],
    ['copy', { isSwitched: true }],
    ['compare', { isSwitched: true }],
  ])('is no cut-over once all of Mastodon runs there: %s %j', (stage, situation) => {
    const { text } = closing(stage, situation)
    expect(text).not.toContain('--stage cutover')
    expect(text).not.toContain('goes on with R2')
  })

  test('to take the redirect away is a line to type, where it is ours', () => {
    const ours = [['single-redirect:h/', 'ready', 'leads there with 302, seen']] as const
    expect(closing('redirects', { steps: ours }).text).toContain('leave --stage redirects --undo')
    const others = [['single-redirect:h/', 'ready', `leads there already, ${OF_OTHERS}`]] as const
    expect(closing('redirects', { steps: others }).text).not.toContain('--undo')
  })
})

test('which hosts the pages allow depends on the version', () => {
  const of = (version: string) => closing('cutover', { to: bucket, version }).text
  expect(of('4.4.0')).toContain('pages go on allowing media from there')
  expect(of('4.3.8')).not.toContain('go on allowing')
  expect(of('4.3.8')).toContain('Mastodon 4.3.8 can name one media host only (4.4 and later')
  expect(closing('cutover', { version: '4.3.8' }).text).not.toContain('can name one')
})

test.each<[string, Situation['steps'], string]>([
  [
    'the plan',
    [
      ['ready-to-switch', 'blocked'],
      ['env-switch', 'would-change'],
    ],
    'Nothing was changed.',
  ],
  [
    'its first copy',
    [
      ['copy-catch-up', 'failed'],
      ['env-switch', 'skipped'],
    ],
    'Not switched; everything is back as it was.',
  ],
  [
    'a second run',
    [
      ['ready-to-switch', 'blocked'],
      ['env-switch', 'ready'],
    ],
    'Not finished: the env file names the disk, and stays so.',
  ],
])('a cut-over that ends in %s', (_, steps = [], headline) => {
  const problem = { code: 'x', what: '', why: '', next: '' }
  expect(closing('cutover', { steps, problem }).headline).toBe(headline)
})
