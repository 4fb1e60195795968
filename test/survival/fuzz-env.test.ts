import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { editEnvFile } from '../../src/services/mastodon/env-edit.ts'
import { fileText, readStatements } from '../../src/services/mastodon/env-text.ts'
import { rubyMissing, runRuby } from '../ruby/ruby.ts'

const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-fuzz-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const set = new Map([
  ['S3_ENABLED', 'true'],
  ['S3_BUCKET', 'example-media'],
  ['S3_PERMISSION', ''],
  ['AWS_ACCESS_KEY_ID', '0'.repeat(32)],
])
const retire = ['S3_STORAGE_CLASS']
const ours = new Set([...set.keys(), ...retire])
const block = `# Media on Cloudflare R2\n${[...set].map(([name, value]) => `${name}=${value}\n`).join('')}`
const edit = (text: string) => editEnvFile(text, { set, retire, block })

/** Env files as people have them: whole lines, now and then an odd one. */
const name = fc.constantFrom(...ours, 'LOCAL_DOMAIN', 'DB_PASS', 'S3_ALIAS_HOST', 'export SMTP')
const value = fc.constantFrom(
  ...[
    '',
    'true',
    'x',
    "''",
    '"a b"',
    "'a # b'",
    'a # note',
    'a#b',
    '"two\nlines"',
    "'two\r\nlines'",
  ],
  ...['$HOME', '"${A}"', '$(date)', 'a\\nb', 'ä\u2028', '\udce9', '"', "it's", '\\'],
)
const line = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(name, fc.constantFrom('=', ' = ', ': '), value) },
  { weight: 2, arbitrary: fc.tuple(fc.constant('# '), name, fc.constant('='), value) },
  {
    weight: 2,
    arbitrary: fc.constantFrom([''], ['# words'], ['\t'], ['words'], ["'"], ['export']),
  },
)
const ending = fc.constantFrom('\n', '\n', '\r\n', '')
const envFiles = fc
  .tuple(fc.constantFrom('', '\uFEFF'), fc.array(fc.tuple(line, ending), { maxLength: 12 }))
  .map(([mark, lines]) => mark + lines.map(([parts, end]) => parts.join('') + end).join(''))

/** Lines, with their ends, that no active assignment of ours stands on. */
function othersLines(text: string): string[] {
  const taken = readStatements(text).filter(({ active, key }) => active && ours.has(key))
  let offset = 0
  return linesOf(text).filter((one) => {
    const [start, end] = [offset, offset + one.length]
    offset = end
    return bare(one) !== '' && !taken.some((span) => span.start < end && start < span.end)
  })
}

function linesOf(text: string): string[] {
  return text.split(/(?<=\r\n|\n|\r(?!\n))/)
}

/** The mark at the start of the file is looked at apart. */
function bare(line: string): string {
  return line.replace(/^\uFEFF/, '')
}

function others(text: string): [string, string][] {
  const active = readStatements(text).filter((one) => one.active && !ours.has(one.key))
  return active.map(({ key, value }) => [key, value])
}

/** Every one of `parts` in this order, with anything in between. */
function missingFrom(parts: readonly string[], whole: readonly string[]): string | undefined {
  let at = 0
  for (const part of parts) {
    const found = whole.findIndex((one, index) => {
      return (
        index >= at && (bare(one) === bare(part) || bare(one).replace(/\r?\n$/, '') === bare(part))
      )
    })
    if (found < 0) return part
    at = found + 1
  }
  return undefined
}

test('what is not ours stays byte for byte, and means what it meant', () => {
  let edits = 0
  fc.assert(
    fc.property(envFiles, (text) => {
      let after: string
      try {
        after = edit(text)
      } catch (error) {
        expect(error).toBeInstanceOf(Problem)
        return
      }
      edits += 1
      expect(missingFrom(othersLines(text), linesOf(after))).toBeUndefined()
      expect(others(after)).toEqual(others(text))
      expect(after.startsWith('\uFEFF')).toBe(text.startsWith('\uFEFF'))
      const bytes = fileText.encode(after)
      expect(fileText.decode(bytes)).toBe(after)
    }),
    { numRuns: 4000, seed: 3 },
  )
  expect(edits).toBeGreaterThan(3000)
})

describe.skipIf(rubyMissing)(`Ruby's dotenv ${rubyMissing ?? ''}`, () => {
  test('reads what we meant, and all else as before', async () => {
    const texts = fc.sample(envFiles, { numRuns: 600, seed: 5 }).flatMap((text) => {
      try {
        // dotenv refuses what is not UTF-8, with us or without.
        return /[\udc80-\udcff]/.test(text) ? [] : [{ before: text, after: edit(text) }]
      } catch {
        return []
      }
    })
    const paths = texts.flatMap(({ before, after }, index) => {
      return [before, after].map((text, nth) => {
        const path = join(folder, `${index}-${nth}.env`)
        writeFileSync(path, fileText.encode(text))
        return path
      })
    })
    const read = (await runRuby('read_env.rb', paths)) as (Record<string, string> | null)[]
    let compared = 0
    for (const index of texts.keys()) {
      const [before, after] = [read[2 * index], read[2 * index + 1]]
      if (!before) continue
      const rest = (values: Record<string, string>) =>
        Object.entries(values).filter(([key]) => !ours.has(key))
      expect(after).toMatchObject(Object.fromEntries(set))
      expect(Object.fromEntries(rest(after ?? {}))).toEqual(Object.fromEntries(rest(before)))
      for (const key of retire) expect(after).not.toHaveProperty(key)
      compared += 1
    }
    expect(compared).toBeGreaterThan(300)
  })
})
