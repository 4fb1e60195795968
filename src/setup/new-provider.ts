import { readPlain } from '../core/plain-file.ts'
import { codeOf, diskTrouble, Problem } from '../core/problem.ts'
import { prose, toType } from '../core/to-type.ts'
import { readR2Endpoint } from '../flow/mastodon-here.ts'
import { fileText } from '../services/mastodon/env-text.ts'
import type { BucketPlace } from '../services/rclone/port.ts'
import type { Keeping } from '../services/s3/port.ts'
import { nextService } from '../services/s3/service.ts'
import { bucketUrl } from './media-addresses.ts'
import { linesWanted, readLines, refuseLines, wrongLine } from './provider-lines.ts'
import { bucketPlace } from './s3-place.ts'

/** The S3 provider that Mastodon goes on to. */
export interface NewProvider {
  /** `bucket at host`. */
  readonly name: string
  /** As the person calls it, e.g. `Wasabi`. */
  readonly service: string
  readonly place: BucketPlace
  /** Where people will fetch the media, without a slash at the end. */
  readonly mediaUrl: string
  /** What Mastodon sends with each upload; undefined: no ACL. */
  readonly acl: string | undefined
  /** All that Mastodon sends with each upload besides. */
  readonly keeping: Keeping
  /** Every storage line that Mastodon needs, the keys included. */
  readonly lines: ReadonlyMap<string, string>
  /** The file that tells it. */
  readonly file: string
}

/**
 * Reads the file with Mastodon's own lines for the new provider. Problems (exit 2):
 * `new-provider-file`, `new-provider-lines`, `new-provider-is-r2`.
 */
export async function readNewProvider(file: string): Promise<NewProvider> {
  return newProvider(readLines(await textOf(file), file), file)
}

/** The same of what the file holds. */
export function newProvider(given: ReadonlyMap<string, string>, file: string): NewProvider {
  const of = (name: string) => given.get(name) ?? ''
  refuseLines(given, file)
  const place = bucketPlace(of)
  if ('why' in place) throw wrongLine(file, place.name, place.why)
  const { endpoint, bucket, region } = place
  if (readR2Endpoint(endpoint)) throw isR2(file)
  const { host, pathname } = new URL(endpoint)
  if (pathname.split('/').includes(bucket)) {
    throw wrongLine(file, 'S3_ENDPOINT', 'The bucket stands in S3_BUCKET alone')
  }
  const permission = given.get('S3_PERMISSION') ?? 'public-read'
  const acl = permission === '' ? undefined : permission
  const storageClass = of('S3_STORAGE_CLASS')
  const keeping = {
    ...(acl !== undefined && { acl }),
    ...(storageClass !== '' && { storageClass }),
  }
  const lines = new Map([
    ['S3_ENABLED', 'true'],
    ['S3_BUCKET', bucket],
    ['S3_REGION', region],
    ...(of('S3_ENDPOINT') === '' ? [] : [['S3_ENDPOINT', endpoint] as const]),
    ['S3_PROTOCOL', 'https'],
    ...[...given].filter(([name, value]) => !WRITTEN.has(name) && value !== ''),
    ['S3_PERMISSION', permission],
    ['AWS_ACCESS_KEY_ID', of('AWS_ACCESS_KEY_ID')],
    ['AWS_SECRET_ACCESS_KEY', of('AWS_SECRET_ACCESS_KEY')],
  ])
  return {
    name: `${bucket} at ${host}`,
    service: nextService(endpoint, file).name,
    place: { ...place, ...keeping },
    mediaUrl: bucketUrl(new Map([...lines].map(([name, value]) => [name, { value }]))),
    acl,
    keeping,
    lines,
    file,
  }
}

/** These are written whatever the file says of them. */
const WRITTEN: ReadonlySet<string> = new Set([
  ...['S3_ENABLED', 'S3_BUCKET', 'S3_REGION', 'S3_ENDPOINT', 'S3_PROTOCOL', 'S3_PERMISSION'],
  ...['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'],
])

/** Whether both are one bucket; addresses may end with a slash. */
export function isSameBucket(
  { place }: Pick<NewProvider, 'place'>,
  other: { readonly endpoint: string | undefined; readonly bucket: string | undefined },
): boolean {
  const bare = (endpoint = '') => endpoint.trim().replace(/\/+$/, '').toLowerCase()
  return bare(place.endpoint) === bare(other.endpoint) && place.bucket === other.bucket
}

/** Problem `new-provider-is-source`. `from`: the bucket that is left. */
export function refuseSource(
  provider: NewProvider,
  from: { readonly endpoint: string; readonly bucket: string },
): void {
  if (isSameBucket(provider, from)) throw isSource(from.bucket, provider.file)
}

async function textOf(file: string): Promise<string> {
  try {
    const { bytes } = await readPlain(file, { follow: true })
    if (bytes.includes(0)) throw unreadable(file, 'It is no plain text file.')
    return fileText.decode(bytes)
  } catch (error) {
    if (error instanceof Problem) throw error
    const code = codeOf(error)
    throw unreadable(file, code === 'ENOENT' ? 'There is no such file.' : diskTrouble(code))
  }
}

function unreadable(file: string, why: string): Problem {
  return new Problem({
    code: 'new-provider-file',
    what: `--to-env: ${file} can't be used.`,
    why,
    next: linesWanted(),
    exit: 2,
  })
}

function isSource(bucket: string, file: string): Problem {
  return new Problem({
    code: 'new-provider-is-source',
    what: `${file} names the bucket ${bucket} that the media is in.`,
    why: 'A bucket can not be copied to itself.',
    next: 'Name the new bucket in S3_BUCKET, and its provider in S3_ENDPOINT; then run this again.',
    exit: 2,
  })
}

function isR2(file: string): Problem {
  return new Problem({
    code: 'new-provider-is-r2',
    what: `${file} names a bucket on R2.`,
    why: 'Mastodon would stay on R2; to leave is to go elsewhere.',
    next: prose`To move on to another bucket on R2, prepare that one, then copy:
  ${toType('init', { bucket: 'NAME', mediaHost: 'HOST', existingMedia: 'prepare' })}
  ${toType('migrate', { from: 's3' })}`,
    exit: 2,
  })
}
