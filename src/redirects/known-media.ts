import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import type { MediaSource } from '../services/media/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import { type KnownMedia, newUrl, type OldPrefix, oldUrl, type Redirecting } from './redirecting.ts'

type At = Pick<World, 'connectS3' | 'web' | 'place'>

const MOST = 3
/** Of each kind so many files are looked for in the bucket, half of them from either end. */
const TRIED = 20
/** Never public: see the edge rules. */
const PRIVATE = ['backups/', 'imports/']
const OURS = 'mastodon-r2-probe/'
/** Media of other servers, which a migration may leave out. */
const CACHE = 'cache/'
const OWN = ['accounts/', 'media_attachments/', 'custom_emojis/', 'site_uploads/', CACHE]
/** Permission bits of files that a suspended user left; a migration leaves them out. */
const HIDDEN = 0o600

/** The files that were looked for, and the first of a kind that the bucket has none of. */
interface Found {
  readonly keys: readonly string[]
  readonly lacking: string | undefined
}

/**
 * `local` first, as what is there has to be copied before it is redirected; else the bucket is listed.
 * After the switch Mastodon removes files from the bucket alone, the oldest first: so several of a kind
 * are tried, and once all was copied (`isCopied`) a kind that is gone is no fault.
 */
export function knownMedia(
  local: MediaSource | undefined,
  isCopied: () => Promise<boolean> = async () => false,
): KnownMedia {
  let looking: Promise<Found> | undefined
  const look = (at: At) => {
    looking ??= find(at).catch((error) => {
      looking = undefined
      throw error
    })
    return looking
  }

  async function find(at: At): Promise<Found> {
    const s3 = bucketOf(at)
    const found = local === undefined ? undefined : await onBothSides(local, s3)
    if (found && found.keys.length > 0) return found
    if (found?.lacking !== undefined && !(await isCopied())) return found
    return { keys: await listed(s3), lacking: undefined }
  }

  return {
    keys: async (at) => (await look(at)).keys,
    async fault(at) {
      const { keys, lacking } = await look(at)
      if (lacking !== undefined && !(await isCopied())) return notCopied(lacking)
      if (keys.length === 0) return noMedia(at)
      for (const key of keys) {
        const problem = await faultOf(at, key, bucketOf(at))
        if (problem) {
          // It may have been removed meanwhile: the next look finds another.
          looking = undefined
          return problem
        }
      }
      return undefined
    },
  }
}

/** A file of each kind that both have, without what may rightly be missing in the bucket. */
async function onBothSides(source: MediaSource, s3: S3Port): Promise<Found> {
  const keys: string[] = []
  let lacking: string | undefined
  const skip = [...PRIVATE, CACHE]
  for (let kinds = 0; keys.length < MOST && kinds < OWN.length; kinds += 1) {
    const tried = await ofFirstKind(source, skip)
    const [first] = tried
    if (first === undefined) break
    const shared = await firstIn(s3, tried)
    if (shared !== undefined) keys.push(shared)
    else lacking ??= first
    skip.push(`${first.split('/')[0]}/`)
  }
  return { keys, lacking }
}

async function firstIn(s3: S3Port, keys: readonly string[]): Promise<string | undefined> {
  for (const key of keys) if ((await s3.head(key)) !== undefined) return key
  return undefined
}

/** Files of the first kind that is not skipped: the first ones, then the last ones. */
async function ofFirstKind(source: MediaSource, skip: readonly string[]): Promise<string[]> {
  const [one] = await someKeys(source, skip, { most: 1 })
  if (one === undefined) return []
  const kind = `${one.split('/')[0]}/`
  const others = [...PRIVATE, ...OWN, 'preview_cards/'].filter((prefix) => prefix !== kind)
  const first = await someKeys(source, others, { kind })
  if (first.length < TRIED / 2) return first
  return [...new Set([...first, ...(await someKeys(source, others, { kind, newestFirst: true }))])]
}

interface Some {
  readonly most?: number
  readonly kind?: string
  readonly newestFirst?: boolean
}

