import { Problem } from '../../core/problem.ts'
import { prose, toType } from '../../core/to-type.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/mastodon-here.ts'
import { type Check, troubleOf, type Verdict } from '../../plan/verdict.ts'
import { corsOnce, partOnly, whole } from '../../setup/public-read.ts'
import type { Open } from './storage.ts'
import type { Door } from './storage-door.ts'
import {
  type Answers,
  type Go,
  type HostAt,
  IMAGE,
  IMAGE_TYPE,
  type MediaHost,
  notAsked,
  type VisitAt,
  visitedCheck,
} from './visit.ts'

/** Cache-Control arrives as Mastodon sets it; zone settings and rules can overwrite it. */
export function cacheControlCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-cache-control',
    title: 'Cache-Control',
    judge({ plain }) {
      const sent = plain.header('cache-control').join(', ')
      if (sent === MEDIA_CACHE_CONTROL) return [{ severity: 'ok', saw: sent }]
      return [
        {
          severity: 'note',
          saw: `It comes as "${sent}", and Mastodon set "${MEDIA_CACHE_CONTROL}".`,
          matters: 'Media never changes. Browsers that may not keep it load it again and again.',
          next: 'In the Cloudflare dashboard, under Caching, set Browser Cache TTL to "Respect Existing Headers", and look for rules about this header.',
        },
      ]
    },
  })
}

const NEXT = prose`${toType('init')} (it shows whether the host serves this bucket). If all is right there, look for a Worker, a rule or an Access policy on the media host in the Cloudflare dashboard.`
const MATTERS = 'The media host does not serve what is uploaded to the bucket: images are broken.'

/** An uploaded image comes back to an anonymous visitor: 200, same bytes, right type; HEAD too. */
export function contentCheck(go: Go): Check<keyof VisitAt> {
  const check = visitedCheck(go, { id: 'public-content', title: 'Public read', judge })
  return {
    ...check,
    async look(at) {
      const visit = await go(at)
      if (visit.is === 'seen') return judge(visit.answers)
      if (visit.is === 'not made') return check.look(at)
      return [troubleOf(visit.problem, { matters: prose`${MATTERS} ${visit.problem.why}` })]
    },
  }
}

function judge({ url, plain, sent, head }: Answers): Verdict[] {
  try {
    whole(url, plain, sent, IMAGE_TYPE)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    const isLed = plain.header('location').length > 0
    return [troubleOf(error, { matters: MATTERS, next: isLed ? error.next : NEXT })]
  }
  const [length] = head.header('content-length')
  if (head.status !== 200 || (length !== undefined && Number(length) !== sent.length)) {
    return [
      {
        severity: 'warning',
        saw: `HEAD gave status ${head.status}, ${length ?? 'no'} bytes; GET gave 200, ${sent.length} bytes.`,
        matters: 'Other servers ask with HEAD first, and may leave the media out.',
        next: 'Look for a Worker, a rule or an Access policy on the media host in the Cloudflare dashboard.',
      },
    ]
  }
  return [{ severity: 'ok', saw: 'status, bytes and type are right, with GET and HEAD' }]
}

/** Headers that Mastodon's own nginx gives to media, and that R2 does not (its dist/nginx.conf). */
const SHIELDS = [
  ['x-content-type-options', 'X-Content-Type-Options: nosniff', /^nosniff$/i],
  ['content-security-policy', "Content-Security-Policy: default-src 'none'", /default-src 'none'/i],
] as const

/** What keeps an uploaded file from being run as a page. */
export function shieldsCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-shields',
    title: 'Protective headers',
    judge({ plain }) {
      const missing = SHIELDS.filter(
        ([name, , form]) => !plain.header(name).some((value) => form.test(value)),
      ).map(([, line]) => line)
      if (missing.length === 0) {
        return [{ severity: 'ok', saw: 'nosniff and Content-Security-Policy are there' }]
      }
      return [
        {
          severity: 'note',
          saw: `Media comes without ${missing.join(' and ')}.`,
          matters:
            "Mastodon's own web server sends them, so that a file dressed up as an image can't act as a page. Your instance lives on another host name, which already limits the harm.",
          next: toType('init', { edge: 'security-headers' }),
          mend: { is: 'steps', ids: ['security-headers'] },
        },
      ]
    },
  })
}

