import { expect, test } from 'vitest'
import { survive } from './outcomes.ts'
import type { Shape } from './strike.ts'

const isOfParts = ({ path }: Shape) => path.includes('parts.bin')

test('each S3 and public request of init, each kind of fault', { timeout: 600_000 }, async () => {
  const limits = { api: 3000, s3: 1500, web: 500, parts: false }
  const outside = (shape: Shape) => shape.side !== 'api' && !isOfParts(shape)
  const { cases, failures } = await survive(outside, limits)
  expect(failures).toEqual([])
  expect(cases).toBeGreaterThan(200)
})

test('each request of the upload in parts, each kind of fault', { timeout: 600_000 }, async () => {
  const limits = { api: 3000, s3: 3000, web: 3000, parts: true }
  const { cases, failures } = await survive(isOfParts, limits)
  expect(failures).toEqual([])
  expect(cases).toBeGreaterThan(50)
})
