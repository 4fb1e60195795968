import { expect, test } from 'vitest'
import { survive } from './outcomes.ts'

test('each API request of init, each kind of fault', { timeout: 300_000 }, async () => {
  const limits = { api: 500, s3: 3000, web: 3000, parts: false }
  const { cases, failures, outcomes } = await survive(({ side }) => side === 'api', limits)
  if (process.env.SHOW) for (const [n, o] of outcomes) console.log(o.padEnd(30), n)
  expect(failures).toEqual([])
  expect(cases).toBeGreaterThan(400)
})
