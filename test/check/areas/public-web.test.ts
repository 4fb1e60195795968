import { describe, expect, it } from 'vitest'
import type { WebRequest } from '../../../src/services/public-web/port.ts'
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
