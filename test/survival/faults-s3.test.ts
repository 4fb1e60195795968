import { expect, test } from 'vitest'
import { survive } from './outcomes.ts'

test('each S3 and public request of init, each kind of fault', { timeout: 300_000 }, async () => {
  const limits = { api: 3000, s3: 700, web: 500, parts: true }
  const { cases, failures } = await survive(({ side }) => side !== 'api', limits)
  expect(failures).toEqual([])
  expect(cases).toBeGreaterThan(200)
})
