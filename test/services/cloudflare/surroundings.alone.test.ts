import { Readable } from 'node:stream'
import { afterEach, beforeEach, expect, test, vi } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import type { Send } from '../../../src/services/cloudflare/wire.ts'
import { at, startStub, TOKEN, thrownBy } from './api-stub.ts'

const group = { id: 'g', name: 'Workers R2 Storage Bucket Item Write' }

beforeEach(() => {
  vi.stubEnv('CLOUDFLARE_API_KEY', 'global-key')
  vi.stubEnv('CLOUDFLARE_EMAIL', 'me@example.com')
  vi.stubEnv('CLOUDFLARE_API_TOKEN', 'another-token')
  vi.stubEnv('CLOUDFLARE_API_USER_SERVICE_KEY', 'service-key')
  vi.stubEnv('CLOUDFLARE_BASE_URL', 'http://127.0.0.1:9')
  vi.stubEnv('CLOUDFLARE_CUSTOM_HEADERS', 'authorization: Bearer x\nnot a header: y\nx-extra: z')
  vi.stubEnv('CLOUDFLARE_LOG', 'debug')
})
afterEach(() => {
  vi.unstubAllEnvs()
  vi.restoreAllMocks()
})

// First of all: the SDK remembers the console that it met first.
test('a minted value is neither printed nor kept', async () => {
  const printed: unknown[] = []
  for (const level of ['log', 'info', 'warn', 'error', 'debug'] as const) {
    vi.spyOn(console, level).mockImplementation((...words) => void printed.push(words))
  }
  const value = 'value-told-once-0123456789'
  await using stub = await startStub(({ method }) =>
    method === 'POST' ? { result: { id: 'id', value } } : { result: [group] },
  )
  const key = await stub.client.mintKey({ kind: 'user' }, { name: 'n', at, allowIps: [] })
  expect(printed).toEqual([])
  expect(JSON.stringify([key, stub.calls])).not.toContain(value)
})

test('no variable of the SDK changes what is sent', async () => {
  await using stub = await startStub([{ result: { name: 'media' } }])
  await stub.client.findBucket(at)
  const { host, connection, ...headers } = stub.received[0]?.headers ?? {}
  expect(headers).toEqual({
    accept: 'application/json',
    'accept-encoding': 'gzip',
    authorization: `Bearer ${TOKEN}`,
    'cf-r2-jurisdiction': 'eu',
    'user-agent': 'mastodon-r2',
  })
})

test('Cloudflare’s own address is used unless told, whatever the variable says', async () => {
  const asked: string[] = []
  const send: Send = async ({ href }) => {
    asked.push(href)
    const answer = JSON.stringify({ success: true, result: { name: 'media' } })
    return { status: 200, header: () => undefined, body: Readable.from([Buffer.from(answer)]) }
  }
  await connectCloudflare({ token: new Secret(TOKEN), send }).findBucket(at)
  expect(asked).toEqual([
    `https://api.cloudflare.com/client/v4/accounts/${at.accountId}/r2/buckets/media`,
  ])
})

test('every attempt is told, with its path, status and ray id', async () => {
  await using stub = await startStub([{ result: [] }])
  await stub.client.listZones('a')
  expect(stub.calls).toEqual([
    {
      method: 'GET',
      path: '/zones?account.id=a&page=1&per_page=50',
      status: 200,
      ms: expect.any(Number),
      rayId: '8f00000000000000-FRA',
    },
  ])
})

test.each(['', 'two words', 'tok\nen', 'tökén'])('refuses %j as a token', async (text) => {
  const connecting = Promise.resolve().then(() => connectCloudflare({ token: new Secret(text) }))
  expect((await thrownBy(connecting)).code).toBe('cloudflare-token-malformed')
})
