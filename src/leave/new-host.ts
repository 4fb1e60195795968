import { Problem } from '../core/problem.ts'
import { prose, renderText } from '../core/to-type.ts'
import { MEDIA_CACHE_CONTROL } from '../flow/mastodon-here.ts'
import { type Finding, learned, type Step, type World } from '../plan/step.ts'
import type { NewProvider } from '../setup/new-provider.ts'
import { uploadProbe } from '../setup/proof.ts'
import { notListing, originOf, partOnly, whole } from '../setup/public-read.ts'

type ProbeNeeds = 'connectS3' | 'place' | 'clock' | 'facts'

/** The test upload of a setup, with advice that fits another provider. */
export function providerProbe({ service, file }: NewProvider): Step<ProbeNeeds> {
  return {
    ...uploadProbe,
    async change(at, seen) {
      try {
        return (await uploadProbe.change?.(at, seen)) ?? {}
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'storage-not-proven') throw error
        const { code, what, why } = error
        const next = `Compare the lines in ${file} with what ${service} tells of Mastodon, and run this again.`
        throw new Problem({ code, what, why, next }, { cause: error })
      }
    },
  }
}

type Needs = 'web' | ProbeNeeds
type At = Pick<World, Needs>

/** Milliseconds that some providers take until an object is public. */
const SPREAD_MS = 20_000

/**
 * What a visitor gets: a file that was uploaded as Mastodon does comes back by the address that
 * Mastodon's pages will name, and is removed again.
 */
export function newHost(provider: NewProvider): Step<Needs> {
  const { mediaUrl } = provider
  let warning: string | undefined
  return {
    id: 'new-host',
    title: 'Public read',

    async look({ facts }): Promise<Finding> {
      const will = `read a test file at ${mediaUrl}`
      if (facts.publicProven) {
        const note = 'status, bytes, type and range are right'
        return { is: 'ready', note, warnings: warning === undefined ? [] : [warning] }
      }
      if (!facts.keyProven) return { is: 'waiting', on: 'keyProven', will }
      return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
    },

    async change(at) {
      const s3 = at.connectS3(learned(at.facts, 'accessKey'))
      const key = `mastodon-r2-probe/${at.clock.randomHex(32)}.txt`
      const body = new TextEncoder().encode(`mastodon-r2 ${key}\n`.repeat(4))
      const { acl } = provider
      const wish = { contentType: 'text/plain', cacheControl: MEDIA_CACHE_CONTROL }
      try {
        await s3.put(key, body, { ...wish, ...(acl !== undefined && { acl }) })
        warning = await onceSpread(at, (nth) =>
          read(at, provider, nth === 0 ? key : `${key}?n=${nth}`, body),
        )
      } finally {
        await s3.delete(key).catch(() => undefined)
      }
      return { publicProven: {} }
    },
  }
}

/** What does not keep media from being seen, a sentence. Throws what keeps it. */
async function read(
  { web, place }: At,
  provider: NewProvider,
  key: string,
  sent: Uint8Array,
): Promise<string | undefined> {
  const { mediaUrl } = provider
  const url = `${mediaUrl}/${key}`
  const headers = { origin: originOf(place) }
  try {
    const [plain, scripted, range, top] = await Promise.all([
      web.fetch(url),
      web.fetch(url, { headers }),
      web.fetch(url, { headers: { range: 'bytes=4-19' } }),
      web.fetch(`${mediaUrl}/`),
    ])
    whole(url, plain, sent)
    partOnly(url, range, sent)
    notListing(mediaUrl.replace(/^https:\/\//, ''), top)
    const [allowed] = scripted.header('access-control-allow-origin')
    return allowed === '*' || allowed === headers.origin ? undefined : noCors(provider)
  } catch (error) {
    throw error instanceof Problem && isOfHost(error) ? notPublic(provider, error) : error
  }
}

/** What those words advise is for a media host at Cloudflare. */
function isOfHost({ code, next }: Problem): boolean {
  const isOfName = /^web-(dns|tls)$/.test(code) && renderText(next).includes('Cloudflare')
  return isOfName || /^(public-|media-host-lists$)/.test(code)
}

function noCors({ mediaUrl, service }: NewProvider): string {
  return `${mediaUrl} allows no scripts of other sites (CORS): pictures are shown, and parts of Mastodon's web app that read media, such as its audio player, go without. Let ${service} allow GET from every origin.`
}

/** Problems `new-host-not-public`, `new-host-lists`. */
function notPublic({ mediaUrl, service, file, acl }: NewProvider, cause: Problem): Problem {
  if (cause.code === 'media-host-lists') {
    return new Problem(
      {
        code: 'new-host-lists',
        what: `${mediaUrl}/ lists what is in the bucket.`,
        why: 'Everyone could find every file, those of suspended users and archives included.',
        next: `Take the right to list from the public in the console of ${service}, and run this again.`,
      },
      { cause },
    )
  }
  const how =
    acl === undefined
      ? 'As S3_PERMISSION is empty there, a policy of the bucket has to let everyone read its objects'
      : `Mastodon uploads with the ACL ${acl}; if the bucket heeds none, a policy has to let everyone read its objects`
  return new Problem(
    {
      code: 'new-host-not-public',
      what: `What Mastodon uploads to ${service} would not be seen at ${mediaUrl}.`,
      why: cause.what,
      next: prose`${how} (console of ${service}). And S3_ALIAS_HOST or S3_HOSTNAME in ${file} has to name the host that gives them out. Then run this again.`,
    },
    { cause },
  )
}

async function onceSpread<T>({ clock }: At, attempt: (nth: number) => Promise<T>): Promise<T> {
  const start = clock.now().getTime()
  for (let nth = 0; ; nth += 1) {
    try {
      return await attempt(nth)
    } catch (error) {
      if (!isPassing(error as Error) || clock.now().getTime() - start >= SPREAD_MS) throw error
      await clock.sleep(2_000)
    }
  }
}

/** The file is not public yet: all else does not come right by waiting. */
function isPassing({ cause }: { readonly cause?: unknown }): boolean {
  return cause instanceof Problem && cause.code === 'public-status'
}
