import { expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { tellPlace } from '../../src/flow/session.ts'
import type { Report } from '../../src/plan/report.ts'
import type { Ui } from '../../src/ui/port.ts'

type Given = Parameters<typeof tellPlace>[1]

const flag = (name: string, text: string): Given[number] => [
  name,
  { text, value: text, source: 'a flag' },
]
const given = [flag('bucket', 'media'), flag('envFile', '/srv/it is here/.env')] as Given
const PLACE = "--env-file '/srv/it is here/.env'"

function voice() {
  const told: unknown[] = []
  const tell = (...all: unknown[]) => void told.push(...all)
  const ui = { say: tell, warn: tell, note: tell, ended: tell, finish: tell } as unknown as Ui
  return { ui, told }
}

test.each([
  ['npx mastodon-r2 init', `npx mastodon-r2 init ${PLACE}`],
  [
    'npx mastodon-r2 init puts it in; or by hand',
    `npx mastodon-r2 init ${PLACE} puts it in; or by hand`,
  ],
  ['a\n  npx mastodon-r2 check\nb', `a\n  npx mastodon-r2 check ${PLACE}\nb`],
  [
    'XDG_STATE_HOME=/var npx mastodon-r2 migrate --stage copy',
    `XDG_STATE_HOME=/var npx mastodon-r2 migrate ${PLACE} --stage copy`,
  ],
  [
    'npx mastodon-r2 migrate --only-local --env-file /a --stage copy',
    'npx mastodon-r2 migrate --only-local --env-file /a --stage copy',
  ],
  ['npx mastodon-r2 rotate --mastodon-dir /a', 'npx mastodon-r2 rotate --mastodon-dir /a'],
  ['npx mastodon-r2 sandbox', 'npx mastodon-r2 sandbox'],
  ['mastodon-r2 rotate', 'mastodon-r2 rotate'],
])('%j', (text, expected) => {
  const { ui, told } = voice()
  tellPlace(ui, given).say(text)
  expect(told).toEqual([expected])
})

test('both are told, and a word with a dollar is no pattern', () => {
  const { ui, told } = voice()
  const both = [flag('mastodonDir', '/srv/$&'), flag('envFile', '/e')] as Given
  tellPlace(ui, both).warn('npx mastodon-r2 undo')
  expect(told).toEqual(["npx mastodon-r2 undo --mastodon-dir '/srv/$&' --env-file /e"])
})

test('wherever the line stands in what is told at the end', () => {
  const { ui, told } = voice()
  const report = {
    ok: false,
    next: ['npx mastodon-r2 rotate'],
    problem: { next: 'Then:\n  npx mastodon-r2 check' },
  } as unknown as Report
  const lines = ['  npx mastodon-r2 migrate']
  tellPlace(ui, given).finish(report, { headline: 'Done.', sections: [{ title: 'Next', lines }] })
  expect(told).toEqual([
    {
      ok: false,
      next: [`npx mastodon-r2 rotate ${PLACE}`],
      problem: { next: `Then:\n  npx mastodon-r2 check ${PLACE}` },
    },
    {
      headline: 'Done.',
      sections: [{ title: 'Next', lines: [`  npx mastodon-r2 migrate ${PLACE}`] }],
    },
  ])
})

test('a Problem stays what it is, and without a place the voice does', () => {
  const { ui, told } = voice()
  const problem = new Problem({ code: 'c', what: 'W.', why: 'W.', next: 'npx mastodon-r2 init' })
  const outcome = {
    id: 'a',
    title: 'A',
    status: 'failed',
    note: 'n',
    changes: [],
    problem,
  } as const
  tellPlace(ui, given).ended(outcome)
  expect(told).toEqual([{ ...outcome, problem }])
  expect((told[0] as typeof outcome).problem).toBe(problem)
  expect(tellPlace(ui, [flag('bucket', 'media')] as Given)).toBe(ui)
})
