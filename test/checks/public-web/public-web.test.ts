import { describe, expect, it } from 'vitest'
import { publicWebChecks } from '../../../src/checks/public-web/index.ts'
import type { WebRequest } from '../../../src/services/public-web/port.ts'
import { refusal } from '../../steps/fake-cloudflare.ts'
import type { Answer } from '../../steps/fake-web.ts'
import { type Arranged, bucketWorld } from '../storage/bucket-world.ts'
import { troubles, verdictsOf, wordsOf } from '../verdicts.ts'

type Fakes = ReturnType<typeof bucketWorld>
type Alter = (answer: Answer, request: WebRequest, path: string) => Answer

/** Healthy: nothing is remembered as absent, and the private folders are blocked. */
async function examine(
  arranged: Arranged = {},
  alter: Alter = (answer) => answer,
  arrange: (fakes: Fakes) => void = () => {},
) {
  const fakes = bucketWorld(arranged)
  const { alter: healthy } = fakes.web
  fakes.web.alter = (answer, request, url) => {
    const { pathname } = new URL(url)
    const blocked = /^\/(backups|imports)\//.test(pathname) ? { ...answer, status: 403 } : answer
    const uploaded = fakes.s3.objects.has(pathname.slice(1))
    const early = pathname.includes('-early') && uploaded ? { ...blocked, status: 200 } : blocked
    return alter(healthy(early, request, url), request, pathname)
  }
  arrange(fakes)
  const found = await verdictsOf(publicWebChecks(), fakes.world)
  return { ...fakes, found }
}

const withHeader = (answer: Answer, name: string, value?: string): Answer => ({
  ...answer,
  headers: [
    ...answer.headers.filter(([own]) => own !== name),
    ...(value === undefined ? [] : [[name, value] as const]),
  ],
})
const isImage = (path: string) => path.endsWith('.png') && !path.includes('-early')
const onImage =
  (change: (answer: Answer, request: WebRequest) => Answer): Alter =>
  (answer, request, path) =>
    isImage(path) ? change(answer, request) : answer

describe('a healthy media host', () => {
  it('has no trouble, and nothing is left in the bucket', async () => {
    const { found, s3 } = await examine()
    expect(troubles(found)).toEqual([])
    expect(found.filter(({ verdict }) => verdict.severity === 'skipped')).toEqual([])
    expect([...s3.objects.keys()]).toEqual([])
  })

  it('asks for no image before it is uploaded, but for the one that tries that', async () => {
    const { web } = await examine()
    const images = web.requests.filter((line) => /[0-9a-f]{32}\.png/.test(line))
    expect(images).toHaveLength(4)
    expect(images[0]).not.toContain('https://example.com')
  })
})

describe('faults', () => {
  const allow = 'access-control-allow-origin'
  it.each<[string, Alter, string, string]>([
    ['404', onImage((it) => ({ ...it, status: 404 })), 'public-content fault', 'gave status 404'],
    [
      'other bytes',
      onImage((it, { headers }) => (headers?.range ? it : { ...it, body: new Uint8Array(3) })),
      'public-content fault',
      'other bytes',
    ],
    [
      'another type',
      onImage((it) => withHeader(it, 'content-type', 'application/octet-stream')),
      'public-content fault',
      'application/octet-stream',
    ],
    [
      'HEAD refused',
      onImage((it, { method }) => (method === 'HEAD' ? { ...it, status: 403 } : it)),
      'public-content warning',
      'HEAD gave status 403',
    ],
    [
      'no parts',
      onImage((it, { headers }) => (headers?.range ? { ...it, status: 200 } : it)),
      'public-range fault',
      'gave status 200',
    ],
    [
      'no CORS header',
      onImage((it) => withHeader(it, allow)),
      'public-cors fault',
      'npx mastodon-r2 init',
    ],
    [
      'CORS header twice',
      onImage((it) => ({ ...it, headers: [...it.headers, [allow, '*'], [allow, '*']] })),
      'public-cors fault',
      'Transform Rule',
    ],
    [
      'another Cache-Control',
      onImage((it) => withHeader(it, 'cache-control', 'max-age=14400')),
      'public-cache-control note',
      'max-age=14400',
    ],
    [
      'no nosniff',
      onImage((it) => withHeader(it, 'x-content-type-options')),
      'public-shields note',
      'without X-Content-Type-Options',
    ],
    [
      'never cached',
      onImage((it) => withHeader(it, 'cf-cache-status', 'DYNAMIC')),
      'public-edge-cache note',
      'then DYNAMIC',
    ],
    [
      'a listing',
      (it, _, path) =>
        path === '/'
          ? { ...it, status: 200, body: new TextEncoder().encode('<ListBucketResult>') }
          : it,
      '',
      'lists what is in the bucket',
    ],
    [
      'trouble at the top',
      (it, _, path) => (path === '/' ? { ...it, status: 522 } : it),
      'public-listing fault',
      'status 522',
    ],
    [
      'a remembered 404',
      (it, _, path) => (path.includes('-early') ? { ...it, status: 404 } : it),
      'public-cached-404 note',
      'stayed 404',
    ],
    [
      'open backups',
      (it, _, path) => (path.startsWith('/backups/') ? { ...it, status: 404 } : it),
      'public-private-folders note',
      'would serve /backups/.',
    ],
  ])('%s', async (_, alter, expected, words) => {
    if (expected === '') {
      await expect(examine({}, alter)).rejects.toThrow(words)
      return
    }
    const { found } = await examine({}, alter)
    expect(troubles(found)).toEqual([expected])
    expect(wordsOf(found, expected.split(' ')[0] ?? '')).toContain(words)
  })
})

