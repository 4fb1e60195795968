import { expect, test } from 'vitest'
import { explain, numberOf } from '../../../src/services/cloudflare/refusal.ts'
import { at, startStub, TOKEN, thrownBy } from './api-stub.ts'

const call = { reason: 'refused', method: 'GET', path: '/accounts/a/r2/buckets/b?x=1' } as const
const failed = (status: number, ...codes: number[]) => ({
  ...call,
  status,
  errors: codes.map((code) => ({ code, message: `message ${code}` })),
})

test.each([
  [403, [10042], 10042, 'R2 is not switched on', 'https://dash.cloudflare.com/?to=/:account/r2'],
  [403, [9109], 9109, 'may not do this', 'Edit the token'],
  [403, [10000], 10000, 'refused the API token', 'Look at the token'],
  [400, [9106], 9106, 'did not recognise', 'Copy the token'],
  [401, [1000], 1000, 'not valid', 'Copy the token'],
  [404, [7003], 7003, 'does not know', '--account-id'],
  [400, [10009], 10009, 'as many buckets', '--bucket'],
  [400, [1001], 1001, 'refused this', 'Edit the token'],
  [429, [971], 429, 'pause', 'Wait 5 minutes'],
  [503, [], 503, 'trouble of its own', 'cloudflarestatus'],
  [500, [10001], 500, 'trouble of its own', 'cloudflarestatus'],
  [418, [12345], 12345, 'refused a call', 'error number'],
  [418, [], 418, 'refused a call', 'ray id'],
  [403, [12345, 9109], 9109, 'may not do this', 'Edit the token'],
])('HTTP %i with %j', (status, codes, number, what, next) => {
  const problem = explain(failed(status, ...codes))
  expect(problem.code).toBe(`cloudflare-${number}`)
  expect(problem.what).toContain(what)
  expect(problem.next).toContain(next)
  for (const code of codes) expect(problem.why).toContain(`${code} message ${code}`)
  expect(problem.why).toContain(`HTTP ${status}`)
  expect(problem.why).not.toContain('?x=1')
})

test.each([
  ['DELETE', '/accounts/a/r2/buckets/b/domains/custom/h', 'delete the custom domain of the bucket'],
  ['DELETE', '/accounts/a/tokens/t', 'delete an API token or access key'],
  ['DELETE', '/accounts/a/r2/buckets/b', 'delete a bucket'],
  ['DELETE', '/zones/z/rulesets/r/rules/s', 'delete rules'],
  ['PUT', '/accounts/a/r2/buckets/b/cors', 'set the CORS rules of the bucket'],
  ['GET', '/zones/z/dns_records?per_page=1', 'read DNS records of the domain'],
])('a refused %s %s says what was to be done', (method, path, words) => {
  expect(String(explain({ ...failed(403, 10000), method, path }).why)).toContain(
    `Refused was to ${words}.`,
  )
})

test('an unnumbered error goes by its status', () => {
  expect(numberOf({ ...failed(400, 0) })).toBe(400)
})

test('keeps the ray id, and neither control characters nor the token', async () => {
  const message = `bad \u001b[31mtoken ${TOKEN}\nhere.`
  await using stub = await startStub([{ status: 400, errors: [[4242, message]] }])
  const error = await thrownBy(stub.client.findBucket(at))
  expect(error.message).toContain('ray 8f00000000000000-FRA')
  expect(error.message).toContain('4242 bad [31mtoken **** here (')
  expect(JSON.stringify(error) + error.stack).not.toContain(TOKEN)
})
