import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys } from '../../../src/key-order.ts'
import { inOrder } from '../../../src/services/media/in-order.ts'

async function* given(keys: readonly string[], size: number) {
  for (let at = 0; at < keys.length; at += size) {
    yield keys.slice(at, at + size).map((key) => ({ key }))
  }
}

async function read(lists: readonly ReturnType<typeof given>[]): Promise<string[]> {
  const keys: string[] = []
  for await (const batch of inOrder(lists)) keys.push(...batch.map(({ key }) => key))
  return keys
}

describe('inOrder', () => {
  it('gives every key of every list once, in the order of the keys', async () => {
    const list = fc.tuple(fc.array(fc.string({ unit: 'binary' })), fc.integer({ min: 1, max: 4 }))
    await fc.assert(
      fc.asyncProperty(fc.array(list, { maxLength: 4 }), async (lists) => {
        const sorted = lists.map(([keys, size]) => given(keys.sort(compareKeys), size))
        const all = lists.flatMap(([keys]) => keys).sort(compareKeys)
        expect(await read(sorted)).toEqual(all)
      }),
    )
  })

  it('one that fails ends the others', async () => {
    let ended = 0
    async function* endless() {
      try {
        for (let at = 0; ; at += 2) yield [{ key: String(at).padStart(9, '0') }]
      } finally {
        ended += 1
      }
    }
    async function* failing() {
      yield [{ key: '000000001' }]
      throw new Error('no more')
    }
    await expect(read([endless(), failing()])).rejects.toThrow('no more')
    expect(ended).toBe(1)
  })
})
