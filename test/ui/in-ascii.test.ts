import { expect, test } from 'vitest'
import { inAscii, speaksUtf8 } from '../../src/ui/ascii.ts'
import { Screen } from './terminal.ts'

test.each([
  [{}, true],
  [{ LANG: 'C.UTF-8' }, true],
  [{ LANG: 'de_DE.utf8' }, true],
  [{ LANG: 'C' }, false],
  [{ LANG: 'de_DE.UTF-8', LC_ALL: 'C' }, false],
  [{ LANG: 'C', LC_CTYPE: 'en_US.UTF-8' }, true],
  [{ LANG: 'de_DE.ISO-8859-1' }, false],
  [{ LANG: 'C.UTF-8', LC_ALL: '' }, true],
  [{ LANG: 'C.UTF-8', TERM: 'linux' }, false],
])('%j: UTF-8 %s', (environment, expected) => {
  expect(speaksUtf8(environment)).toBe(expected)
})

test.each([
  ['◆ │ └ ◇', '* | + *'],
  ['\u001B[36m●\u001B[39m Yes', '\u001B[36m>\u001B[39m Yes'],
  ['Köln, naïve', 'Koln, naive'],
  ['it’s “so” – …', 'it\'s "so" - .'],
  ['例え 🙂', '?? ?'],
])('%s', (text, expected) => {
  const screen = new Screen()
  inAscii(screen.stream).write(text)
  expect(screen.written).toBe(expected)
})
