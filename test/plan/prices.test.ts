import { describe, expect, test } from 'vitest'
import { billFor, classOfOperation, listPrice, prices } from '../../src/plan/prices.ts'

/** The examples of Cloudflare's own page on prices. */
test.each([
  [{ gbMonths: 1000, classA: 1000, classB: 1_000_000 }, 14.85],
  [{ gbMonths: 10, classA: 100_000, classB: 300_000_000 }, 104.4],
  [{ gbMonths: 10, classA: 1_000_000, classB: 10_000_000 }, 0],
  [{ gbMonths: 11.1, classA: 0, classB: 0 }, 0.03],
  [{ gbMonths: 0, classA: 2_000_001, classB: 0 }, 9],
])('%j costs $%d', (use, dollars) => {
  expect(billFor(use).total).toBeCloseTo(dollars, 6)
})

describe('operations', () => {
  test.each([
    ['PutObject', 'A', 4.5],
    ['ListObjects', 'A', 4.5],
    ['HeadObject', 'B', 0.36],
    ['GetObject', 'B', 0.36],
    ['DeleteObject', 'free', 0],
    ['SomethingNew', 'unlisted', 0],
  ] as const)('%s is of class %s', (action, name, aMillion) => {
    expect(classOfOperation(action)).toBe(name)
    expect(listPrice(action, 1_000_000)).toBeCloseTo(aMillion, 6)
  })
})

test('the table says when it was read, and where', () => {
  expect(prices.readOn).toMatch(/^20\d\d-\d\d-\d\d$/)
  expect(prices.source).toMatch(/^https:\/\/developers\.cloudflare\.com\//)
})
