import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { createAuthority } from '../../../src/sandbox/certificate.ts'
import { purge } from '../../../src/sandbox/edge/cache.ts'
import { type PublicHost, startPublicHost } from '../../../src/sandbox/edge/public-host.ts'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { signed } from '../r2/sign.ts'
import { addBucket, addKey, bucketResource, createStand, startTestFront } from '../r2/stand.ts'
import { type Visit, visit } from './visit.ts'

const stand = createStand()
const { world } = stand
const authority = createAuthority()
const host = 'files.social.example.com'
const domain = { host, zoneId: 'z', enabled: true, attachedAt: 0, minTLS: '1.0' }
const bucket = addBucket(world, 'media', { domains: [domain] })
const key = addKey(world, { [bucketResource('media')]: '*' })
const cacheControl = 'public, max-age=315576000, immutable'
let front: Front
let edge: PublicHost

beforeAll(async () => {
  front = await startTestFront(stand)
  edge = await startPublicHost(stand, { pool: stand.pool, authority })
  const headers = { 'content-type': 'image/png', 'cache-control': cacheControl }
  await put('/media/a/1.png', '0123456789', { ...headers, 'x-amz-meta-mtime': '1' })
  await put('/media/a/%C3%BC%20%26.txt', 'odd name')
  await put('/media/page.gz', 'not really gzip', { 'content-encoding': 'gzip' })
}, 30_000)
afterAll(async () => {
  await Promise.all([front.close(), edge.close()])
  await stand.pool.close()
})
beforeEach(() => {
  stand.now = undefined
  bucket.cors = undefined
  stand.world.edge.cached.clear()
})

async function put(path: string, body: string, headers: Record<string, string> = {}) {
  const response = await fetch(...signed(front.url, { key, method: 'PUT', path, body, headers }))
  expect(response.status).toBe(200)
}

const get = (request: Visit, name = host) =>
  visit({ port: edge.port, ca: authority.pem, host: name }, request)

describe('an object', () => {
  test('comes with its headers', async () => {
    const answer = await get({ path: '/a/1.png' })
    expect([answer.status, answer.body]).toEqual([200, '0123456789'])
    const named = (name: string) => [name, answer.header(name)[0]]
    expect(
      ['content-type', 'cache-control', 'content-length', 'accept-ranges', 'server'].map(named),
    ).toEqual([
      ['content-type', 'image/png'],
      ['cache-control', cacheControl],
      ['content-length', '10'],
      ['accept-ranges', 'bytes'],
      ['server', 'cloudflare'],
    ])
    expect(answer.header('etag')).toEqual(['"781e5e245d69b566979b86e28d23f2c7"'])
    expect(answer.header('last-modified')).toHaveLength(1)
    expect(answer.header('cf-ray')[0]).toMatch(/^[0-9a-f]{16}-[A-Z]{3}$/)
    expect(answer.header('cf-cache-status')).toEqual(['MISS'])
    expect(answer.header('x-amz-meta-mtime')).toEqual([])
  })

  test.each<[string, Visit, number, string]>([
    ['HEAD', { method: 'HEAD', path: '/a/1.png' }, 200, ''],
    ['an encoded name', { path: '/a/%C3%BC%20%26.txt' }, 200, 'odd name'],
    ['a content encoding', { path: '/page.gz' }, 200, 'not really gzip'],
    ['a range', { path: '/a/1.png', headers: { range: 'bytes=2-4' } }, 206, '234'],
    ['the end', { path: '/a/1.png', headers: { range: 'bytes=-2' } }, 206, '89'],
  ])('%s', async (_name, request, status, body) => {
    const answer = await get(request)
    expect([answer.status, answer.body]).toEqual([status, body])
  })

  test('that is known is not sent again', async () => {
    const { header } = await get({ path: '/a/1.png' })
    const headers = { 'if-none-match': header('etag')[0] ?? '' }
    expect((await get({ path: '/a/1.png', headers })).status).toBe(304)
  })

  test.each<[string, Visit, number]>([
    ['the root', { path: '/' }, 404],
    ['a folder', { path: '/a/' }, 404],
    ['a listing', { path: '/?list-type=2' }, 404],
    ['climbing out', { path: '/../slot-2/x' }, 404],
    ['climbing out, encoded', { path: '/%2e%2e/slot-2/x' }, 404],
    ['a range past the end', { path: '/a/1.png', headers: { range: 'bytes=99-' } }, 416],
    ['PUT', { method: 'PUT', path: '/a/1.png' }, 401],
    ['DELETE', { method: 'DELETE', path: '/a/1.png' }, 401],
    ['POST', { method: 'POST', path: '/a/1.png' }, 401],
  ])('%s is refused', async (_name, request, status) => {
    const answer = await get(request)
    expect(answer.status).toBe(status)
    expect(answer.body).not.toContain('1.png')
  })
})

