import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { describe, expect, it, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import { editEnvFile } from '../../../src/services/mastodon/env-edit.ts'
import { fileText, readStatements } from '../../../src/services/mastodon/env-text.ts'
import { edited, fixtures } from './env-fixtures.ts'
import { storageValues } from './storage-values.ts'

const activeValues = (text: string) =>
  new Map(readStatements(text).flatMap(({ active, key, value }) => (active ? [[key, value]] : [])))

const set = (values: Record<string, string>) => new Map(Object.entries(values))

describe.each(fixtures)('$name', ({ name, text }) => {
  it('becomes the golden file', () => {
    const golden = readFileSync(join(import.meta.dirname, 'golden', name))
    expect(edited(text)).toBe(fileText.decode(golden))
  })

  it('has the nine values, each active once', () => {
    const statements = readStatements(edited(text)).filter(({ active }) => active)
    const nine = statements.filter(({ key }) => storageValues.has(key))
    expect(new Map(nine.map(({ key, value }) => [key, value]))).toEqual(storageValues)
    expect(nine).toHaveLength(9)
  })

  it('is left alone by a second edit', () => {
    expect(edited(edited(text))).toBe(edited(text))
  })

  it('keeps every other setting', () => {
    const others = (source: string) =>
      readStatements(source)
        .filter(({ active, key }) => active && !storageValues.has(key))
        .map(({ key, raw }) => [key, raw])
    expect(others(edited(text))).toEqual(others(text))
  })

  it('keeps its line ends and its byte order mark', () => {
    const after = edited(text)
    const isWindows = text.includes('\r\n')
    expect(/(?<!\r)\n/.test(after)).toBe(!isWindows)
    expect(after.startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'))
  })
})

test.each<[what: string, before: string, values: Record<string, string>, after: string]>([
  ['replaces in place', 'A=1\nB=2\nC=3\n', { B: 'x' }, 'A=1\nB=x\nC=3\n'],
  ['leaves a right line alone', '  A=x\n', { A: 'x' }, '  A=x\n'],
  ['takes off quotes', "A='x'\n", { A: 'x' }, 'A=x\n'],
  ['takes off export', 'export A=x\n', { A: 'x' }, 'A=x\n'],
  ['takes out blanks', 'A = x\n', { A: 'x' }, 'A=x\n'],
  ['takes out blanks at the end', 'A= \nB=1\n', { A: '' }, 'A=\nB=1\n'],
  ['turns a colon into =', 'A: x\n', { A: 'x' }, 'A=x\n'],
  ['gives a bare name its value', 'A\nB=1\n', { A: 'x' }, 'A=x\nB=1\n'],
  ['writes out an expansion', 'B=x\nA=$B\n', { A: 'x' }, 'B=x\nA=x\n'],
  ['moves an inline comment above', 'A=x # why\n', { A: 'x' }, '# why\nA=x\n'],
  ['drops what may be part of a value', 'A=old#word\n', { A: 'x' }, 'A=x\n'],
  ['keeps the indentation', '\tA=1 # why\n', { A: 'x' }, '\t# why\n\tA=x\n'],
  ['comments out earlier ones', 'A=1\nA=2\n', { A: 'x' }, '# A=1\nA=x\n'],
  ['comments out all lines of one', "A='1\n2'\nA=2\n", { A: 'x' }, "# A='1\n# 2'\nA=x\n"],
  ['uncomments none', '# A=x\n', { A: 'x' }, '# A=x\n\n# Added by mastodon-r2\nA=x\n'],
  ['adds the missing after the last', 'A=1\nB=2\nC=3', { B: 'x', D: 'y' }, 'A=1\nB=x\nD=y\nC=3'],
  ['adds after a last line without end', 'B=2', { B: 'x', D: 'y' }, 'B=x\nD=y'],
  ['keeps Windows line ends', 'A=1\r\nB=2\r\n', { A: 'x', D: 'y' }, 'A=x\r\nD=y\r\nB=2\r\n'],
  ['appends behind an unfinished line', 'A=1', { D: 'y' }, 'A=1\n\n# Added by mastodon-r2\nD=y\n'],
  ['appends behind a blank line', 'A=1\n\n', { D: 'y' }, 'A=1\n\n# Added by mastodon-r2\nD=y\n'],
  ['fills an empty file', '', { D: 'y' }, '# Added by mastodon-r2\nD=y\n'],
  [
    'keeps a lone byte order mark first',
    '\uFEFF',
    { D: 'y' },
    '\uFEFF# Added by mastodon-r2\nD=y\n',
  ],
  [
    'ignores keys inside a quoted value',
    "B='\nA=1\n'\n",
    { A: 'x' },
    "B='\nA=1\n'\n\n# Added by mastodon-r2\nA=x\n",
  ],
])('%s', (_, before, values, after) => {
  expect(editEnvFile(before, { set: set(values) })).toBe(after)
})

test('retired keys are commented out wherever they are, and others are set', () => {
  const before = 'OLD=1\nA=1\nOLD=2\n# OLD=3\n'
  const after = editEnvFile(before, { set: set({ A: 'x' }), retire: ['OLD'] })
  expect(after).toBe('# OLD=1\nA=x\n# OLD=2\n# OLD=3\n')
})

test('what the block leaves out is added below it', () => {
  const after = editEnvFile('Z=1\n', { set: set({ A: 'x', B: 'y' }), block: '# why\nA=x\n' })
  expect(after).toBe('Z=1\n\n# why\nA=x\nB=y\n')
})

test('a block that says something else is a bug', () => {
  const changes = { set: set({ A: 'x' }), block: 'A=y\n' }
  expect(() => editEnvFile('', changes)).toThrow('The block says something else about A.')
})

test.each(['a b', 'a$b', "a'b", 'a"b', 'a#b', 'a\\b', 'a\nb', 'a\rb', 'a`b', 'ä', 'a;b', 'a&b'])(
  'the value %j is refused, and not shown',
  (value) => {
    const edit = () => editEnvFile('', { set: set({ AWS_SECRET_ACCESS_KEY: value }) })
    expect(edit).toThrow(Problem)
    expect(edit).toThrow(expect.objectContaining({ code: 'env-value-unsafe', exit: 2 }))
    expect(edit).not.toThrow(value)
  },
)

test('an empty value does not swallow a stray quoted line below it', () => {
  const edit = () => editEnvFile("A=1\n''\n", { set: set({ A: '' }) })
  expect(() => edit()).toThrow(expect.objectContaining({ code: 'env-file-tangled', exit: 2 }))
})

test('whatever stands in the file, the values are in force and a second edit is idle', () => {
  const piece = fc.constantFrom(
    ...['S3_BUCKET', 'S3_ENABLED', 'OTHER', '=', ': ', ' ', '\t', '\n', '\r\n', '\r', '#', '# '],
    ...["'", '"', '\\', '$', '$(', ')', 'export ', 'x', '\uFEFF', '\udce9', "A='1\n2'\n"],
    ...['S3_BUCKET=y\n', 'S3_ENABLED=true\n'],
  )
  const values = set({ S3_ENABLED: 'true', S3_PERMISSION: '', S3_BUCKET: 'media' })
  let edits = 0
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), (pieces) => {
      const text = pieces.join('')
      try {
        const once = editEnvFile(text, { set: values })
        const active = activeValues(once)
        for (const [key, value] of values) expect(active.get(key)).toBe(value)
        expect(editEnvFile(once, { set: values })).toBe(once)
        edits += 1
      } catch (error) {
        expect(error).toMatchObject({ code: 'env-file-tangled' })
      }
    }),
    { numRuns: 2000, seed: 4 },
  )
  expect(edits).toBeGreaterThan(1900)
})
