import { expect, test } from 'vitest'
import { readStatements, type Statement } from '../../../src/services/mastodon/env-text.ts'

// The table of readers: what Ruby's dotenv makes of each form.
test.each<[text: string, expected: Partial<Statement>]>([
  ['A=', { value: '', plain: true, quoting: 'none' }],
  ["A=''", { value: '', plain: false, quoting: 'single' }],
  ['A=x # c', { value: 'x', comment: '# c', commentApart: true }],
  ['A=x#c', { value: 'x', comment: '#c', commentApart: false }],
  ['A= # c', { value: '', comment: '# c', commentApart: true }],
  ['A=$B', { value: 'from-shell', expands: true, runs: false }],
  ['A=${B}', { value: 'from-shell', expands: true }],
  ['A=\\$B', { value: '$B', expands: false }],
  ['A=$(rm -rf x)', { value: '$(rm -rf x)', runs: true }],
  ['A=\\$(x)', { value: '$(x)', runs: false }],
  ["A='$(x) $B'", { value: '$(x) $B', runs: false, expands: false }],
  ['A=a\\nb', { value: 'anb', plain: false }],
  ['A="a\\nb"', { value: 'a\\nb', quoting: 'double' }],
  ["A='a$b'", { value: 'a$b', quoting: 'single', expands: false }],
  ['export A=x', { value: 'x', exported: true, plain: false }],
  ['A = x', { value: 'x', plain: false }],
  ['A: x', { value: 'x', plain: false }],
  ['A', { value: '', plain: false }],
  ["A='it''s'", { value: "it''s" }],
  ["A='open", { value: "'open" }],
  ['A="x\r\ny"', { value: 'x\ny' }],
  ['# A=x', { active: false, value: 'x', plain: false }],
  ['  #A="x y"', { active: false, value: 'x y' }],
])('%j', (text, expected) => {
  const [statement, ...others] = readStatements(text, { B: 'from-shell' })
  expect(others).toEqual([])
  expect(statement).toMatchObject({ key: 'A', active: true, ...expected })
})

test.each(['', '\n\n', '# a remark', 'two words', 'A B=c', '=x', '# Note: this'])(
  '%j assigns nothing',
  (text) => {
    expect(readStatements(text)).toEqual([])
  },
)

test('spans, lines and order', () => {
  const text = "\uFEFFA=1\r\n  B='x\r\n# C=2\r\ny' # z\r\n#D=3\r\n"
  const found = readStatements(text).map(({ key, line, start, end, active }) => {
    return [key, line, text.slice(start, end), active]
  })
  expect(found).toEqual([
    ['A', 1, 'A=1', true],
    ['B', 2, "  B='x\r\n# C=2\r\ny' # z", true],
    ['D', 5, '#D=3', false],
  ])
})

test('a variable is filled in from above', () => {
  const values = readStatements('A=1\nB=$A\nA=2\nC=${A}$UNKNOWN').map(({ value }) => value)
  expect(values).toEqual(['1', '1', '2', '2'])
})