describe('a host', () => {
  test.each(['other.example.com', 'example.com', '127.0.0.1.example.com'])(
    '%s is not attached: no TLS',
    async (name) => {
      await expect(get({ path: '/a/1.png' }, name)).rejects.toThrow(/handshake failure/)
    },
  )

  test('is served once it is active, and in any case', async () => {
    world.delays.domainMs = 2000
    const late = 'late.example.com'
    const now = Date.now()
    bucket.domains.push({ ...domain, host: late, attachedAt: now })
    stand.now = now + 1999
    await expect(get({ path: '/a/1.png' }, late)).rejects.toThrow(/handshake failure/)
    stand.now = now + 2000
    expect((await get({ path: '/a/1.png' }, late)).status).toBe(200)
    expect((await get({ path: '/a/1.png' }, late.toUpperCase())).status).toBe(200)
    world.delays.domainMs = 0
  })

  test('that is disabled answers 404', async () => {
    const off = 'off.example.com'
    bucket.domains.push({ ...domain, host: off, enabled: false })
    expect((await get({ path: '/a/1.png' }, off)).status).toBe(404)
  })

  test('of another name than the connection’s is unknown', async () => {
    const answer = await get({ path: '/a/1.png', headers: { host: 'gone.example.com' } })
    expect(answer.status).toBe(530)
  })

  test('has a certificate that only the sandbox’s authority vouches for', async () => {
    const stranger = createAuthority().pem
    const strange = visit({ port: edge.port, ca: stranger, host }, { path: '/a/1.png' })
    await expect(strange).rejects.toThrow(/certificate/)
  })
})

test('a missing object stays missing for 3 minutes', async () => {
  const at = Date.now()
  const look = async (ms: number, method = 'GET', path = '/soon.png') => {
    stand.now = at + ms
    const answer = await get({ path, method })
    return [answer.status, answer.header('cf-cache-status')[0]]
  }
  expect(await look(0)).toEqual([404, 'MISS'])
  stand.now = undefined
  await put('/media/soon.png', 'here now')
  expect(await look(1000)).toEqual([404, 'HIT'])
  expect(await look(179_999, 'HEAD')).toEqual([404, 'HIT'])
  expect(await look(179_999, 'GET', '/soon.png?x')).toEqual([200, 'MISS'])
  expect(await look(180_000)).toEqual([200, 'MISS'])
})

describe('CORS', () => {
  const allow = 'access-control-allow-origin'
  const origin = 'https://social.example.com'
  const rule = { allowed: { origins: ['*'], methods: ['GET', 'HEAD'] } }
  const exact = { allowed: { origins: [origin], methods: ['GET'], headers: ['range'] } }
  const pattern = { allowed: { origins: ['https://*.example.com'], methods: ['GET'] } }

  test.each<[string, unknown[] | undefined, string | undefined, string[]]>([
    ['no rules', undefined, origin, []],
    ['any origin', [rule], origin, ['*']],
    ['any origin, none sent', [rule], undefined, []],
    ['this origin', [exact], origin, [origin]],
    ['another origin', [exact], 'https://elsewhere.example', []],
    ['a pattern', [pattern], origin, [origin]],
    ['outside of the pattern', [pattern], 'https://example.com', []],
    ['another method', [{ allowed: { origins: ['*'], methods: ['PUT'] } }], origin, []],
    ['the second rule', [exact, rule], 'https://elsewhere.example', ['*']],
  ])('%s', async (_name, rules, from, expected) => {
    bucket.cors = rules
    const headers: Record<string, string> = from === undefined ? {} : { origin: from }
    const answer = await get({ path: '/a/1.png', headers })
    expect(answer.header(allow)).toEqual(expected)
  })

  test('exposes the headers of the rule', async () => {
    bucket.cors = [{ ...rule, exposeHeaders: ['ETag'] }]
    const answer = await get({ path: '/a/1.png', headers: { origin } })
    expect(answer.header('access-control-expose-headers')).toEqual(['ETag'])
  })

  test.each<[string, Record<string, string>, number]>([
    ['without an origin', {}, 400],
    ['for GET', { origin, 'access-control-request-method': 'GET' }, 204],
    ['for PUT', { origin, 'access-control-request-method': 'PUT' }, 403],
    [
      'with an allowed header',
      { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'Range' },
      204,
    ],
    [
      'with another header',
      { origin, 'access-control-request-method': 'GET', 'access-control-request-headers': 'x-a' },
      403,
    ],
  ])('OPTIONS %s', async (_name, headers, status) => {
    bucket.cors = [{ ...exact, maxAgeSeconds: 60 }]
    const answer = await get({ method: 'OPTIONS', path: '/a/1.png', headers })
    expect(answer.status).toBe(status)
    expect(answer.header(allow)).toEqual(status === 204 ? [origin] : [])
    expect(answer.header('access-control-max-age')).toEqual(status === 204 ? ['60'] : [])
  })
})

