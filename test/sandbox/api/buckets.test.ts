import { describe, expect, it, onTestFinished } from 'vitest'
import type { ApiOptions } from '../../../src/sandbox/api/server.ts'
import type { SeedOptions } from '../../../src/sandbox/seed.ts'
import { apiUnderTest } from './api-under-test.ts'

async function started(options: Partial<ApiOptions> = {}, seed: SeedOptions = {}) {
  const at = await apiUnderTest(seed, options)
  onTestFinished(() => at.api.close())
  const buckets = `/accounts/${at.account}/r2/buckets`
  const create = (name: string, headers = {}) =>
    at.call('POST', buckets, { body: { name }, headers })
  const attach = (bucket: string, domain: string, enabled = true) =>
    at.call('POST', `${buckets}/${bucket}/domains/custom`, {
      body: { domain, zoneId: at.zone, enabled },
    })
  return { ...at, buckets, create, attach }
}

describe('buckets', () => {
  it('are two where two jurisdictions have the name', async () => {
    const { call, buckets, create, world } = await started()
    const eu = { 'cf-r2-jurisdiction': 'eu' }
    expect((await create('media')).result).toMatchObject({ name: 'media', jurisdiction: 'default' })
    expect((await create('media', eu)).result).toMatchObject({ name: 'media', jurisdiction: 'eu' })
    expect(new Set(world.buckets.map(({ slot }) => slot)).size).toBe(2)
    await call('DELETE', `${buckets}/media`)
    expect((await call('GET', `${buckets}/media`)).code).toBe(10006)
    expect((await call('GET', `${buckets}/media`, { headers: eu })).status).toBe(200)
  })

  it('are listed by name, page by page', async () => {
    const { call, buckets, create } = await started()
    for (const name of ['ccc', 'aaa', 'bbb', 'xxx']) await create(name)
    const walk = async (query: string) => {
      const seen: string[] = []
      let cursor: string | undefined
      do {
        const next = cursor === undefined ? '' : `&cursor=${cursor}`
        const { result, body } = await call('GET', `${buckets}?per_page=2${query}${next}`)
        seen.push(result.buckets.map(({ name }: { name: string }) => name).join())
        cursor = body.result_info.cursor
      } while (cursor !== undefined)
      return seen
    }
    expect(await walk('')).toEqual(['aaa,bbb', 'ccc,xxx'])
    expect(await walk('&direction=desc')).toEqual(['xxx,ccc', 'bbb,aaa'])
    expect(await walk('&start_after=aaa')).toEqual(['bbb,ccc', 'xxx'])
    expect(await walk('&name_contains=b')).toEqual(['bbb'])
  })

  it('stay while they hold objects, and no more are made than allowed', async () => {
    const objects = [{ key: 'a', size: 1, etag: 'e', uploadedAt: 0 }]
    const { call, buckets, create } = await started({
      listObjects: async () => objects,
      maxBuckets: 1,
    })
    await create('media')
    expect((await create('other')).code).toBe(10009)
    expect((await call('DELETE', `${buckets}/media`)).code).toBe(10008)
    objects.pop()
    expect((await call('DELETE', `${buckets}/media`)).status).toBe(200)
    expect((await create('other')).status).toBe(200)
  })

  it('list their objects with what the caller asked for', async () => {
    const keys = ['p/1', 'p/2', 'p/3', 'q/1']
    const { call, buckets, create } = await started({
      listObjects: async (_, { prefix, perPage, startAfter = '' }) =>
        keys
          .filter((key) => key.startsWith(prefix) && key > startAfter)
          .slice(0, perPage)
          .map((key) => ({ key, size: 3, etag: 'abc', uploadedAt: 0 })),
    })
    await create('media')
    const first = await call('GET', `${buckets}/media/objects?prefix=p/&per_page=2`)
    const last_modified = '1970-01-01T00:00:00.000Z'
    expect(first.result).toMatchObject([{ key: 'p/1', size: 3, etag: 'abc', last_modified }, {}])
    const { cursor } = first.body.result_info
    expect(first.body.result_info).toEqual({ per_page: 2, is_truncated: true, cursor })
    const rest = await call('GET', `${buckets}/media/objects?prefix=p/&cursor=${cursor}`)
    expect(rest.result).toMatchObject([{ key: 'p/3' }])
    expect(rest.body.result_info).toEqual({ per_page: 20, is_truncated: false })
  })

  it('keep CORS and lifecycle rules as sent', async () => {
    const { call, buckets, create } = await started()
    await create('media')
    const cors = {
      rules: [{ id: 'a', allowed: { origins: ['https://a.b:8443'], methods: ['PUT'] } }],
    }
    await call('PUT', `${buckets}/media/cors`, { body: cors })
    expect((await call('GET', `${buckets}/media/cors`)).result).toEqual(cors)
    await call('DELETE', `${buckets}/media/cors`)
    expect((await call('GET', `${buckets}/media/cors`)).code).toBe(10059)
    const transition = { condition: { type: 'Age', maxAge: 86_400 } }
    const rules = [
      {
        id: 'x',
        enabled: false,
        conditions: { prefix: 'tmp/' },
        deleteObjectsTransition: transition,
      },
    ]
    await call('PUT', `${buckets}/media/lifecycle`, { body: { rules } })
    expect((await call('GET', `${buckets}/media/lifecycle`)).result).toEqual({ rules })
  })

  it('have an r2.dev address that is off at first', async () => {
    const { call, buckets, create } = await started()
    await create('media')
    const path = `${buckets}/media/domains/managed`
    const { result } = await call('GET', path)
    expect(result).toMatchObject({ enabled: false, domain: `pub-${result.bucketId}.r2.dev` })
    await call('PUT', path, { body: { enabled: true } })
    expect((await call('GET', path)).result).toEqual({ ...result, enabled: true })
  })
})

