import { expect, test } from 'vitest'
import { interpolate } from '../../../../src/services/mastodon/compose/interpolate.ts'

const values: Readonly<Record<string, string>> = { A: 'x', EMPTY: '' }

function filled(text: string) {
  const refused: string[] = []
  const result = interpolate(
    text,
    (name) => values[name],
    (why) => refused.push(why),
  )
  return refused.length > 0 ? `refused: ${refused[0]}` : result
}

test.each([
  ['$A ${A}', 'x x'],
  ['$$A', '$A'],
  ['${NONE:-d} ${EMPTY:-d} ${EMPTY-d} ${NONE-d}', 'd d  d'],
  ['${A:+o} ${EMPTY:+o} ${EMPTY+o}', 'o  o'],
  ['${NONE:-${EMPTY:-${A}}}', 'x'],
  ['${A:-${NONE:?needed}}', 'x'],
  ['${NONE-a-b:-c}', 'a-b:-c'],
  ['${A:?needed}', 'x'],
  [
    '${NONE:?put it into .env}',
    'refused: the variable NONE is needed and has no value: put it into .env',
  ],
  ['${EMPTY:?}', 'refused: the variable EMPTY is needed and has no value'],
  ['${EMPTY?}', ''],
  ['${1}', 'refused: a "${" is not closed, or holds no name of a variable'],
  ['$NONE', ''],
  ['100$ and $1', '100$ and $1'],
])('%s', (text, expected) => {
  expect(filled(text)).toBe(expected)
})
