import { expect, test } from 'vitest'
import { interpolate } from '../../../src/services/mastodon/compose.ts'

test.each([
  ['$A ${A}', 'x x'],
  ['$$A', '$A'],
  ['${NONE:-d} ${EMPTY:-d} ${EMPTY-d} ${NONE-d}', 'd d  d'],
  ['${A:+o} ${EMPTY:+o} ${EMPTY+o}', 'o  o'],
  ['${NONE:?needed}', ''],
  ['${A:?needed}', 'x'],
  ['$NONE', ''],
  ['100$ and $1', '100$ and $1'],
])('%s', (text, filled) => {
  expect(interpolate(text, { A: 'x', EMPTY: '' })).toBe(filled)
})
