import { parse as parseEnv } from 'dotenv'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import { quoted } from '../../src/setup/quoted.ts'
import { problemOf } from '../fakes/found.ts'
import { nixMissing, nixValue, sourced, terraformMissing, terraformValue } from './real-reader.ts'

/** What some format takes for syntax, or for another type than text. */
const SYNTAX =
  `\${a} $\${a} $$\${a} %{a} %%{a} {{ {% {# }} $a $$ $( \` ' " \\ \\n # ; : - ? , & * ! | > @ ~ [ ] { }
  = << null true no 0x1f 0777 1e3 1_000 .inf 2026-11-22 \u00e9 \u2028 \u{1f418} export`.split(/ +/)

const pieces = fc.oneof(
  fc.constantFrom(...SYNTAX, ' ', '\n', '\t'),
  fc.string(),
  fc.string({ unit: 'grapheme' }),
)
const awkward = fc.array(pieces, { maxLength: 6 }).map((parts) => parts.join(''))
/** What the settings let through as an address, besides what is sensible. */
const seen = fc
  .array(fc.oneof(fc.constantFrom(...SYNTAX), fc.string()), { maxLength: 6 })
  .map((parts) => parts.join('').replace(/['\\]|[^\x20-\x7e]/g, ''))

const many = (one: fc.Arbitrary<string>) => fc.sample(one, { numRuns: 400, seed: 5 })

describe('any text comes back as it was', () => {
  test.each(['yaml', 'json'] as const)('%s', (format) => {
    fc.assert(
      fc.property(awkward, (value) => {
        const text = quoted[format](value)
        expect(parse(`a: ${text}\nb: 1`)).toEqual({ a: value, b: 1 })
        expect(JSON.parse(text)).toBe(value)
        expect(text).toMatch(/^"[\x20-\x7e]*"$/)
      }),
    )
  })

  test('compose, once its variables are replaced', () => {
    fc.assert(
      fc.property(awkward, (value) => {
        const text = parse(quoted.compose(value))
        expect(text.replaceAll('$$', '')).not.toContain('$')
        expect(text.replaceAll('$$', '$')).toBe(value)
      }),
    )
  })

  test('ansible, and Jinja leaves it alone', () => {
    const unsafe = { tag: '!unsafe', resolve: (text: string) => ({ text }) }
    fc.assert(
      fc.property(awkward, (value) => {
        const read = parse(quoted.ansible(value), { customTags: [unsafe] })
        const isTemplate = /\{\{|\{%|\{#/.test(value)
        expect(read).toEqual(isTemplate ? { text: value } : value)
      }),
    )
  })

  test.skipIf(nixMissing)('nix', () => {
    const values = many(awkward).filter((value) => !value.includes('\0'))
    expect(nixValue(`[ ${values.map(quoted.nix).join(' ')} ]`)).toEqual(values)
  })

  test.skipIf(terraformMissing)('hcl', () => {
    // Terraform puts letters and their accents together (Unicode NFC).
    const values = many(awkward)
    const read = terraformValue(`[${values.map(quoted.hcl).join(', ')}]`)
    expect(read).toEqual(values.map((value) => value.normalize('NFC')))
  })
})

describe('a line of an env file', () => {
  const named = (values: readonly string[]) => values.map((value, at) => [`V${at}`, value] as const)

  test('means the same to dotenv and bash', () => {
    const values = named(many(seen))
    const text = values.map(([name, value]) => `${name}=${quoted.env(value)}\n`).join('')
    expect(parseEnv(text)).toEqual(Object.fromEntries(values))
    expect(sourced(text)).toMatchObject(Object.fromEntries(values))
  })

  test.each(['', 'https://a-b.c:1/d_e', 'x,y@z%+='])('%j needs no quotes', (value) => {
    expect(quoted.env(value)).toBe(value)
  })

  test.each(["it's", 'a\\b', 'a\nb', 'a\0b', 'é'])(
    '%j is refused, and not repeated',
    async (value) => {
      const problem = await problemOf(Promise.resolve().then(() => quoted.env(value)))
      expect(problem.code).toBe('value-unwritable')
      expect(JSON.stringify(Object.values({ ...problem }))).not.toContain(value)
    },
  )
})
