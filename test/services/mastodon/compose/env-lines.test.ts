import { expect, test } from 'vitest'
import { readEnvLines } from '../../../../src/services/mastodon/compose/env-lines.ts'

const outside: Readonly<Record<string, string>> = { OUT: 'o', BOTH: 'outside' }

function read(text: string) {
  const refused: string[] = []
  const values = readEnvLines(
    text,
    (name) => outside[name],
    (why) => refused.push(why),
  )
  return refused.length > 0 ? refused[0] : Object.fromEntries(values)
}

test.each<[what: string, text: string, expected: unknown]>([
  ['a comment needs a blank before it', 'A=x # c\nB=x#c\n', { A: 'x', B: 'x#c' }],
  ['quotes end the value', 'A="x" OUT\nB=y\n', { A: 'x', OUT: 'o', B: 'y' }],
  ['a bare name is passed on, or is none', 'OUT\nNONE\n', { OUT: 'o' }],
  [
    'what is outside comes before the lines above',
    'BOTH=own\nA=$BOTH\n',
    { BOTH: 'own', A: 'outside' },
  ],
  ['the lines above come next', 'A=1\nB=${A}-${NONE:-d}\n', { A: '1', B: '1-d' }],
  ['$$ is a dollar', 'A=$$OUT\nB="\\$OUT"\nC=\'$OUT\'\n', { A: '$OUT', B: '$OUT', C: '$OUT' }],
  [
    'a backslash works in double quotes',
    'A=a\\nb\nB="a\\nb"\nC="\\""\n',
    { A: 'a\\nb', B: 'a\nb', C: '"' },
  ],
  ['lines in quotes', 'A="two\nlines"\nB=1\n', { A: 'two\nlines', B: '1' }],
  ['other forms', '\uFEFFexport A=1\nB: 2\nC = 3\r\n', { A: '1', B: '2', C: '3' }],
  ['a blank of Unicode is trimmed, but for export', 'A=\u00a0a\u0085\n', { A: 'a' }],
  [
    'and is a part of the name behind it',
    'export\u00a0A=1\nB=2\n',
    { 'export\u00a0A': '1', B: '2' },
  ],
  ['an address in angles is refused', 'A=1\nB="Name" <a@b>\n', 'line 2 is no KEY=value'],
  ['an open quote is refused', 'A=1\nB="x\n', 'a quote that begins on line 2 is not closed'],
  [
    'what is needed and missing is refused',
    'A=${NONE:?}\n',
    'the variable NONE is needed and has no value',
  ],
])('%s', (_, text, expected) => {
  expect(read(text)).toEqual(expected)
})
