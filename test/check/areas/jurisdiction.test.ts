import { afterAll, beforeAll, expect, test } from 'vitest'
import { storageChecks } from '../../../src/check/areas/storage.ts'
import { openDoor } from '../../../src/check/areas/storage-door.ts'
import { sharedLook } from '../../../src/core/once.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import { connectS3 } from '../../../src/services/s3/client.ts'
import type { ConnectS3, S3Key } from '../../../src/services/s3/port.ts'
import { ACCOUNT } from '../../fakes/fake-world.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'
import { bucketWorld, ENDPOINT } from './bucket-world.ts'
import { troubles, verdictsOf, wordsOf } from './verdicts.ts'

let sandbox: Sandbox
const keys = new Map<string, S3Key>()

beforeAll(async () => {
  sandbox = await startSandbox({ keyMs: 0, startEmulator: lendEmulator })
  const client = connectCloudflare({ token: sandbox.bootstrapToken, baseUrl: sandbox.apiUrl })
  const { accountId } = sandbox
  for (const jurisdiction of ['default', 'eu'] as const) {
    const at = { accountId, bucket: 'media', jurisdiction }
    await client.createBucket(at)
    const wish = { name: jurisdiction, at, allowIps: [] }
    const { id, secretAccessKey } = await client.mintKey({ kind: 'account', accountId }, wish)
    keys.set(jurisdiction, { accessKeyId: id, secretAccessKey })
  }
})
afterAll(() => sandbox.close())

/** R2's addresses lead to the sandbox's endpoints of the same jurisdictions. */
function connectS3At(address: string): ConnectS3 {
  const [, jurisdiction] = /^[^.]+\.([a-z-]+)\.r2\./.exec(address) ?? []
  const endpoint = sandbox.s3Url(jurisdiction ?? 'default')
  return (key) => connectS3({ endpoint, bucket: 'media', key })
}

async function examine(jurisdiction: string) {
  const key = keys.get(jurisdiction)
  if (!key) throw new Error('No key.')
  const { world } = bucketWorld({ storage: { key, bucket: 'media' } })
  const there = { ...world, connectS3At, connectS3: connectS3At(ENDPOINT) }
  const checks = storageChecks(sharedLook(openDoor)).filter(({ id }) => id === 'storage-bucket')
  return verdictsOf(checks, there)
}

test('a bucket of the EU behind the endpoint of all others: the right line is told', async () => {
  const found = await examine('eu')
  expect(troubles(found)).toEqual(['storage-bucket fault'])
  expect(wordsOf(found, 'storage-bucket')).toContain(
    `S3_ENDPOINT=https://${ACCOUNT}.eu.r2.cloudflarestorage.com`,
  )
})

test('the right endpoint', async () => {
  expect(troubles(await examine('default'))).toEqual([])
})
