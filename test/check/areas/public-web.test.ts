import { describe, expect, it } from 'vitest'
import type { WebRequest } from '../../../src/services/public-web/port.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import type { Answer } from '../../fakes/fake-web.ts'
import { type Alter, examine, isImage } from './stranger.ts'
import { troubles, wordsOf } from './verdicts.ts'

const withHeader = (answer: Answer, name: string, value?: string): Answer => ({
  ...answer,
  headers: [
    ...answer.headers.filter(([own]) => own !== name),
    ...(value === undefined ? [] : [[name, value] as const]),
  ],
})
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
    expect(images).toHaveLength(5)
    expect(images[0]).not.toContain('https://example.com')
  })
})

describe('faults', () => {
  const allow = 'access-control-allow-origin'
  it.each<[string, Alter, string, string]>([
    ['404', onImage((it) => ({ ...it, status: 404 })), 'public-content fault', 'gave status 404'],
    [
      'a redirect',
      onImage((it) => withHeader({ ...it, status: 302 }, 'location', 'https://a.example/x')),
      'public-content fault',
      'leave --stage redirects --undo',
    ],
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

describe('what other servers and their pages get', () => {
  const isServer = ({ headers }: WebRequest) => /Mastodon\//.test(headers?.['user-agent'] ?? '')
  const isLinked = ({ headers }: WebRequest) => headers?.referer !== undefined
  const refused = (body: string, ...headers: Answer['headers']): Answer => ({
    status: 403,
    headers: [['cf-ray', '8f00-FRA'], ...headers],
    body: new TextEncoder().encode(body),
  })
  const when = (fits: (request: WebRequest) => boolean, answer: Answer): Alter =>
    onImage((it, request) => (fits(request) ? answer : it))

  it.each<[string, Alter, string[]]>([
    [
      'Hotlink Protection, by its number',
      when(isLinked, refused('error code: 1011')),
      ['of another site (by its Referer)', '1011: Hotlink Protection', 'Scrape Shield', '8f00-FRA'],
    ],
    [
      'Hotlink Protection, by a page of its own',
      when(isLinked, refused('<title>no</title>')),
      ['by its Referer', 'status 403', 'Hotlink Protection'],
    ],
    [
      'a challenge for programs',
      when(isServer, refused('<script>', ['cf-mitigated', 'challenge'])),
      ['by its User-Agent', 'cf-mitigated: challenge', 'Security > Events', 'Bot Fight Mode'],
    ],
    [
      'a custom rule about programs',
      when(isServer, refused('<h1>Error 1020</h1>')),
      ['by its User-Agent', 'error 1020: a custom rule', 'Security > Events'],
    ],
    [
      'Browser Integrity Check',
      when(isServer, refused('error code: 1010')),
      ['error 1010: Browser Integrity Check'],
    ],
    [
      'a limit',
      when(isServer, { ...refused('error code: 1015'), status: 429 }),
      ['status 429', 'a rate limit'],
    ],
    [
      'both halves',
      when((request) => isServer(request) || isLinked(request), refused('')),
      ['by its User-Agent) and a browser', 'Security > Events'],
    ],
    [
      'the two together alone',
      when((request) => isServer(request) && isLinked(request), refused('')),
      ['neither User-Agent nor Referer alone is refused'],
    ],
    [
      'another picture instead',
      when(isLinked, { ...refused('no hotlinks here'), status: 200 }),
      ['another file comes instead', 'by its Referer'],
    ],
    [
      'a page to go to',
      when(isLinked, { ...refused(''), status: 302 }),
      ['status 302', 'by its Referer'],
    ],
    [
      'nothing at all',
      onImage((it, request) => {
        if (isServer(request)) throw refusal('web-timeout')
        return it
      }),
      ['by its User-Agent', 'web-timeout'],
    ],
  ])('%s: a note that names it, and the rest stays well', async (_, alter, words) => {
    const { found } = await examine({}, alter)
    expect(troubles(found)).toEqual(['public-other-servers note'])
    for (const word of words) expect(wordsOf(found, 'public-other-servers')).toContain(word)
  })

  it('where nobody gets the file, that is the fault, and this is not told', async () => {
    const { found } = await examine(
      {},
      onImage(() => refused('error code: 1020')),
    )
    expect(troubles(found)).toEqual(['public-content fault'])
  })

  it('asks once where nothing is refused', async () => {
    const seen: WebRequest[] = []
    await examine({}, (it, request) => {
      seen.push(request)
      return it
    })
    expect(seen.filter((request) => isServer(request) || isLinked(request))).toHaveLength(1)
  })
})
