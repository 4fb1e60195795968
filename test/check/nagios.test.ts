import { describe, expect, test } from 'vitest'
import { asPlugin, isPlugin } from '../../src/check/nagios.ts'
import type { Host } from '../../src/host.ts'

type Check = { severity: string; title: string; saw: string }

async function plugin(report: object | Error, argv: readonly string[] = []) {
  let text = ''
  const stream = { write: (part: string) => (text += part) }
  const host = { environment: {}, stdout: stream, stderr: { write: () => true } }
  const code = await asPlugin(host as unknown as Host, argv, async ({ stdout, stderr }) => {
    if (report instanceof Error) throw report
    stderr.write('words that nobody reads\n')
    stdout.write(JSON.stringify({ checks: [], problem: null, ...report }))
    return 1
  })
  return { code, text }
}

const check = (severity: string, title = 'Certificate', saw = 'ends'): Check => ({
  severity,
  title,
  saw,
})

const LINE = /^MASTODON-R2 (OK|WARNING|CRITICAL|UNKNOWN) - [^|\n]+( \| [^|\n]+)?\n$/

describe('one line and an exit code', () => {
  test.each([
    [
      'all is well',
      [check('ok'), check('note')],
      0,
      'OK - all well | faults=0;;0 warnings=0;0 notes=1 ok=1 time=',
    ],
    [
      'a warning',
      [check('warning')],
      1,
      'WARNING - 1 warning: Certificate: ends | faults=0;;0 warnings=1;0',
    ],
    [
      'a fault',
      [check('warning', 'A'), check('fault', 'B')],
      2,
      'CRITICAL - 1 fault, 1 warning: B: ends; A: ends | faults=1;;0 warnings=1;0',
    ],
    [
      'a bar and a line break',
      [check('fault', 'A|B', 'x\ny\x1b[1m')],
      2,
      'CRITICAL - 1 fault: A/B: x y [1m |',
    ],
  ])('%s', async (_, checks, code, words) => {
    const ended = await plugin({ checks })
    expect(ended.code).toBe(code)
    expect(ended.text).toMatch(LINE)
    expect(ended.text).toContain(words)
  })

  test('many faults are cut, the performance data is not', async () => {
    const { text } = await plugin({ checks: Array.from({ length: 90 }, () => check('fault')) })
    expect(text).toMatch(LINE)
    expect(text).toContain('... | faults=90;;0')
    expect(text.length).toBeLessThan(600)
  })

  test.each([
    ['what keeps it from being run', { problem: { what: 'No env file.', next: 'Name it.' } }, []],
    ['a bug', new Error('oops'), []],
    ['--json as well', {}, ['--json']],
    ['--timings as well', {}, ['--timings']],
  ])('%s is UNKNOWN', async (_, report, argv) => {
    const { code, text } = await plugin(report, argv)
    expect({ code, text }).toMatchObject({ code: 3, text: expect.stringMatching(LINE) })
    expect(text).toMatch(/^MASTODON-R2 UNKNOWN - /)
  })
})

test.each([
  [['--format', 'nagios'], {}, true],
  [['--quick', '--format=nagios'], {}, true],
  [[], { MASTODON_R2_CHECK_FORMAT: 'nagios' }, true],
  [['--format', 'xml'], { MASTODON_R2_CHECK_FORMAT: 'nagios' }, false],
  [[], { MASTODON_R2_FORMAT: 'nagios' }, false],
  [['--quick'], {}, false],
])('%j with %j: %s', (argv, environment, expected) => {
  expect(isPlugin({ environment }, argv)).toBe(expected)
})
