import { expect, test } from 'vitest'
import { survive } from './outcomes.ts'

test('each API request of init that writes, each kind of fault', { timeout: 600_000 }, async () => {
  const limits = { api: 500, s3: 3000, web: 3000, parts: false }
  const { cases, failures, codes } = await survive(
    ({ side, method }) => side === 'api' && method !== 'GET',
    limits,
  )
  expect(failures).toEqual([])
  expect(cases).toBeGreaterThanOrEqual(80)
  expect([...codes]).toEqual(expect.arrayContaining(['went on', 'cloudflare-answer-lost']))
})