describe('faults', () => {
  test('status', async () => {
    stand.faults.add({ side: 'public', kind: 'status', status: 522 })
    expect((await get({ path: '/a/1.png' })).status).toBe(522)
    expect((await get({ path: '/a/1.png' })).status).toBe(200)
    expect(stand.entries.filter(({ side }) => side === 'public').slice(-2)).toMatchObject([
      { method: 'GET', path: '/a/1.png', status: 522 },
      { method: 'GET', path: '/a/1.png', status: 200 },
    ])
  })

  test('reset', async () => {
    stand.faults.add({ side: 'public', kind: 'reset' })
    await expect(get({ path: '/a/1.png' })).rejects.toThrow()
    expect(stand.entries.at(-1)?.status).toBe('reset')
  })
})

test.each([
  ['/a/1.mov', 'DYNAMIC'],
  ['/a/1.JPG', 'MISS'],
  ['/a/none', 'DYNAMIC'],
])('%s is cached by its extension: %s', async (path, expected) => {
  await put(`/media${path}`, 'x')
  expect((await get({ path })).header('cf-cache-status')).toEqual([expected])
})

describe('the cache', () => {
  const status = async (request: Visit) => (await get(request)).header('cf-cache-status')[0]
  const path = '/a/1.png'

  test('gives a file out again, to a HEAD as well; a query and an origin have copies of their own', async () => {
    bucket.cors = [{ allowed: { origins: ['*'], methods: ['GET'] } }]
    expect([await status({ path }), await status({ path })]).toEqual(['MISS', 'HIT'])
    const again = await get({ path })
    expect([again.body, again.header('content-type')]).toEqual(['0123456789', ['image/png']])
    expect(await status({ path, method: 'HEAD' })).toBe('HIT')
    expect(await status({ path: `${path}?v=1` })).toBe('MISS')
    expect(await status({ path, headers: { origin: 'https://a.example' } })).toBe('MISS')
  })

  test('keeps what is gone from the bucket, until it is purged', async () => {
    await put('/media/a/gone.png', 'old', { 'cache-control': 'max-age=315576000' })
    const gone = '/a/gone.png'
    for (const one of [gone, `${gone}?v=1`]) await get({ path: one })
    const headers = { origin: 'https://a.example' }
    await get({ path: gone, headers })
    const [url, init] = signed(front.url, { key, method: 'DELETE', path: '/media/a/gone.png' })
    expect((await fetch(url, init)).status).toBe(204)
    expect((await get({ path: gone })).body).toBe('old')
    purge(stand.world.edge, {
      files: [{ url: `https://${host}${gone}`, origin: undefined }],
      prefixes: [],
    })
    expect((await get({ path: gone })).status).toBe(404)
    expect((await get({ path: `${gone}?v=1` })).status).toBe(200)
    expect((await get({ path: gone, headers })).status).toBe(200)
    purge(stand.world.edge, { files: [], prefixes: [`${host}/a/`] })
    expect((await get({ path: `${gone}?v=1` })).status).toBe(404)
    expect((await get({ path: gone, headers })).status).toBe(404)
  })

  test('keeps nothing longer than its header says', async () => {
    await put('/media/a/short.png', 'x', { 'cache-control': 'max-age=60' })
    const short = '/a/short.png'
    const now = Date.now()
    stand.now = now
    expect([await status({ path: short }), await status({ path: short })]).toEqual(['MISS', 'HIT'])
    stand.now = now + 60_000
    expect(await status({ path: short })).toBe('MISS')
  })
})
