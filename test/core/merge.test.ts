import { describe, expect, test } from 'vitest'
import { merge } from '../../src/core/streams.ts'

interface Item {
  readonly key: string
}

/** One batch a word group; `|` parts batches. */
function side(text: string): Item[][] {
  return text.split('|').map((batch) => [...batch.trim()].map((key) => ({ key })))
}

async function* stream(batches: Item[][], ended: string[] = [], name = '') {
  try {
    for (const batch of batches) yield batch
  } finally {
    ended.push(name)
  }
}

/** `a` both, `a-` at the source only, `-a` in the bucket only. */
async function merged(files: string, objects: string): Promise<string> {
  const told: string[] = []
  for await (const pairs of merge(stream(side(files)), stream(side(objects)))) {
    expect(pairs.length).toBeGreaterThan(0)
    for (const { file, object } of pairs) {
      if (file && object) expect(file.key).toBe(object.key)
      told.push(file ? `${file.key}${object ? '' : '-'}` : `-${object.key}`)
    }
  }
  return told.join(' ')
}

describe('merge', () => {
  test.each([
    ['', '', ''],
    ['abc', 'abc', 'a b c'],
    ['a|b|c', 'abc', 'a b c'],
    ['abc', '|a||bc|', 'a b c'],
    ['abc', '', 'a- b- c-'],
    ['', 'abc', '-a -b -c'],
    ['ace', 'bdf', 'a- -b c- -d e- -f'],
    ['a|d', 'ab|c|def', 'a -b -c d -e -f'],
    ['bx', 'a|b|c|x|y', '-a b -c x -y'],
    ['é\u{ff5e}\u{1f600}', '\u{ff5e}', 'é- \u{ff5e} \u{1f600}-'],
  ])('%j and %j', async (files, objects, told) => {
    expect(await merged(files, objects)).toBe(told)
  })

  test.each([
    ['ba', 'a', 'The source'],
    ['a|c|b', '', 'The source'],
    ['aa', '', 'The source'],
    ['ab', 'b|a', 'The bucket'],
    // UTF-16 order, as some servers list.
    ['', '\u{1f600}\u{ff5e}', 'The bucket'],
  ])('%j and %j is refused, not answered wrongly', async (files, objects, side) => {
    await expect(merged(files, objects)).rejects.toMatchObject({
      code: 'keys-out-of-order',
      what: expect.stringContaining(side),
    })
  })

  test('ends both sides when one fails or nobody goes on', async () => {
    const ended: string[] = []
    for await (const _ of merge(stream(side('a|b'), ended, 'x'), stream(side('a|b'), ended, 'y'))) {
      break
    }
    expect(ended.sort()).toEqual(['x', 'y'])
    async function* failing(): AsyncGenerator<Item[]> {
      yield [{ key: 'a' }]
      throw new Error('broken')
    }
    const again: string[] = []
    const work = async () => {
      for await (const _ of merge(failing(), stream(side('a|b'), again, 'y')));
    }
    await expect(work()).rejects.toThrow('broken')
    expect(again).toEqual(['y'])
  })

  test('300,000 a side in a moment', async () => {
    async function* many(step: number) {
      for (let at = 0; at < 300_000; at += 1000) {
        yield Array.from({ length: 1000 }, (_, index) => ({
          key: `media/${String((at + index) * step).padStart(9, '0')}`,
        }))
      }
    }
    let both = 0
    const began = performance.now()
    for await (const pairs of merge(many(1), many(2))) {
      for (const { file, object } of pairs) if (file && object) both += 1
    }
    expect(both).toBe(150_000)
    expect(performance.now() - began).toBeLessThan(10_000)
  })
})
