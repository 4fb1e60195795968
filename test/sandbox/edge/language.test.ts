import { describe, expect, it } from 'vitest'
import type { Visit } from '../../../src/sandbox/edge/language.ts'
import { evaluate, RuleLanguageError } from '../../../src/sandbox/edge/language.ts'
import { parse } from '../../../src/sandbox/edge/parse.ts'

const visit: Visit = {
  host: 'social.example.com',
  method: 'GET',
  path: '/system/media/a%20b.png',
  query: 'v=1',
  code: 404,
}
const isListed = (list: string, value: string) => list === 'old' && value.includes('/system/')

function told(text: string, phase: 'request' | 'response' = 'request') {
  return evaluate(parse(text, 'boolean', phase), visit, isListed)
}

function made(text: string) {
  return evaluate(parse(text, 'text'), visit, isListed)
}

describe('conditions', () => {
  it.each([
    ['http.host eq "social.example.com"', true],
    ['http.host == "files.example.com"', false],
    ['http.host ne "social.example.com"', false],
    ['(http.host eq "social.example.com")', true],
    ['http.host in {"a.example" "social.example.com"}', true],
    ['http.host in {"a.example"}', false],
    ['not http.host in {"a.example"}', true],
    ['starts_with(http.request.uri.path, "/system/")', true],
    ['ends_with(http.request.uri.path, ".png")', true],
    ['starts_with(http.request.uri, "/system/media/a%20b.png?v=1")', true],
    ['http.request.uri.query eq "v=1"', true],
    ['http.request.uri.path contains "media"', true],
    ['http.request.full_uri eq "https://social.example.com/system/media/a%20b.png?v=1"', true],
    ['http.request.full_uri wildcard "HTTPS://*.example.com/SYSTEM/*"', true],
    ['http.request.full_uri strict wildcard "HTTPS://*.example.com/SYSTEM/*"', false],
    ['http.request.full_uri wildcard "https://*.example.com/system"', false],
    [String.raw`http.request.uri.path wildcard r"/system/\*"`, false],
    ['http.request.full_uri in $old', true],
    ['http.request.full_uri in $other', false],
    ['ssl', true],
    ['not ssl', false],
    ['true', true],
    ['lower("ABC") eq "abc"', true],
    ['http.request.method in {"GET" "HEAD"} and ssl', true],
    // and binds tighter than or, not tighter than both
    ['true or false and false', true],
    ['(true or false) and false', false],
    ['not false and false', false],
    ['not (false and false)', true],
    ['!false && (false || true)', true],
  ])('%s is %s', (text, expected) => {
    expect(told(text)).toBe(expected)
  })

  it.each([
    ['http.response.code eq 404', true],
    ['http.response.code in {200 206}', false],
    ['http.response.code ge 400 and http.response.code < 500', true],
  ])('about the answer: %s', (text, expected) => {
    expect(told(text, 'response')).toBe(expected)
  })
})

describe('texts', () => {
  it.each([
    [
      'concat("https://files.example.com", substring(http.request.uri.path, 7))',
      'https://files.example.com/media/a%20b.png',
    ],
    ['substring("abcdef", 1, 3)', 'bc'],
    ['substring("abcdef", -2)', 'ef'],
    [
      'wildcard_replace(http.request.full_uri, "https://*/system/*", r"https://files.example.com/${2}")',
      'https://files.example.com/media/a%20b.png?v=1',
    ],
    ['wildcard_replace("abc", "x*", "y")', 'abc'],
    ['wildcard_replace("a-b", "A-*", "$${1}-${1}", "s")', 'a-b'],
    ['wildcard_replace("a-b", "A-*", "$$-${1}")', '$-b'],
    [String.raw`concat("say \"hi\"", "\x41", r#"a"b\n"#)`, String.raw`say "hi"Aa"b\n`],
  ])('%s', (text, expected) => {
    expect(made(text)).toBe(expected)
  })
})

describe('what is refused', () => {
  it.each([
    ['nothing', ''],
    ['a field that is unknown', 'ip.src eq 1'],
    ['a property of every object', 'constructor'],
    ['a function that is unknown', 'upper("a") eq "A"'],
    ['an operator that is unknown', 'http.host like "a"'],
    ['no operator', 'http.host "a"'],
    ['a text alone', '"a"'],
    ['a number compared with a text', 'http.host eq 1'],
    ['a field compared with a field', 'http.host eq http.request.uri.path'],
    ['more or less text', 'http.host gt "a"'],
    ['an empty set', 'http.host in {}'],
    ['too few arguments', 'starts_with(http.host) eq true'],
    ['a wrong argument', 'starts_with(http.host, 1)'],
    ['too many arguments', 'starts_with(http.host, "a", "b")'],
    ['an open parenthesis', '(ssl'],
    ['an open string', 'http.host eq "a'],
    ['an unknown escape', String.raw`http.host eq "a\n"`],
    ['what comes after the end', 'ssl ssl'],
    ['the answer, before there is one', 'http.response.code eq 404'],
    ['not twice what is no condition', 'not http.host'],
  ])('%s', (_, text) => {
    expect(() => parse(text, 'boolean')).toThrow(RuleLanguageError)
  })

  it.each(['http.host matches "a"', 'regex_replace("a", "b", "c") eq "a"'])(
    'regular expressions, which the Free plan has not: %s',
    (text) => {
      expect(() => parse(text, 'boolean')).toThrow('not entitled')
    },
  )

  it.each(['http.host wildcard "**"', 'http.host wildcard r"a\\b"'])('a pattern: %s', (text) => {
    expect(() => told(text)).toThrow(RuleLanguageError)
  })

  it('a text where a condition is needed, and the other way round', () => {
    expect(() => parse('concat("a")', 'boolean')).toThrow('a boolean is needed')
    expect(() => parse('ssl', 'text')).toThrow('a text is needed')
  })
})
