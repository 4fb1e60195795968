import { describe, expect, test } from 'vitest'
import { readAhead } from '../../src/core/streams.ts'

const turn = () => new Promise((resolve) => setImmediate(resolve))

describe('readAhead', () => {
  async function* pairs(made: number[], end: { closed: boolean }) {
    try {
      for (let nth = 1; nth <= 9; nth += 1) {
        made.push(nth)
        yield [nth, nth]
      }
    } finally {
      end.closed = true
    }
  }

  test('the source is read before anybody takes anything, as far as was told', async () => {
    const made: number[] = []
    readAhead(pairs(made, { closed: false }), 6)
    for (let nth = 0; nth < 50; nth += 1) await turn()
    expect(made).toEqual([1, 2, 3])
  })

  test('what is taken makes room, and all comes out in its order', async () => {
    const end = { closed: false }
    const seen: number[] = []
    for await (const [nth] of readAhead(pairs([], end), 4)) {
      seen.push(nth ?? 0)
      await turn()
    }
    expect([seen, end.closed]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9], true])
  })

  test('stopped early, it ends its source', async () => {
    const end = { closed: false }
    for await (const _ of readAhead(pairs([], end), 4)) break
    expect(end.closed).toBe(true)
  })

  test('a failure comes after what was read before it', async () => {
    const failing = async function* () {
      yield [1]
      throw new Error('broken')
    }
    const seen: number[] = []
    const reading = async () => {
      for await (const [nth] of readAhead(failing(), 10)) seen.push(nth ?? 0)
    }
    await expect(reading()).rejects.toThrow('broken')
    expect(seen).toEqual([1])
  })
})
