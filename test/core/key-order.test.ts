import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { compareKeys } from '../../src/core/streams.ts'

const bytes = (a: string, b: string) => Buffer.compare(Buffer.from(a), Buffer.from(b))

describe('compareKeys', () => {
  it.each([
    ['a', 'a', 0],
    ['a', 'b', -1],
    ['', 'a', -1],
    ['a/b', 'a-b', 1],
    ['a', 'a/', -1],
    ['\u{1F600}', '\uFB01', 1],
    ['\u{1F600}', '\u{1F601}', -1],
    ['\u00e9', 'z', 1],
  ])('%s and %s: %d', (a, b, expected) => {
    expect(Math.sign(compareKeys(a, b))).toBe(expected)
    expect(Math.sign(compareKeys(b, a))).toBe(expected === 0 ? 0 : -expected)
  })

  it('is the order of the UTF-8 bytes', () => {
    const key = fc.string({ unit: 'binary', maxLength: 8 })
    fc.assert(
      fc.property(key, key, (a, b) => {
        expect(Math.sign(compareKeys(a, b))).toBe(bytes(a, b))
      }),
    )
  })
})
