import { expect, test } from 'vitest'
import { edgeTime, edgeWish } from '../../src/settings/names.ts'
import * as z from '../../src/settings/zod.ts'

const recommended = ['security-headers', 'cache-everything', 'private-folders']

test.each<[string, readonly string[]]>([
  ['recommended', recommended],
  ['none', []],
  ['private-folders', ['private-folders']],
  ['tiered-cache, private-folders', ['private-folders', 'tiered-cache']],
  ['recommended,tiered-cache', [...recommended, 'tiered-cache']],
  ['recommended,private-folders', recommended],
])('--edge %s', (text, names) => {
  expect(edgeWish(z).parse(text)).toEqual(names)
})

test.each(['none,none', 'private-folders,private-folders', 'recommended recommended'])(
  '--edge "%s" names one twice',
  (text) => {
    const [issue] = edgeWish(z).safeParse(text).error?.issues ?? []
    expect(issue?.message).toMatch(/^names .* twice$/)
  },
)

test.each(['', ' ', ',', 'all', 'none,private-folders', 'recommended none', 'privatefolders'])(
  '--edge "%s" is refused, and what there is is named',
  (text) => {
    const [issue] = edgeWish(z).safeParse(text).error?.issues ?? []
    expect(issue?.message).toMatch(/recommended, none, or some of security-headers, .*tiered-cache/)
  },
)

test.each([
  ['2h', 7200],
  ['30d', 2_592_000],
  ['52w', 31_449_600],
  ['365d', 31_536_000],
  ['origin', 'origin'],
])('--edge-ttl %s', (text, expected) => {
  expect(edgeTime(z).parse(text)).toBe(expected)
})

// On the Free plan 2 hours are the least.
test.each(['1h', '366d', '53w', '30', '30 d', '0d', '1.5d', 'never', ''])(
  '--edge-ttl "%s" is refused, with what it may be',
  (text) => {
    const [issue] = edgeTime(z).safeParse(text).error?.issues ?? []
    expect(issue?.message).toContain('2h to 365d')
  },
)