describe('custom domains', () => {
  const host = 'files.example.com'

  it('become active in time; the first look fails for a moment', async () => {
    const { call, buckets, create, attach, time, zone } = await started()
    await create('media')
    expect((await attach('media', host)).result).not.toHaveProperty('status')
    const look = async () => (await call('GET', `${buckets}/media/domains/custom/${host}`)).result
    const first = await look()
    expect(first).toEqual({
      domain: host,
      enabled: true,
      zoneId: zone,
      status: { ownership: 'unknown', ssl: 'unknown' },
    })
    const seen = []
    for (const ms of [0, 999, 1, 999, 1]) {
      time.now += ms
      const { status, zoneName, minTLS } = await look()
      expect({ zoneName, minTLS }).toEqual({ zoneName: 'example.com', minTLS: '1.0' })
      seen.push(`${status.ownership} ${status.ssl}`)
    }
    const [started_, half, done] = ['pending initializing', 'active pending', 'active active']
    expect(seen).toEqual([started_, started_, half, half, done])
  })

  it('bring their CNAME and take it away', async () => {
    const { call, buckets, create, attach, zone } = await started()
    await create('media')
    await attach('media', host)
    const records = async (name: string) =>
      (await call('GET', `/zones/${zone}/dns_records?name=${name}`)).result
    const record = { type: 'CNAME', name: host, content: 'public.r2.dev', proxied: true }
    expect(await records('FILES.example.com')).toMatchObject([record])
    expect(await records('example.com')).toEqual([])
    await call('DELETE', `${buckets}/media/domains/custom/${host}`)
    expect(await records(host)).toEqual([])
    await attach('media', host)
    await call('DELETE', `${buckets}/media`)
    expect(await records(host)).toEqual([])
  })

  it('attach once, whichever bucket asks', async () => {
    const { create, attach } = await started()
    await create('one')
    await create('two')
    expect((await attach('one', host)).status).toBe(200)
    expect((await attach('one', host)).status).toBe(409)
    expect((await attach('two', host)).status).toBe(409)
  })

  it('take the zone’s own name and a partial zone', async () => {
    const zones = [{ name: 'example.com', type: 'partial' as const }]
    const { create, attach } = await started({}, { zones })
    await create('media')
    expect((await attach('media', 'example.com')).status).toBe(200)
    expect((await attach('media', 'a.b.c.example.com')).status).toBe(200)
  })

  it('are switched on and off, and keep the rest', async () => {
    const { call, buckets, create, attach } = await started()
    await create('media')
    await attach('media', host, false)
    const path = `${buckets}/media/domains/custom/${host}`
    const put = async (body: object) => (await call('PUT', path, { body })).result
    expect(await put({ enabled: true })).toMatchObject({ enabled: true, minTLS: '1.0' })
    expect(await put({ minTLS: '1.3' })).toMatchObject({ enabled: true, minTLS: '1.3' })
    expect((await call('PUT', path, { body: { enabled: 'yes' } })).code).toBe(19020)
  })
})

it.each([
  ['name=example.com', ['example.com']],
  ['name=EXAMPLE.com', ['example.com']],
  ['name=ends_with:.com', ['a.com', 'example.com']],
  ['name=not_equal:a.com', ['b.net', 'example.com']],
  ['name=contains:xam', ['example.com']],
  ['name=starts_with:b', ['b.net']],
  ['status=pending', ['b.net']],
  ['type=partial,full&direction=desc', ['example.com', 'b.net', 'a.com']],
  ['type=partial', ['a.com']],
  ['account.id=0', []],
  ['per_page=5&page=2', []],
])('finds zones by %s', async (query, names) => {
  const zones = [
    { name: 'example.com' },
    { name: 'b.net', status: 'pending' as const },
    { name: 'a.com', type: 'partial' as const },
  ]
  const { call } = await started({}, { zones })
  const { result } = await call('GET', `/zones?${query}`)
  expect(result.map(({ name }: { name: string }) => name)).toEqual(names)
})