/** cf-cache-status of the second request for one image (Cloudflare docs, cache/concepts). */
export function edgeCacheCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-edge-cache',
    title: 'Edge cache',
    judge({ plain, scripted }) {
      const [status] = scripted.header('cf-cache-status')
      const [first] = plain.header('cf-cache-status')
      if (status === 'HIT') {
        return [{ severity: 'ok', saw: 'the second request was answered from the cache' }]
      }
      const saw =
        status === undefined
          ? 'The answers have no cf-cache-status.'
          : `Two requests for one image were ${first ?? 'unknown'}, then ${status}.`
      return [
        {
          severity: 'note',
          saw,
          matters:
            'What is not cached is read from the bucket each time: slower, and counted as a read operation. One MISS more may be chance.',
          next: prose`If it stays so, look at Cache Rules and Development Mode of the zone in the Cloudflare dashboard, or put a rule there: ${toType('init', { edge: 'cache-everything' })}`,
        },
      ]
    },
  })
}

type Find = (at: HostAt) => Promise<MediaHost>

/**
 * Asks for an image before it is uploaded, and again after. Cloudflare keeps a 404 for 3 minutes
 * unless told otherwise (docs, cache: Edge TTL).
 */
export function cachedAbsenceCheck(find: Find, open: Open): Check<keyof VisitAt> {
  return {
    id: 'public-cached-404',
    about: 'public web',
    title: 'Remembered 404',
    cost: 'probe',
    async look(at) {
      const found = await find(at)
      if (found.is !== 'there') return notAsked(found)
      const seen = await askTwice(at, found.host, await open(at))
      if (seen === undefined) {
        return [{ severity: 'skipped', saw: 'not tried: no test file came through' }]
      }
      const [before, after] = seen
      if (before !== 404 || after !== 404) {
        return [{ severity: 'ok', saw: 'a file is there at once, even if asked for too early' }]
      }
      return [
        {
          severity: 'note',
          saw: 'A file that was asked for before it was uploaded stayed 404 afterwards.',
          matters:
            'Cloudflare remembers a 404 for 3 minutes. During a move, an image that somebody asks for too early stays broken for that long.',
          next: prose`Nothing has to be done. This would end it: ${toType('init', { edge: 'cache-everything' })}`,
        },
      ]
    },
  }
}

/** Status before and after the upload; undefined when a request failed, which other checks tell. */
async function askTwice(
  at: VisitAt,
  host: string,
  door: Door,
): Promise<[number, number] | undefined> {
  if (door.is === 'shut') return undefined
  const key = `mastodon-r2-probe/${at.clock.randomHex(32)}-early.png`
  const url = `https://${host}/${key}`
  try {
    const before = await at.web.fetch(url)
    const options = { contentType: IMAGE_TYPE, cacheControl: MEDIA_CACHE_CONTROL }
    await door.s3.put(key, IMAGE, options)
    const after = await at.web.fetch(url)
    return [before.status, after.status]
  } catch (error) {
    if (error instanceof Problem) return undefined
    throw error
  } finally {
    await door.s3.delete(key).catch(() => undefined)
  }
}

const CORS_MATTERS =
  'Browsers block what scripts read: audio never plays, and images fail on reload (Mastodon 4.2 and newer).'

/** One Access-Control-Allow-Origin, on a copy that was first asked for without Origin, too. */
export function corsCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-cors',
    title: 'CORS',
    judge({ url, plain, scripted, origin }) {
      try {
        corsOnce(url, plain, scripted, origin)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        const mend = { is: 'steps', ids: ['cors'] } as const
        const cure = error.code === 'public-cors' ? { next: toType('init'), mend } : {}
        return [troubleOf(error, { matters: CORS_MATTERS, ...cure })]
      }
      return [{ severity: 'ok', saw: `${origin} may read media, and it is said once` }]
    },
  })
}

const RANGE_MATTERS = 'Nobody can seek in a video, and Safari plays none at all.'
const RANGE_NEXT =
  'Look for a Worker or a rule on the media host in the Cloudflare dashboard that changes answers.'

/** Parts of a file (206), without which browsers can't seek in videos, and Safari plays none. */
export function rangeCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-range',
    title: 'Parts of files',
    judge({ url, range, sent }) {
      try {
        partOnly(url, range, sent)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        return [troubleOf(error, { matters: RANGE_MATTERS, next: RANGE_NEXT })]
      }
      return [{ severity: 'ok', saw: 'a part of a file comes with status 206' }]
    },
  })
}
