import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import type { CloudflarePort } from '../../../src/services/cloudflare/port.ts'
import { at, startStub, thrownBy } from './api-stub.ts'
import { heldAgainstTheDescription } from './held.ts'

const HOST = 'files.example.com'
let sandbox: Sandbox
let client: CloudflarePort
let faults: string[] = []
beforeAll(async () => {
  sandbox = await startSandbox({ domainMs: 0, keyMs: 0 })
  const { bootstrapToken: token, apiUrl: baseUrl } = sandbox
  const send = heldAgainstTheDescription((found) => faults.push(...found))
  client = connectCloudflare({ token, baseUrl, send, sleep: async () => {} })
})
afterAll(() => sandbox.close())

beforeEach(() => {
  faults = []
})
afterEach(() => {
  expect(faults).toEqual([])
})

const place = (bucket: string) =>
  ({ accountId: sandbox.accountId, bucket, jurisdiction: 'eu' }) as const

test('domain, rules and bucket go; a second time is fine', async () => {
  const there = place('media')
  await client.createBucket(there)
  const zone = await client.findZone(HOST)
  await client.attachCustomDomain(there, HOST, zone?.id ?? '')
  await client.putCors(there, [{ id: 'x', allowed: { origins: ['*'], methods: ['GET'] } }])
  expect(await client.listCustomDomains(there)).toEqual([HOST])
  for (let times = 0; times < 2; times++) {
    await client.detachCustomDomain(there, HOST)
    expect(await client.listCustomDomains(there)).toEqual([])
    expect(await client.listDnsRecords(zone?.id ?? '', HOST)).toEqual([])
    await client.deleteCors(there)
    expect(await client.getCors(there)).toEqual([])
  }
  await client.putLifecycle(there, [])
  expect(await client.getLifecycle(there)).toEqual([])
  await client.deleteBucket(there)
  expect(await client.findBucket(there)).toBeUndefined()
})

test('of a bucket that does not exist', async () => {
  const nowhere = place('never-there')
  const before = sandbox.log.length
  expect(await client.listCustomDomains(nowhere)).toEqual([])
  await client.detachCustomDomain(nowhere, HOST)
  await client.deleteCors(nowhere)
  await client.deleteBucket(nowhere)
  expect(sandbox.log.slice(before).filter(({ status }) => status === 'reset')).toEqual([])
})

test('the jurisdiction is named: a bucket of the same name elsewhere stays', async () => {
  const [here, there] = [place('twin'), { ...place('twin'), jurisdiction: 'default' as const }]
  await client.createBucket(here)
  await client.createBucket(there)
  await client.deleteBucket(here)
  expect(await client.findBucket(here)).toBeUndefined()
  expect(await client.findBucket(there)).toMatchObject({ name: 'twin' })
})

test('an answer that is lost', async () => {
  const there = place('lost')
  await client.createBucket(there)
  const path = '/buckets/lost'
  sandbox.faults.add({ side: 'api', method: 'DELETE', path, kind: 'applied-then-reset' })
  await client.deleteBucket(there)
  expect(await client.findBucket(there)).toBeUndefined()
})

test.each([
  ['deleteBucket', (port: CloudflarePort) => port.deleteBucket(at), 409, 10008, 'not empty'],
  ['deleteBucket', (port: CloudflarePort) => port.deleteBucket(at), 403, 10000, 'API token'],
  [
    'detachCustomDomain',
    (port: CloudflarePort) => port.detachCustomDomain(at, HOST),
    404,
    7003,
    '',
  ],
  ['deleteCors', (port: CloudflarePort) => port.deleteCors(at), 403, 9109, 'may not do this'],
] as const)('%s: a refusal is told', async (_, work, status, code, words) => {
  await using stub = await startStub([{ status, errors: [[code, 'no']] }])
  const problem = await thrownBy(work(stub.client))
  expect(problem.code).toBe(`cloudflare-${code}`)
  expect(problem.message).toContain(words)
})
