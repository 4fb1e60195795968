import { describe, expect, test } from 'vitest'
import { prefetch } from '../../src/core/streams.ts'

describe('prefetch', () => {
  async function* numbers(made: number[], end: { closed: boolean }) {
    try {
      for (let nth = 1; nth <= 3; nth += 1) {
        made.push(nth)
        yield nth
      }
    } finally {
      end.closed = true
    }
  }

  test('one more is prepared while one is worked on', async () => {
    const made: number[] = []
    const end = { closed: false }
    const seen: string[] = []
    for await (const number of prefetch(numbers(made, end))) {
      await new Promise((resolve) => setImmediate(resolve))
      seen.push(`${number} of ${made.length}`)
    }
    expect(seen).toEqual(['1 of 2', '2 of 3', '3 of 3'])
  })

  test('stopped early, it ends its source', async () => {
    const end = { closed: false }
    for await (const _ of prefetch(numbers([], end))) break
    expect(end.closed).toBe(true)
  })

  test('a failure of what is prepared is told when its turn comes', async () => {
    const failing = async function* () {
      yield 1
      throw new Error('broken')
    }
    const seen: number[] = []
    const reading = async () => {
      for await (const number of prefetch(failing())) seen.push(number)
    }
    await expect(reading()).rejects.toThrow('broken')
    expect(seen).toEqual([1])
  })
})
