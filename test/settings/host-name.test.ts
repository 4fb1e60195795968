import { describe, expect, it } from 'vitest'
import { hostName, tidyHost } from '../../src/settings/names.ts'
import * as z from '../../src/settings/zod.ts'

describe('a media host is put right where that is harmless', () => {
  it.each([
    ['files.example.com', 'files.example.com', []],
    ['https://files.example.com', 'files.example.com', ['left out the scheme']],
    [
      'https://files.example.com/',
      'files.example.com',
      ['left out the scheme', 'left out the path'],
    ],
    ['files.example.com/media', 'files.example.com', ['left out the path']],
    ['files.example.com:443', 'files.example.com', ['left out the port']],
    ['files.example.com.', 'files.example.com', ['left out the trailing dot']],
    ['Files.Example.COM', 'files.example.com', ['changed to lower case']],
    ['  files.example.com ', 'files.example.com', []],
    ['bücher.example', 'xn--bcher-kva.example', ['written as punycode: xn--bcher-kva.example']],
    [
      'файлы.example.com',
      'xn--80asg7a0b.example.com',
      ['written as punycode: xn--80asg7a0b.example.com'],
    ],
  ])('%s → %s', (typed, text, notes) => {
    expect(tidyHost(typed)).toEqual({ text, notes })
    expect(hostName(z).safeParse(text).success).toBe(true)
  })
})

describe('a media host is refused with a suggestion', () => {
  it.each([
    ['', 'is empty'],
    ['files example.com', 'did you mean filesexample.com?'],
    ['my_files.example.com', 'did you mean my-files.example.com?'],
    ['*.example.com', 'wildcard'],
    ['admin@example.com', 'mail address'],
    ['203.0.113.7', 'IP address'],
    ['2001:db8::1', 'IP address'],
    ['files', 'did you mean files.example.com?'],
    ['files..example.com', 'two dots in a row'],
    ['.example.com', 'two dots in a row'],
    ['-files.example.com', '"-files"'],
    ['files-.example.com', '"files-"'],
    [`${'a'.repeat(64)}.example.com`, 'longer than 63'],
    [`${'a.'.repeat(130)}com`, 'longer than 253'],
    ['fi$les.example.com', '"fi$les"'],
    ['example.1', 'ends in a number'],
  ])('%s: %s', (typed, words) => {
    const result = hostName(z).safeParse(tidyHost(typed).text)
    expect(result.error?.issues[0]?.message).toContain(words)
  })
})
