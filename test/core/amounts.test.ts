import fc from 'fast-check'
import { expect, it } from 'vitest'
import { count, counted } from '../../src/core/amounts.ts'

it('numbers are grouped as in English', () => {
  expect([0, 999, 1000, 12_345, 1_234_567].map(count)).toEqual([
    '0',
    '999',
    '1,000',
    '12,345',
    '1,234,567',
  ])
  expect([counted(1, 'file'), counted(2000, 'file')]).toEqual(['1 file', '2,000 files'])
  fc.assert(
    fc.property(fc.maxSafeNat(), (number) => {
      expect(count(number)).toBe(number.toLocaleString('en-US'))
    }),
  )
})
