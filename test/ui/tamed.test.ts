import { PassThrough } from 'node:stream'
import { expect, test } from 'vitest'
import { jsonUi } from '../../src/ui/json.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { tame, tamed } from '../../src/ui/tamed.ts'

test.each([
  ['a colour', 'a\u001B[31mb', 'a\\x1b[31mb'],
  ['a title of the window', '\u001B]0;x\u0007', '\\x1b]0;x\\x07'],
  ['C1', '\u009B2J', '\\x9b2J'],
  ['DEL and backspace', 'a\u007F\b', 'a\\x7f\\x08'],
  ['a carriage return that hides what was before', 'bad\rgood', 'bad\\x0dgood'],
  ['line ends of Windows', 'a\r\nb', 'a\nb'],
  ['writing turned round', 'a\u202Egpj\u2066', 'a\\u202egpj\\u2066'],
  ['letters, tabs and line ends stay', 'ä\t日本\n€ 👍', 'ä\t日本\n€ 👍'],
])('%s', (_, text, expected) => {
  expect(tame(text)).toBe(expected)
})

function voice(of: typeof plainUi | typeof jsonUi) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()]
  const ui = tamed(of({ words: stdout, stdout, stderr, quiet: false }))
  return { ui, read: () => String(stdout.read() ?? '') + String(stderr.read() ?? '') }
}
const ESC = '\u001B[2J'
const problem = { code: 'x', what: ESC, why: ESC, next: ESC }
const report = {
  command: 'check',
  ok: false,
  dryRun: false,
  settings: {},
  steps: [],
  checks: [],
  env: null,
  warnings: [ESC, '\u009B'],
  next: [],
  problem,
}

test('whatever is said, no voice prints what a terminal obeys', () => {
  for (const of of [plainUi, jsonUi]) {
    const { ui, read } = voice(of)
    ui.say(ESC)
    ui.warn(ESC)
    ui.note(ESC, [ESC])
    ui.told('a', ESC, ESC)
    ui.ended({ id: 'a', title: ESC, status: 'failed', note: ESC, changes: [] } as never)
    ui.showPlan({ items: [] } as never, { [ESC]: { value: ESC, source: ESC } }, ESC)
    ui.finish(report as never, { headline: ESC, sections: [{ title: ESC, lines: [ESC] }] })
    const seen = read()
    expect(seen).toContain('x1b')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: that is what must not be there
    expect(/[\u001B\u009B]/.test(seen)).toBe(false)
  }
})
