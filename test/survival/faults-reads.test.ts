import { expect, test } from 'vitest'
import { survive } from './outcomes.ts'

test('each API request of init that reads, each kind of fault', { timeout: 600_000 }, async () => {
  const limits = { api: 500, s3: 3000, web: 3000, parts: false }
  const { cases, failures, codes } = await survive(
    ({ side, method }) => side === 'api' && method === 'GET',
    limits,
  )
  expect(failures).toEqual([])
  expect(cases).toBeGreaterThan(400)
  expect([...codes]).toEqual(
    expect.arrayContaining(['went on', 'cloudflare-10000', 'cloudflare-429', 'cloudflare-garbled']),
  )
})