async function someKeys(
  source: MediaSource,
  skip: readonly string[],
  { most = TRIED / 2, kind = '', newestFirst = false }: Some,
): Promise<string[]> {
  const keys: string[] = []
  for await (const batch of source.files({ skip, few: true, newestFirst })) {
    for (const { key, mode = 0o644 } of batch) {
      const isHidden = (mode & 0o777) === HIDDEN
      if (!key.includes('/') || isHidden || skip.some((prefix) => key.startsWith(prefix))) continue
      if (key.startsWith(kind)) keys.push(key)
      if (keys.length >= most) return keys
    }
  }
  return keys
}

async function listed(s3: S3Port): Promise<string[]> {
  const found = await Promise.all(OWN.map((prefix) => s3.list(prefix, 1)))
  const known = found.flat().slice(0, MOST)
  if (known.length > 0) return known
  const others = await s3.list('', 100)
  const isFine = (key: string) => ![...PRIVATE, OURS].some((prefix) => key.startsWith(prefix))
  return others.filter(isFine).slice(0, 1)
}

/** Never asked of the media host before it is in the bucket: Cloudflare remembers a 404. */
async function faultOf(at: At, key: string, s3: S3Port): Promise<Problem | undefined> {
  if ((await s3.head(key)) === undefined) return notCopied(key)
  const url = newUrl(at.place.mediaHost, key)
  const answer = await at.web.fetch(url, { method: 'HEAD' })
  return answer.status === 200 ? undefined : notPublic(url, answer.status)
}

function bucketOf({ connectS3, place }: At): S3Port {
  if (place.knownKey) return connectS3(place.knownKey)
  throw new Problem({
    code: 'no-known-key',
    what: 'There is no key for the bucket in the env file.',
    why: 'A redirect is only made once a file was seen in the bucket and at the media host.',
    next: prose`Set up R2 first: ${toType('init')}`,
    exit: 2,
  })
}

function noMedia({ place }: At): Problem {
  return new Problem({
    code: 'no-media-to-prove',
    what: `There is no media to redirect to: nothing is on this machine or in the bucket ${place.at.bucket}.`,
    why: 'A redirect is only made once a known file was seen to come from the media host.',
    next: prose`Is there old media elsewhere? Copy it first:\n  ${toType('migrate')}\nIf there never was any, no redirect is needed.`,
  })
}

function notCopied(key: string): Problem {
  return new Problem({
    code: 'media-not-copied',
    what: `${key} is on this machine, and not in the bucket.`,
    why: 'Redirected now, its old address would lead to nothing, and Cloudflare would remember that.',
    next: prose`Copy the media first: ${toType('migrate', { stage: 'copy' })}`,
  })
}

function notPublic(url: string, status: number): Problem {
  return new Problem({
    code: 'media-not-public',
    what: `${url} gave status ${status}, though the file is in the bucket.`,
    why: 'Redirected now, old addresses would lead to nothing. If it was asked for before it was there, Cloudflare remembers that for some minutes.',
    next: prose`Wait five minutes and run this again. If it stays: ${toType('check')}`,
  })
}

/**
 * Before anything is redirected: a known file is in the bucket and public, and no new one appears at
 * the old place. `strict`: it is Cloudflare who redirects, so no file on this machine is found first.
 */
export function knownMediaIsPublic(
  { known, switchedOn }: Redirecting,
  { strict }: { readonly strict: boolean },
): Step<'connectS3' | 'web' | 'place'> {
  return {
    id: 'known-media',
    title: 'Known media',

    async look(at): Promise<Finding> {
      const problem = (await known.fault(at)) ?? (switchedOn ? undefined : notSwitched())
      if (problem === undefined) {
        const count = (await known.keys(at)).length
        const files = count === 1 ? 'a known file is' : `${count} known files are`
        return { is: 'ready', note: `${files} in the bucket and at https://${at.place.mediaHost}` }
      }
      if (strict) return { is: 'blocked', problem }
      return { is: 'later', note: problem.what, next: problem.next }
    },
  }
}

