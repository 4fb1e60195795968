import { expect, test } from 'vitest'
import { edgeWish } from '../../src/settings/names.ts'

const recommended = ['security-headers', 'cache-everything', 'private-folders']

test.each<[string, readonly string[]]>([
  ['recommended', recommended],
  ['none', []],
  ['private-folders', ['private-folders']],
  ['tiered-cache, private-folders', ['private-folders', 'tiered-cache']],
  ['recommended,tiered-cache', [...recommended, 'tiered-cache']],
  ['recommended,private-folders', recommended],
])('--edge %s', (text, names) => {
  expect(edgeWish.parse(text)).toEqual(names)
})

test.each(['none,none', 'private-folders,private-folders', 'recommended recommended'])(
  '--edge "%s" names one twice',
  (text) => {
    const [issue] = edgeWish.safeParse(text).error?.issues ?? []
    expect(issue?.message).toMatch(/^names .* twice$/)
  },
)

test.each(['', ' ', ',', 'all', 'none,private-folders', 'recommended none', 'privatefolders'])(
  '--edge "%s" is refused, and what there is is named',
  (text) => {
    const [issue] = edgeWish.safeParse(text).error?.issues ?? []
    expect(issue?.message).toMatch(/recommended, none, or some of security-headers, .*tiered-cache/)
  },
)
