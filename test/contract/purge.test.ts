import { describe, expect, test } from 'vitest'
import { startStub } from '../services/cloudflare/api-stub.ts'
import { contractAvailable, contractRequired } from './openapi.ts'
import { checkRequest } from './validate.ts'

const ZONE = '0'.repeat(32)
const runs = contractAvailable || contractRequired

describe.skipIf(!runs)('what the client sends to purge is as Cloudflare describes it', () => {
  test.each([
    ['addresses', undefined],
    ['copies for an origin', 'https://social.example.com'],
  ])('%s, thirty a call', async (_, origin) => {
    await using stub = await startStub([{ result: { id: ZONE } }])
    const urls = Array.from({ length: 61 }, (__, at) => `https://files.example.com/${at}.png`)
    await stub.client.purgeUrls(ZONE, urls, origin)
    const bodies = stub.received.map(({ body }) => body as { files: unknown[] })
    expect(bodies.map(({ files }) => files.length)).toEqual([30, 30, 1])
    expect(bodies.at(-1)?.files).toEqual([
      origin === undefined ? urls[60] : { url: urls[60], headers: { Origin: origin } },
    ])
    for (const { method, path, query, body } of stub.received) {
      const headers = { authorization: 'Bearer x', 'content-type': 'application/json' }
      expect(checkRequest(method, path, query, headers, body)).toEqual([])
    }
  })

  test('prefixes, thirty a call, and none for none', async () => {
    await using stub = await startStub([{ result: { id: ZONE } }])
    const prefixes = Array.from({ length: 31 }, (_, at) => `files.example.com/${at}/`)
    await stub.client.purgePrefixes(ZONE, prefixes)
    await stub.client.purgePrefixes(ZONE, [])
    expect(stub.received).toHaveLength(2)
    for (const { method, path, query, body } of stub.received) {
      const headers = { authorization: 'Bearer x', 'content-type': 'application/json' }
      expect(checkRequest(method, path, query, headers, body)).toEqual([])
    }
  })

  test('an answer that gets lost is asked for again: nothing is purged too much', async () => {
    await using stub = await startStub(['reset', { result: { id: ZONE } }])
    await stub.client.purgeUrls(ZONE, ['https://files.example.com/a.png'])
    expect(stub.received).toHaveLength(2)
  })
})
