import { expect, test } from 'vitest'
import { KeyPack } from '../../src/core/key-pack.ts'
import { type KeyBatches, sortedKeys, unionOf } from '../../src/core/sorted-keys.ts'
import { compareKeys } from '../../src/core/streams.ts'

async function all(batches: KeyBatches): Promise<string[]> {
  const keys: string[] = []
  for await (const some of batches) keys.push(...some.map(({ key }) => key))
  return keys
}

async function packed(keys: readonly string[]) {
  const made = new KeyPack()
  await made.add(keys)
  return made.end()
}

const odd = ['a\nb', 'a"b', 'ä', '\u2028', '\u{1f600}', '\ufffd', '']
const many = Array.from({ length: 9_001 }, (_, nth) => `cache/${String(nth).padStart(6, '0')}`)

test.each([
  ['none', []],
  ['one', ['a']],
  ['names with everything in them', odd],
  ['more than a piece', many],
])('a pack gives back what it was given: %s', async (_, keys) => {
  const made = await packed(keys)
  expect(await all(made.read())).toEqual(keys)
  expect(await all(made.read())).toEqual(keys)
  expect(made.keys).toBe(keys.length)
})

test('a pack is much smaller than its keys', async () => {
  expect((await packed(many)).bytes).toBeLessThan(many.join('').length / 4)
})

test.each([[[]], [['b d']], [['b d', 'a b', 'c d e', 'a']], [['', 'a', '']]])(
  'several sides are one, each key once: %j',
  async (sides) => {
    const words = sides.map((side) => side.split(' ').filter((word) => word !== ''))
    const packs = await Promise.all(words.map(packed))
    const together = await all(unionOf(packs.map((one) => one.read())))
    expect(together).toEqual([...new Set(words.flat())].sort())
  },
)

test('keys in any order, and some twice, are sorted as S3 lists them', async () => {
  const keys = [...many.toReversed(), ...odd, ...many.slice(0, 100)]
  const given = async function* () {
    yield keys.slice(0, 5_000)
    yield keys.slice(5_000)
  }
  const expected = [...new Set(keys)].sort(compareKeys)
  expect(await all(await sortedKeys(given(), 700))).toEqual(expected)
})
