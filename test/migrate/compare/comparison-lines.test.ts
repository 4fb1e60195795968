import { expect, test } from 'vitest'
import { comparisonLines } from '../../../src/migrate/compare/lines.ts'
import { comparisonSchema } from '../../../src/plan/report-schema.ts'
import { comparisonOf, tallyOf } from './comparisons.ts'

const long = `media_attachments/files/${'109/'.repeat(20)}original/0123456789abcdef.png`
const wrong = {
  key: 'accounts/avatars/1.png',
  header: 'Cache-Control' as const,
  is: null,
  expected: 'public, max-age=315576000, immutable',
}
const bad = comparisonOf({
  equal: false,
  missing: tallyOf(12_345, 6_789_012, ['a/1.png', long, 'c', 'd', 'e', 'f']),
  sizeDiffers: tallyOf(1, 12, ['accounts/avatars/あ \u0007.png']),
  contentDiffers: tallyOf(2, 3_000_000_000, ['x', 'y']),
  unreadable: tallyOf(1, 0, ['cache/accounts']),
  extra: tallyOf(3, 999, ['old/1', 'old/2', 'old/3']),
  uploaded: { objects: 1_000_000, bytes: 2e12, examples: ['no/1'] },
  deletedSince: tallyOf(4, 4000, ['gone']),
  leftOut: { suspended: 7, cache: 100_000 },
  oddities: 2,
  contents: { compared: 20_000, notComparable: 3 },
  headers: { sampled: 50, wrong: { objects: 1, examples: [wrong] } },
})
const good = comparisonOf({ headers: { sampled: 50, wrong: { objects: 0, examples: [] } } })

test.each([
  [60, 'bad', bad],
  [100, 'bad', bad],
  [60, 'good', good],
  [40, 'bad', bad],
])('at %d columns, %s', async (columns, name, comparison) => {
  const lines = comparisonLines(comparison, columns)
  const golden = `golden/comparison-${name}-${columns}.txt`
  await expect(`${lines.join('\n')}\n`).toMatchFileSnapshot(golden)
  for (const line of lines) {
    expect(line).toMatch(/^[ -~]*$/)
    expect(line.length).toBeLessThanOrEqual(Math.max(columns, 60))
  }
})

test('the report takes it', () => {
  expect(comparisonSchema.parse(JSON.parse(JSON.stringify(bad)))).toEqual(bad)
})
