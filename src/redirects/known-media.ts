import { Problem } from '../core/problem.ts'
import type { World } from '../plan/step.ts'
import type { MediaSource } from '../services/media/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import { newUrl } from './old-prefix.ts'

type At = Pick<World, 'connectS3' | 'web' | 'setup'>

/** Files that are known to exist, to hold redirects against; looked for once in a run. */
export interface KnownMedia {
  /** Up to three keys, of different kinds of media where there are; none when there is no media. */
  keys(at: At): Promise<readonly string[]>
  /** Undefined once each is in the bucket and public; else what keeps redirects from being made. */
  fault(at: At): Promise<Problem | undefined>
}

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
  const url = newUrl(at.setup.mediaHost, key)
  const answer = await at.web.fetch(url, { method: 'HEAD' })
  return answer.status === 200 ? undefined : notPublic(url, answer.status)
}

function bucketOf({ connectS3, setup }: At): S3Port {
  if (setup.knownKey) return connectS3(setup.knownKey)
  throw new Problem({
    code: 'no-known-key',
    what: 'There is no key for the bucket in the env file.',
    why: 'A redirect is only made once a file was seen in the bucket and at the media host.',
    next: 'Set up R2 first: npx mastodon-r2 init',
    exit: 2,
  })
}

function noMedia({ setup }: At): Problem {
  return new Problem({
    code: 'no-media-to-prove',
    what: `There is no media to redirect to: nothing is on this machine or in the bucket ${setup.at.bucket}.`,
    why: 'A redirect is only made once a known file was seen to come from the media host.',
    next: 'Is there old media elsewhere? Copy it first: npx mastodon-r2 migrate. If there never was any, no redirect is needed.',
  })
}

function notCopied(key: string): Problem {
  return new Problem({
    code: 'media-not-copied',
    what: `${key} is on this machine, and not in the bucket.`,
    why: 'Redirected now, its old address would lead to nothing, and Cloudflare would remember that.',
    next: 'Copy the media first: npx mastodon-r2 migrate --stage copy',
  })
}

function notPublic(url: string, status: number): Problem {
  return new Problem({
    code: 'media-not-public',
    what: `${url} gave status ${status}, though the file is in the bucket.`,
    why: 'Redirected now, old addresses would lead to nothing. If it was asked for before it was there, Cloudflare remembers that for some minutes.',
    next: 'Wait five minutes and run this again. If it stays: npx mastodon-r2 check',
  })
}
