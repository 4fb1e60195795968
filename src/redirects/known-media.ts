import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import type { MediaSource } from '../services/media/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import { type KnownMedia, newUrl, type OldPrefix, oldUrl, type Redirecting } from './redirecting.ts'

type At = Pick<World, 'connectS3' | 'web' | 'place'>

const MOST = 3
/** Never public: see the edge rules. */
const PRIVATE = ['backups/', 'imports/']
const OURS = 'mastodon-r2-probe/'
/** Media of other servers, which a migration may leave out. */
const CACHE = 'cache/'
const OWN = ['accounts/', 'media_attachments/', 'custom_emojis/', 'site_uploads/', CACHE]
/** Permission bits of files that a suspended user left; a migration leaves them out. */
const HIDDEN = 0o600

/** `local` first, as what is there has to be copied before it is redirected; else the bucket is listed. */
export function knownMedia(local: MediaSource | undefined): KnownMedia {
  let looking: Promise<readonly string[]> | undefined
  const keys = (at: At) => {
    looking ??= find(at).catch((error) => {
      looking = undefined
      throw error
    })
    return looking
  }

  async function find(at: At): Promise<readonly string[]> {
    const onDisk = local === undefined ? [] : await firstOfEach(local)
    return onDisk.length > 0 ? onDisk : await listed(bucketOf(at))
  }

  return {
    keys,
    async fault(at) {
      const found = await keys(at)
      if (found.length === 0) return noMedia(at)
      for (const key of found) {
        const problem = await faultOf(at, key, bucketOf(at))
        if (problem) return problem
      }
      return undefined
    },
  }
}

/** The first file of each kind, without what may rightly be missing in the bucket. */
async function firstOfEach(source: MediaSource): Promise<string[]> {
  const found: string[] = []
  const skip = [...PRIVATE, CACHE]
  while (found.length < MOST) {
    const key = await firstKey(source, skip)
    if (key === undefined) break
    found.push(key)
    skip.push(`${key.split('/')[0]}/`)
  }
  return found
}

async function firstKey(source: MediaSource, skip: readonly string[]): Promise<string | undefined> {
  for await (const batch of source.files({ skip })) {
    const file = batch.find(({ key, mode = 0o644 }) => {
      const isHidden = (mode & 0o777) === HIDDEN
      return key.includes('/') && !isHidden && !skip.some((prefix) => key.startsWith(prefix))
    })
    if (file) return file.key
  }
  return undefined
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
    next: prose`Is there old media elsewhere? Copy it first: ${toType('migrate')}. If there never was any, no redirect is needed.`,
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

/** What an old address does: the status of its redirect, or why it is none to the media host. */
export type Led = { readonly status: number } | { readonly fault: string }

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
    if (isRedirect && location === newUrl(mediaHost, key)) return { status: answer.status }
    const where = isRedirect && location !== undefined ? ` to ${location}` : ''
    return { fault: `${url} answers with status ${answer.status}${where}` }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return { fault: `${url}: ${error.what}` }
  }
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
    if (at.clock.now().getTime() - start >= SPREAD_MS) throw notSeen(prefix, fault)
    await at.clock.sleep(PAUSE_MS)
  }
}

function notSeen({ host }: OldPrefix, fault: string): Problem {
  return new Problem({
    code: 'redirect-not-seen',
    what: 'Cloudflare took the redirect, and old addresses do not lead to the media host.',
    why: `${fault}. Another rule may come first, or ${host} does not pass through Cloudflare.`,
    next: `Look at the zone's rules in the dashboard and at the orange cloud of ${host}, and run this again; or use --engine nginx.`,
  })
}
