import { Problem } from '../../core/problem.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/mastodon-here.ts'
import { type Check, type CheckWorld, troubleOf, type Verdict } from '../../plan/verdict.ts'
import type { Certificate, WebResponse } from '../../services/public-web/port.ts'
import { notListing, originOf } from '../../setup/public-read.ts'
import { askAsStranger, type Strange } from './as-stranger.ts'
import type { Open } from './storage.ts'
import type { Door } from './storage-door.ts'

export type HostAt = Pick<CheckWorld, 'storage' | 'web'>

/** The media host, with its certificate and top page; or why nothing can be asked of it. */
export type MediaHost =
  | {
      readonly is: 'there'
      readonly host: string
      readonly certificate: Certificate
      /** The answer at `/`. */
      readonly top: WebResponse
    }
  | { readonly is: 'unnamed' }
  /** No certificate: no connection came about. No problem: the certificate is one nobody trusts. */
  | {
      readonly is: 'unreachable'
      readonly host: string
      readonly problem?: Problem
      readonly certificate?: Certificate
    }

export async function findMediaHost({ storage, web }: HostAt): Promise<MediaHost> {
  const host = storage.mediaHost
  if (host === undefined) return { is: 'unnamed' }
  let certificate: Certificate | undefined
  const asked = web.fetch(`https://${host}/`)
  asked.catch(() => undefined)
  try {
    certificate = await web.certificate(host)
    if (certificate.fault !== undefined) return { is: 'unreachable', host, certificate }
    return { is: 'there', host, certificate, top: await asked }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { is: 'unreachable', host, problem: error, ...(certificate && { certificate }) }
  }
}

/** What a check says that has nothing to ask; the reason is a verdict of another check. */
export function notAsked(found: MediaHost): Verdict[] {
  const because =
    found.is === 'unnamed' ? 'no media host is known' : "the media host can't be reached"
  return [{ severity: 'skipped', saw: `not tried: ${because}` }]
}

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
  /** The same URL as others ask for it. */
  readonly strange: Strange
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
 * for before it is there: Cloudflare remembers a 404 for minutes. The host is looked at meanwhile.
 */
export async function visitMediaHost(
  at: VisitAt,
  find: (at: HostAt) => Promise<MediaHost>,
  open: Open,
): Promise<Visit> {
  if (at.storage.mediaHost === undefined) {
    return { is: 'not made', because: 'no media host is known' }
  }
  const finding = find(at)
  finding.catch(() => undefined)
  const door = await open(at)
  return withImage(door, `mastodon-r2-probe/${at.clock.randomHex(32)}.png`, finding, (url) =>
    ask(at, url),
  )
}

async function withImage(
  door: Door,
  key: string,
  finding: Promise<MediaHost>,
  work: (url: string) => Promise<Answers>,
): Promise<Visit> {
  if (door.is === 'shut') return { is: 'not made', because: door.because }
  try {
    const options = { contentType: IMAGE_TYPE, cacheControl: MEDIA_CACHE_CONTROL }
    await door.s3.put(key, IMAGE, options)
    const found = await finding
    if (found.is !== 'there') return { is: 'not made', because: "the media host can't be reached" }
    return { is: 'seen', answers: await work(`https://${found.host}/${key}`) }
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
  const [scripted, range, head, strange] = await Promise.all([
    web.fetch(url, { headers: { origin } }),
    web.fetch(url, { headers: { range: 'bytes=4-19' } }),
    web.fetch(url, { method: 'HEAD' }),
    askAsStranger(web, url, plain.body),
  ])
  return { url, sent: IMAGE, origin, plain, scripted, range, head, strange }
}

export type Go = (at: VisitAt) => Promise<Visit>

interface VisitedCheck extends Pick<Check, 'id' | 'title'> {
  judge(answers: Answers): readonly Verdict[]
}

/** A check of the answers to the one visit; skipped when the file itself did not come. */
export function visitedCheck(go: Go, { id, title, judge }: VisitedCheck): Check<keyof VisitAt> {
  return {
    id,
    about: 'public web',
    title,
    cost: 'probe',
    async look(at) {
      const visit = await go(at)
      if (visit.is === 'seen' && visit.answers.plain.status === 200) return judge(visit.answers)
      const because = visit.is === 'not made' ? visit.because : 'the test file did not come'
      return [{ severity: 'skipped', saw: `not tried: ${because}` }]
    },
  }
}

type Find = (at: HostAt) => Promise<MediaHost>

/** The media host answers, and does not list what it holds. */
export function topCheck(find: Find): Check<keyof HostAt> {
  return {
    id: 'public-listing',
    about: 'public web',
    title: 'Top of the media host',
    cost: 'look',
    async look(at) {
      const found = await find(at)
      if (found.is === 'unreachable' && found.certificate && found.problem) {
        return [troubleOf(found.problem)]
      }
      if (found.is !== 'there') return notAsked(found)
      const { top } = found
      notListing(found.host, top)
      if (top.status < 500)
        return [{ severity: 'ok', saw: 'it answers, and nobody can list the files' }]
      return [
        {
          severity: 'fault',
          saw: `https://${found.host}/ answers with status ${top.status}.`,
          matters: 'The media host is in trouble: images and videos do not load.',
          next: 'Look at the custom domain of the bucket at https://dash.cloudflare.com/?to=/:account/r2, and at https://www.cloudflarestatus.com.',
        },
      ]
    },
  }
}
