import { afterAll, beforeAll, expect, test } from 'vitest'
import { parseConnectTo } from '../../../src/core/connect-to.ts'
import { Secret } from '../../../src/core/secret.ts'
import { type Sandbox, startSandbox } from '../../../src/sandbox/sandbox.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import { connectPublicWeb } from '../../../src/services/public-web/client.ts'
import { connectS3 } from '../../../src/services/s3/client.ts'
import type { S3Key } from '../../../src/services/s3/port.ts'
import { lendEmulator } from '../../fakes/lent-emulator.ts'

const HOST = 'files.example.com'
const wish = { contentType: 'image/png', cacheControl: 'public, max-age=315576000, immutable' }
const text = new TextEncoder().encode('hello world')
let sandbox: Sandbox
let key: S3Key

beforeAll(async () => {
  sandbox = await startSandbox({
    domainMs: 0,
    keyMs: 0,
    silentContinue: true,
    startEmulator: lendEmulator,
  })
  const client = connectCloudflare({ token: sandbox.bootstrapToken, baseUrl: sandbox.apiUrl })
  const at = { accountId: sandbox.accountId, bucket: 'media', jurisdiction: 'default' } as const
  const owner = { kind: 'account', accountId: sandbox.accountId } as const
  await client.createBucket(at)
  await client.attachCustomDomain(at, HOST, sandbox.world.zones[0]?.id ?? '')
  const minted = await client.mintKey(owner, { name: 'key', at, allowIps: [] })
  key = { accessKeyId: minted.id, secretAccessKey: minted.secretAccessKey }
})
afterAll(() => sandbox.close())

const s3 = (other: { key?: S3Key; bucket?: string; jurisdiction?: string } = {}) =>
  connectS3({
    endpoint: sandbox.s3Url(other.jurisdiction),
    bucket: other.bucket ?? 'media',
    key: other.key ?? key,
  })

test('does what Mastodon does, and the public sees it', async () => {
  const client = s3()
  const video = new Uint8Array(5 * 1024 * 1024 + 321).map((_, index) => index % 251)
  await client.headBucket()
  await client.put('p/plain.png', text, wish)
  await client.put('p/sum.png', text, { ...wish, checksum: 'CRC32' })
  await client.putMultipart('p/video.mp4', video, wish)
  expect(await client.list('p/', 10)).toEqual(['p/plain.png', 'p/sum.png', 'p/video.mp4'])

  const whole = await client.get('p/video.mp4')
  expect(Buffer.compare(whole.body, video)).toBe(0)
  expect(whole).toMatchObject({ status: 200, ...wish })
  const part = await client.get('p/sum.png', { range: 'bytes=6-10' })
  expect([part.status, Buffer.from(part.body).toString()]).toEqual([206, 'world'])

  const connectTo = sandbox.connectTo.flatMap((route) => parseConnectTo(route) ?? [])
  const web = connectPublicWeb({ connectTo, ca: sandbox.caPem })
  const seen = await web.fetch(`https://${HOST}/p/plain.png`)
  expect([seen.status, Buffer.from(seen.body).toString()]).toEqual([200, 'hello world'])
  expect(seen.header('content-type')).toEqual(['image/png'])
  expect((await web.fetch(`https://${HOST}/`)).status).toBeGreaterThanOrEqual(400)

  await client.delete('p/plain.png')
  await client.deleteMany(['p/sum.png', 'p/video.mp4', 'p/never-there'])
  expect(await client.list('p/', 10)).toEqual([])
})

test.each([
  ['an unknown key', () => ({ key: { ...key, accessKeyId: '0'.repeat(32) } }), 's3-401'],
  [
    'a wrong secret',
    () => ({ key: { ...key, secretAccessKey: new Secret('0'.repeat(64)) } }),
    's3-403',
  ],
  ['another bucket', () => ({ bucket: 'other' }), /^s3-40[34]$/],
  ['another jurisdiction', () => ({ jurisdiction: 'eu' }), /^s3-40[34]$/],
])('%s is refused', async (_, other, code) => {
  await expect(s3(other()).headBucket()).rejects.toMatchObject({
    code: expect.stringMatching(code),
  })
  await expect(s3(other()).put('x', text, wish)).rejects.toMatchObject({
    code: expect.stringMatching(code),
  })
})

test('an upload is sent again after the connection broke', async () => {
  sandbox.faults.add({ side: 's3', method: 'PUT', kind: 'reset' })
  const client = s3()
  await client.put('again.png', text, wish)
  expect((await client.get('again.png')).status).toBe(200)
})