function notSwitched(): Problem {
  return new Problem({
    code: 'storage-not-switched',
    what: 'Mastodon still stores new media at the old place.',
    why: 'Redirected now, everything that is uploaded from here on would be out of sight.',
    next: prose`Switch it first: ${toType('migrate', { stage: 'cutover' })}`,
  })
}

/** Rules reach every place within seconds (Cloudflare docs); a minute for a slow day. */
const SPREAD_MS = 60_000
const PAUSE_MS = 2_000

/**
 * What an old address does: the status of its redirect and for how many seconds browsers may keep it by its
 * Cache-Control, or why it is none to the media host.
 */
export type Led = { readonly status: number; readonly keptFor: number } | { readonly fault: string }

/** Asks for one old address, and does not follow it. */
export async function follow(
  { web }: Pick<World, 'web'>,
  prefix: OldPrefix,
  key: string,
  mediaHost: string,
): Promise<Led> {
  const url = oldUrl(prefix, key)
  try {
    const answer = await web.fetch(url, { method: 'HEAD' })
    const [location] = answer.header('location')
    const isRedirect = [301, 302, 307, 308].includes(answer.status)
    if (isRedirect && location === newUrl(mediaHost, key)) {
      return { status: answer.status, keptFor: keptFor(answer.header('cache-control').join(', ')) }
    }
    const where = isRedirect && location !== undefined ? ` to ${location}` : ''
    return { fault: `${url} answers with status ${answer.status}${where}` }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { fault: `${url}: ${error.what}` }
  }
}

function keptFor(cacheControl: string): number {
  if (/\bno-(store|cache)\b/i.test(cacheControl)) return 0
  return Number(/(?<![\w-])max-age="?(\d+)/i.exec(cacheControl)?.[1] ?? 0)
}

/** Undefined when every known file's old address redirects with this status. */
export async function ledFault(
  at: Pick<World, 'web' | 'connectS3' | 'place'>,
  { known, mediaHost }: Redirecting,
  prefix: OldPrefix,
  status: number,
): Promise<string | undefined> {
  for (const key of await known.keys(at)) {
    const led = await follow(at, prefix, key, mediaHost)
    if ('fault' in led) return led.fault
    if (led.status !== status) {
      return `${oldUrl(prefix, key)} redirects with ${led.status}, not ${status}`
    }
  }
  return undefined
}

/** Undefined unless every known file's old address leads to the media host already. */
export async function ledAlready(
  at: Pick<World, 'web' | 'connectS3' | 'place'>,
  { known, mediaHost }: Redirecting,
  prefix: OldPrefix,
): Promise<number | undefined> {
  let status: number | undefined
  for (const key of await known.keys(at)) {
    const led = await follow(at, prefix, key, mediaHost)
    if ('fault' in led) return undefined
    status = led.status
  }
  return status
}

/** Waits until it is so. Problem `redirect-not-seen`. */
export async function proveRedirect(
  at: Pick<World, 'web' | 'connectS3' | 'place' | 'clock'>,
  redirecting: Redirecting,
  prefix: OldPrefix,
  status: number,
): Promise<void> {
  const start = at.clock.now().getTime()
  for (;;) {
    const fault = await ledFault(at, redirecting, prefix, status)
    if (fault === undefined) return
    if (at.clock.now().getTime() - start >= SPREAD_MS) throw notSeen(redirecting, prefix, fault)
    await at.clock.sleep(PAUSE_MS)
  }
}

function notSeen(
  { mediaHost, ruleOnly }: Redirecting,
  { host }: OldPrefix,
  fault: string,
): Problem {
  return new Problem({
    code: 'redirect-not-seen',
    what: `Cloudflare took the redirect, and old addresses do not lead to https://${mediaHost}/.`,
    why: `${fault}. Another rule may come first, or ${host} does not pass through Cloudflare.`,
    next: `Look at the zone's rules in the dashboard and at the orange cloud of ${host}, and run this again${ruleOnly ? '' : '; or use --via nginx'}.`,
  })
}