describe('the certificate', () => {
  const until = (day: string, fault?: string) => ({
    validTo: new Date(day),
    issuer: 'Good Certificates',
    fault,
  })
  it.each<[string, ReturnType<typeof until>, string[], string]>([
    ['15 days', until('2026-12-07T12:00Z'), [], '15 days left'],
    ['13 days', until('2026-12-05T12:00Z'), ['public-certificate warning'], 'in 13 days'],
    ['1 day', until('2026-11-23T12:00Z'), ['public-certificate warning'], 'in 1 day.'],
    [
      'expired',
      until('2026-11-01T12:00Z', 'CERT_HAS_EXPIRED'),
      ['public-certificate fault'],
      'expired on 2026-11-01',
    ],
    [
      'a chain with a hole',
      until('2027-11-01', 'UNABLE_TO_VERIFY_LEAF_SIGNATURE'),
      ['public-certificate fault'],
      'UNABLE_TO_VERIFY_LEAF_SIGNATURE; issued by Good Certificates',
    ],
  ])('%s', async (_, shown, expected, words) => {
    const { found } = await examine({}, undefined, ({ web }) => {
      web.shown = shown
    })
    expect(troubles(found)).toEqual(expected)
    expect(wordsOf(found, 'public-certificate')).toContain(words)
  })
})

describe('one cause is told once', () => {
  it('no media host', async () => {
    const { found, web } = await examine({ storage: { mediaHost: undefined } })
    expect(troubles(found)).toEqual(['public-name fault'])
    expect(web.requests).toEqual([])
  })

  it('a certificate that nobody trusts', async () => {
    const { found, web } = await examine({}, undefined, ({ web }) => {
      web.shown = { ...web.shown, fault: 'CERT_HAS_EXPIRED' }
    })
    expect(troubles(found)).toEqual(['public-certificate fault'])
    expect(web.requests).toEqual([])
  })

  it.each(['web-refused', 'web-timeout', 'web-tls'])('%s', async (code) => {
    const { found } = await examine({}, undefined, ({ web }) => {
      web.certificate = () => Promise.reject(refusal(code))
    })
    expect(troubles(found)).toEqual(['public-certificate fault'])
  })

  it('a connection that breaks later is the fault of the public read', async () => {
    const { found, s3 } = await examine({}, undefined, ({ web }) => {
      const fetch = web.fetch.bind(web)
      web.fetch = async (url, request) => {
        if (isImage(url)) throw refusal('web-timeout')
        return fetch(url, request)
      }
    })
    expect(troubles(found)).toEqual(['public-content fault'])
    expect([...s3.objects.keys()]).toEqual([])
  })

  it('a bucket that takes nothing leaves the visit unmade', async () => {
    const { found } = await examine({}, undefined, ({ s3 }) => {
      s3.refuse = (verb) => (verb === 'put' ? refusal('s3-403') : undefined)
    })
    expect(troubles(found)).toEqual([])
    expect(wordsOf(found, 'public-content')).toContain('see storage')
  })
})

it('a name that leads nowhere is a problem of its own check', async () => {
  const { world, web } = bucketWorld()
  web.nowhere = refusal('web-dns')
  const [name, ...others] = publicWebChecks()
  await expect(verdictsOf(name ? [name] : [], world)).rejects.toThrow('web-dns')
  expect(troubles(await verdictsOf(others, world))).toEqual([])
})
