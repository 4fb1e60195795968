import { Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import type { SlurperSource } from '../services/cloudflare/port.ts'
import type { MediaFile, MediaSource, Oddity } from '../services/media/port.ts'
import type { BucketPlace } from '../services/rclone/port.ts'
import type { ListedObject, S3Port } from '../services/s3/port.ts'
import { isOfObject } from '../services/s3/refusal.ts'
import { bucketUrl } from './media-addresses.ts'
import { type BadSetting, bucketPlace, missingOf } from './s3-place.ts'
import { slurperSource } from './slurper-source.ts'

/** The S3 provider that Mastodon uses now, and that media is copied from. */
export interface OldProvider {
  /** `bucket at host`. */
  readonly name: string
  readonly place: BucketPlace
  /** For Super Slurper; the Problem says why it can't copy from there. */
  readonly slurper: SlurperSource | Problem
  /** Where people fetch the old media, without a slash at the end: it stays in EXTRA_MEDIA_HOSTS. */
  readonly mediaUrl: string
  /** What the person should know of it. */
  readonly notes: readonly string[]
}

export interface OldProviderOptions {
  readonly to: {
    readonly endpoint: string
    readonly bucket: string
    readonly accountId: string | undefined
  }
  /** Super Slurper of the sandbox takes `http://` on this machine. */
  readonly rehearsal?: boolean
}

type Settings = ReadonlyMap<string, { readonly value: string }>

/**
 * Reads it from Mastodon's settings as Mastodon does (its config/initializers/paperclip.rb). Problems:
 * `no-old-provider`, `old-provider-is-target`, `old-provider-incomplete`, `old-provider-endpoint`,
 * `old-provider-prefix`.
 */
export function oldProvider(
  settings: Settings,
  { to, rehearsal }: OldProviderOptions,
): OldProvider {
  const of = (name: string) => settings.get(name)?.value.trim() ?? ''
  if (of('S3_ENABLED') !== 'true') throw notInUse()
  const missing = missingOf(of)
  if (missing.length > 0) throw incomplete(missing)
  const prefix = of('S3_KEY_PREFIX').replace(/^\/+|\/+$/g, '')
  if (prefix !== '') throw prefixed(prefix)
  const place = bucketPlace(of)
  if ('why' in place) throw noAddress(place)
  const { endpoint, bucket } = place
  if (endpoint === to.endpoint.replace(/\/+$/, '') && bucket === to.bucket) throw isTarget(bucket)
  const signature = of('S3_SIGNATURE_VERSION')
  return {
    name: `${bucket} at ${new URL(endpoint).host}`,
    place,
    slurper: slurperSource(place, { to, rehearsal: rehearsal === true }),
    mediaUrl: bucketUrl(settings),
    notes: ['', 'v4'].includes(signature) ? [] : [otherSignature(signature)],
  }
}

function otherSignature(version: string): string {
  return `S3_SIGNATURE_VERSION=${version}: the copy signs with version 4, which nearly every provider takes as well. If it is refused with 403, that is why.`
}

function notInUse(): Problem {
  return new Problem({
    code: 'no-old-provider',
    what: 'Mastodon does not store its media at an S3 provider.',
    why: 'S3_ENABLED is not exactly `true` in its settings.',
    next: 'Run this again with --from local: then the media folder of this machine is copied.',
    exit: 2,
  })
}

function isTarget(bucket: string): Problem {
  return new Problem({
    code: 'old-provider-is-target',
    what: `Mastodon stores its media in ${bucket} on R2 already.`,
    why: 'The provider in its settings is the one that would be copied to.',
    next: prose`If media is still on this machine, run this again with --from local. To move on to another bucket, prepare that one first, then add --from s3:
  ${toType('init', { bucket: 'NAME', mediaHost: 'HOST', existingMedia: 'prepare' })}
Otherwise see what is there: ${toType('check')}`,
    exit: 2,
  })
}

function incomplete(missing: readonly string[]): Problem {
  return new Problem({
    code: 'old-provider-incomplete',
    what: `${missing.join(' and ')} ${missing.length === 1 ? 'is' : 'are'} missing in Mastodon's settings.`,
    why: 'The copy reads the old bucket with the same key as Mastodon. A key that the machine gets from its provider (an instance role) is not used.',
    next: 'Make a key at the old provider that may list and read the bucket, put the lines into the env file, and run this again.',
    exit: 2,
  })
}

function noAddress({ name, why }: BadSetting): Problem {
  return new Problem({
    code: 'old-provider-endpoint',
    what: `No address can be made of ${name}.`,
    why: `${why}.`,
    next: `Put it right in Mastodon's settings, and run this again.`,
    exit: 2,
  })
}

function prefixed(prefix: string): Problem {
  return new Problem({
    code: 'old-provider-prefix',
    what: `At the old provider every key begins with ${prefix}/ (S3_KEY_PREFIX).`,
    why: 'On R2 the media lies at the top of the bucket, as tootctl expects it; this tool copies keys as they are.',
    next: prose`Copy it with rclone, which can take ${prefix}/ off: rclone copy OLD:BUCKET/${prefix} R2:BUCKET. Then see that all is well: ${toType('check')}`,
    exit: 2,
  })
}

/**
 * A bucket as the place where media is copied from; `name` as the person would say it, e.g.
 * `media at s3.example.com`. One request per 1,000 objects, for each reading.
 */
export function bucketSource(s3: S3Port, name: string): MediaSource {
  return {
    kind: 's3',
    name,
    async *files({ signal, onOddity } = {}) {
      for await (const page of s3.pages('', signal)) {
        const files = page.filter((object) => !isFolder(object))
        for (const object of page) if (isFolder(object)) onOddity?.(folderOddity(object.key))
        yield files.map(fileOf)
      }
    },
    async find(key) {
      const head = await s3.head(key).catch(nothingIfOfObject)
      // A request for one object tells no time of change: listed is what counts.
      if (head) return { key, size: head.size, changedAt: 0, mode: undefined, etag: head.etag }
      // Some objects are listed, and refused or not found when they are asked for.
      for await (const [first] of s3.pages(key))
        return first?.key === key ? fileOf(first) : undefined
      return undefined
    },
    async whyUnreadable(key) {
      try {
        await s3.get(key, { range: 'bytes=0-0' })
        return undefined
      } catch (error) {
        // An empty object has no first byte.
        if (error instanceof Problem && error.code === 's3-416') return undefined
        if (isOfObject(error)) return error.what
        throw error
      }
    },
    read: async (key) => (await s3.get(key)).body,
  }
}

/** For `catch`: other errors go up. */
function nothingIfOfObject(error: unknown): undefined {
  if (!isOfObject(error)) throw error
}

/** Some programs put an empty object where a folder would be; nothing can be read from it. */
export function isFolder({ key, size }: Pick<ListedObject, 'key' | 'size'>): boolean {
  return size === 0 && key.endsWith('/')
}

function folderOddity(path: string): Oddity {
  const note = `${path} is an empty object that stands for a folder. It is left out.`
  return { path, kind: 'not-a-file', note }
}

function fileOf({ key, size, etag, lastModified }: ListedObject): MediaFile {
  return { key, size, changedAt: lastModified, mode: undefined, etag }
}
