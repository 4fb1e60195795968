import { expect, test } from 'vitest'
import { noteComparison } from '../../../src/migrate/compare/stage.ts'
import { comparisonOf, noted, tallyOf } from './comparisons.ts'

test('what is noted: equal, or that the next copy has to list and copy again', () => {
  const contentDiffers = tallyOf(2, 2, ['a', 'b'])
  const faulty = comparisonOf({ equal: false, at: 'now', contentDiffers })
  const failed = [{ key: 'a', reason: '403' }]
  expect(noteComparison({ ...noted, failed }, faulty)).toMatchObject({
    completeSince: undefined,
    equalAt: undefined,
    failed: [failed[0], { key: 'b', reason: 'another content in the bucket' }],
  })
  const equal = { ...faulty, equal: true }
  expect(noteComparison(noted, equal)).toEqual({ ...noted, equalAt: 'now' })
})
