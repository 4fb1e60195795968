import { Problem } from '../core/problem.ts'
import { prose, renderText } from '../core/to-type.ts'
import { MEDIA_CACHE_CONTROL } from '../flow/mastodon-here.ts'
import { type Finding, learned, type Step, type World } from '../plan/step.ts'
import { SENDS_NO_ACL } from '../services/rclone/acl.ts'
import type { RclonePort } from '../services/rclone/port.ts'
import type { NewProvider } from '../setup/new-provider.ts'
import { uploadProbe } from '../setup/proof.ts'
import { notListing, originOf, partOnly, whole } from '../setup/public-read.ts'
import { PRIVATE } from './other-s3.ts'

type ProbeNeeds = 'connectS3' | 'place' | 'clock' | 'facts'

type Copier = Pick<RclonePort, 'acl'>

/**
 * The test upload of a setup, with advice that fits another provider; and one with each ACL that a copy
 * sends besides. Problem `new-bucket-acl`.
 */
export function providerProbe(provider: NewProvider, rclone: Copier): Step<ProbeNeeds> {
  const { service, file } = provider
  return {
    ...uploadProbe,
    async change(at, seen) {
      try {
        const facts = (await uploadProbe.change?.(at, seen)) ?? {}
        await withOtherAcls(at, provider, rclone)
        return facts
      } catch (error) {
        if (!(error instanceof Problem) || error.code !== 'storage-not-proven') throw error
        const { code, what, why } = error
        const next = `Compare the lines in ${file} with what ${service} tells of Mastodon, and run this again.`
        throw new Problem({ code, what, why, next }, { cause: error })
      }
    },
  }
}

type ProbeAt = Pick<World, ProbeNeeds>

/** What is refused now would be refused for each file. */
async function withOtherAcls(at: ProbeAt, provider: NewProvider, rclone: Copier): Promise<void> {
  const { acl, place } = provider
  const ofHidden = acl === undefined ? undefined : PRIVATE
  for (const other of new Set([await rclone.acl(place), ofHidden])) {
    if (other === undefined || other === acl) continue
    try {
      await whileStored(at, provider, other, async () => undefined)
    } catch (error) {
      const isRefused = error instanceof Problem && /^s3-(4\d\d|501)$/.test(error.code)
      throw isRefused ? aclRefused(provider, other, error) : error
    }
  }
}

/** Uploads a test file as Mastodon does, with that ACL, and removes it again. */
async function whileStored<T>(
  { connectS3, clock, facts }: ProbeAt,
  { keeping: { acl: _, ...keeping } }: NewProvider,
  acl: string | undefined,
  work: (key: string, body: Uint8Array) => Promise<T>,
): Promise<T> {
  const s3 = connectS3(learned(facts, 'accessKey'))
  const key = `mastodon-r2-probe/${clock.randomHex(32)}.txt`
  const body = new TextEncoder().encode(`mastodon-r2 ${key}\n`.repeat(4))
  const wish = { contentType: 'text/plain', cacheControl: MEDIA_CACHE_CONTROL, ...keeping }
  try {
    await s3.put(key, body, acl === undefined ? wish : { ...wish, acl })
    return await work(key, body)
  } finally {
    await s3.delete(key).catch(() => undefined)
  }
}

const NEWER = `Install rclone ${SENDS_NO_ACL} or later, which sends none (https://rclone.org/install/)`

function aclRefused({ acl, service, file }: NewProvider, other: string, cause: Problem): Problem {
  const { what, why, next } =
    acl === undefined
      ? {
          what: 'and the rclone of this machine sends it with every file',
          why: `S3_PERMISSION is empty in ${file}, so Mastodon would send no ACL; this release of rclone can not do without one.`,
          next: `${NEWER}, and run this again.`,
        }
      : {
          what: 'and archives of accounts and media of suspended users have it',
          why: `S3_PERMISSION is ${acl} in ${file}, and what nobody else may see Mastodon stores with ${other}.`,
          next: `Let the bucket take an ACL for each object (console of ${service}). If it knows none: put the line S3_PERMISSION= into ${file}, and let a policy of the bucket make it readable for everyone; nothing in it can be hidden then. Then run this again.`,
        }
  return new Problem(
    {
      code: 'new-bucket-acl',
      what: `${service} refuses uploads with the ACL ${other}, ${what}.`,
      why: `${why} It said: ${cause.what}`,
      next,
    },
    { cause },
  )
}

type Needs = 'web' | ProbeNeeds
type At = Pick<World, Needs>

/** Milliseconds that some providers take until an object is public. */
const SPREAD_MS = 20_000

/**
 * What a visitor gets: a file that was uploaded as Mastodon does comes back by the address that
 * Mastodon's pages will name, and is removed again.
 */
export function newHost(provider: NewProvider, rclone: Copier): Step<Needs> {
  const { mediaUrl, acl, place } = provider
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
      // What is copied has to be seen as well as what Mastodon uploads.
      for (const sent of new Set([acl, await rclone.acl(place)])) {
        warning = await whileStored(at, provider, sent, (key, body) =>
          onceSpread(at, (nth) =>
            read(at, provider, { key: nth === 0 ? key : `${key}?n=${nth}`, body, acl: sent }),
          ),
        )
      }
      return { publicProven: {} }
    },
  }
}

interface Stored {
  readonly key: string
  readonly body: Uint8Array
  readonly acl: string | undefined
}

/** What does not keep media from being seen, a sentence. Throws what keeps it. */
async function read(
  { web, place }: At,
  provider: NewProvider,
  { key, body: sent, acl }: Stored,
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
    throw error instanceof Problem && isOfHost(error) ? notPublic(provider, acl, error) : error
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

/** Problems `new-host-not-public`, `new-copies-not-public`, `new-host-lists`. */
function notPublic(
  { mediaUrl, service, file, acl }: NewProvider,
  sent: string | undefined,
  cause: Problem,
): Problem {
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
  if (sent !== acl) {
    return new Problem(
      {
        code: 'new-copies-not-public',
        what: `What Mastodon uploads to ${service} would be seen at ${mediaUrl}; what is copied there would not.`,
        why: `The rclone of this machine sends the ACL ${sent} with every file, and Mastodon none, as S3_PERMISSION is empty in ${file}. ${cause.what}`,
        next: `${NEWER}, and run this again.`,
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
