import { describe, expect, it, test } from 'vitest'
import { restoreLines } from '../../../src/services/mastodon/env-edit.ts'
import { readStatements } from '../../../src/services/mastodon/env-text.ts'
import { block, edited, fixtures } from './env-fixtures.ts'
import { storageValues } from './storage-values.ts'

const names = [...storageValues.keys()]
const marks = block.split('\n').filter((line) => line.startsWith('#'))
const written = { names, retired: [], marks }

const active = (text: string) =>
  readStatements(text).flatMap(({ active, key, value }) => (active ? [`${key}=${value}`] : []))

describe.each(fixtures)('$name', ({ text }) => {
  it('is as before once the storage block has come and gone', () => {
    const end = text.includes('\r\n') ? '\r\n' : '\n'
    const closed = text === '' || /[\r\n]$/.test(text) ? text : `${text}${end}`
    const restored = restoreLines(edited(text), text, written)
    expect([text, closed]).toContain(restored)
  })

  it('keeps what was added in between', () => {
    const end = text.includes('\r\n') ? '\r\n' : '\n'
    const whole = edited(text).replace(/([^\r\n])$/, `$1${end}`)
    const after = `${whole}NEW_SETTING=1${end}`
    expect(active(restoreLines(after, text, written))).toEqual([...active(text), 'NEW_SETTING=1'])
  })

  it('without a backup only the written lines go', () => {
    const others = (source: string) =>
      active(source).filter((line) => !storageValues.has(line.split('=')[0] ?? ''))
    const cut = restoreLines(edited(text), '', written)
    expect(active(cut)).toEqual(others(text))
  })
})

const own = { names: ['A', 'B'], retired: ['R'], marks: ['# Ours'] }

test.each<[what: string, now: string, before: string, after: string]>([
  ['a changed value', 'A=x\nC=1\n', 'A=old\nC=1\n', 'A=old\nC=1\n'],
  ['the way it was written', 'A=x\n', "export A='o l d' # why\n", "export A='o l d' # why\n"],
  ['the comment that was moved above', '# why\nA=x\n', 'A=old # why\n', 'A=old # why\n'],
  ['a comment of the same words', '# why\nA=x\n', '# why\nA=old # why\n', '# why\nA=old # why\n'],
  ['a line that was not there', 'A=x\nC=1\n', 'C=1\n', 'C=1\n'],
  ['earlier lines', '# A=1\nC=1\nA=x\n', 'A=1\nC=1\nA=2\n', 'A=1\nC=1\nA=2\n'],
  ['a retired line', '# R=1\nA=x\n', 'R=1\nA=x\n', 'R=1\nA=x\n'],
  ['a retired line that the admin took out', 'A=x\n', 'R=1\nA=x\n', 'A=x\n'],
  ['a retired name that is new', 'R=1\nA=x\n', 'A=x\n', 'R=1\nA=x\n'],
  ['a written line that is gone', 'C=1\n', 'A=old\nC=1\n', 'C=1\nA=old\n'],
  ['several lines', 'A=x\nC=1\n', 'A="o\nl\nd"\nC=1\n', 'A="o\nl\nd"\nC=1\n'],
  ['retired several lines', '# R="o\n# l"\nC=1\n', 'R="o\nl"\nC=1\n', 'R="o\nl"\nC=1\n'],
  ['a commented line of the admin', '# A=1\nA=x\n', '# A=1\n', '# A=1\n'],
  ['our comments', 'C=1\n\n# Ours\nA=x\n', 'C=1\n', 'C=1\n'],
  ['our comments, kept where before has them', '# Ours\nA=x\n', '# Ours\nA=1\n', '# Ours\nA=1\n'],
  ['Windows line ends', 'C=1\r\n\r\n# Ours\r\nA=x\r\nB=y\r\n', 'C=1\r\n', 'C=1\r\n'],
  ['a byte order mark', '\uFEFFA=x\nC=1\n', '\uFEFFC=1\n', '\uFEFFC=1\n'],
  ['a missing last newline', 'C=1\nA=x', 'C=1\nA=old', 'C=1\nA=old'],
])('puts back %s', (_, now, before, after) => {
  expect(restoreLines(now, before, own)).toBe(after)
})

test('what Mastodon would read together with other lines is refused', () => {
  expect(restoreLines("X='\n", 'A=old\n', own)).toBe("X='\nA=old\n")
  expect(() => restoreLines("X='\n", "A='\n", own)).toThrow(/can't be put back/)
})
