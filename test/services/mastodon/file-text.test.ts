import fc from 'fast-check'
import { expect, test } from 'vitest'
import { fileText } from '../../../src/services/mastodon/env-text.ts'

test('every byte string comes back as it was', () => {
  const utf8ish = fc.constantFrom(
    0x41,
    0x0a,
    0x80,
    0xbf,
    0xc3,
    0xa9,
    0xe2,
    0x82,
    0xac,
    0xed,
    0xf0,
    0x9f,
  )
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), fc.array(utf8ish), (any, close) => {
      for (const bytes of [any, Uint8Array.from(close)]) {
        expect([...fileText.encode(fileText.decode(bytes))]).toEqual([...bytes])
      }
    }),
    { seed: 1 },
  )
})

test.each<[bytes: number[], text: string]>([
  [[0x63, 0x61, 0x66, 0xc3, 0xa9], 'café'],
  [[0x63, 0x61, 0x66, 0xe9], 'caf\udce9'],
  [[0xef, 0xbb, 0xbf, 0x41], '\uFEFFA'],
  [[0xf0, 0x9f, 0x90, 0x98], '🐘'],
  [[0xed, 0xa0, 0x80], '\udced\udca0\udc80'],
])('%j is %j', (bytes, text) => {
  expect(fileText.decode(Uint8Array.from(bytes))).toBe(text)
})
