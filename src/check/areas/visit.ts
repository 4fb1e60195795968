import { Problem } from '../../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/storage-block.ts'
import type { CheckWorld } from '../../plan/verdict.ts'
import type { WebResponse } from '../../services/public-web/port.ts'
import { originOf } from '../../setup/public-read.ts'
import type { Open } from './inside.ts'
import type { HostAt, MediaHost } from './media-host.ts'
import type { Door } from './storage-door.ts'

export type VisitAt = Pick<
  CheckWorld,
  'storage' | 'web' | 'connectS3' | 'connectS3At' | 'installation' | 'clock'
>

/** The answers to requests for one image that had been uploaded first. */
export interface Answers {
  readonly url: string
  readonly sent: Uint8Array
  readonly origin: string
  /** Without Origin, as a crawler; the very first request for this URL. */
  readonly plain: WebResponse
  /** The same URL with Origin, as the web app. */
  readonly scripted: WebResponse
  readonly range: WebResponse
  readonly head: WebResponse
}

export type Visit =
  | { readonly is: 'seen'; readonly answers: Answers }
  | { readonly is: 'not made'; readonly because: string }
  /** The host is there, and a request to it failed. */
  | { readonly is: 'failed'; readonly problem: Problem }

export const IMAGE_TYPE = 'image/png'
export const IMAGE = new Uint8Array(
  Buffer.from(
    'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==',
    'base64',
  ),
)

/**
 * Uploads an image under a random name, asks for it as visitors do, and removes it. Nothing is asked
 * for before it is there: Cloudflare remembers a 404 for minutes.
 */
export async function visitMediaHost(
  at: VisitAt,
  find: (at: HostAt) => Promise<MediaHost>,
  open: Open,
): Promise<Visit> {
  const found = await find(at)
  if (found.is === 'unnamed') return { is: 'not made', because: 'no media host is known' }
  if (found.is === 'unreachable') {
    return { is: 'not made', because: "the media host can't be reached" }
  }
  return withImage(await open(at), `mastodon-r2-probe/${at.clock.randomHex(32)}.png`, (key) =>
    ask(at, `https://${found.host}/${key}`),
  )
}

async function withImage(
  door: Door,
  key: string,
  work: (key: string) => Promise<Answers>,
): Promise<Visit> {
  if (door.is === 'shut') return { is: 'not made', because: door.because }
  try {
    const options = { contentType: IMAGE_TYPE, cacheControl: MEDIA_CACHE_CONTROL }
    await door.s3.put(key, IMAGE, options)
    return { is: 'seen', answers: await work(key) }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    if (error.code.startsWith('web-')) return { is: 'failed', problem: error }
    return { is: 'not made', because: 'no test file could be uploaded (see storage)' }
  } finally {
    await door.s3.delete(key).catch(() => undefined)
  }
}

async function ask({ web, installation }: VisitAt, url: string): Promise<Answers> {
  const origin = originOf({ installation, corsOrigins: [] })
  const plain = await web.fetch(url)
  const [scripted, range, head] = await Promise.all([
    web.fetch(url, { headers: { origin } }),
    web.fetch(url, { headers: { range: 'bytes=4-19' } }),
    web.fetch(url, { method: 'HEAD' }),
  ])
  return { url, sent: IMAGE, origin, plain, scripted, range, head }
}
