import { readPlain } from '../core/plain-file.ts'
import { codeOf, diskTrouble, Problem } from '../core/problem.ts'
import { Secret } from '../core/secret.ts'
import { prose, type Text, toType } from '../core/to-type.ts'
import { readR2Endpoint } from '../flow/mastodon-here.ts'
import { fileText, readStatements } from '../services/mastodon/env-text.ts'
import type { BucketPlace } from '../services/rclone/port.ts'
import { nextService, rcloneProvider } from '../services/s3/service.ts'
import { bucketUrl } from './media-addresses.ts'
import { awsEndpoint, regionIn } from './old-provider.ts'

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
  /** Every storage line that Mastodon needs, the keys included. */
  readonly lines: ReadonlyMap<string, string>
  /** The file that tells it. */
  readonly file: string
}

/** What Mastodon reads of an S3 provider (its config/initializers/paperclip.rb), but for its patience. */
export const providerNames = [
  'S3_ENABLED',
  'S3_BUCKET',
  'S3_REGION',
  'S3_ENDPOINT',
  'S3_PROTOCOL',
  'S3_HOSTNAME',
  'S3_ALIAS_HOST',
  'S3_CLOUDFRONT_HOST',
  'S3_PERMISSION',
  'S3_SIGNATURE_VERSION',
  'S3_OVERRIDE_PATH_STYLE',
  'S3_STORAGE_CLASS',
  'S3_MULTIPART_THRESHOLD',
  'S3_FORCE_SINGLE_REQUEST',
  'S3_KEY_PREFIX',
  'AWS_ACCESS_KEY_ID',
  'AWS_SECRET_ACCESS_KEY',
] as const

const PATIENCE = ['S3_OPEN_TIMEOUT', 'S3_READ_TIMEOUT', 'S3_RETRY_LIMIT', 'S3_BATCH_DELETE_LIMIT']

/** Without it no key can be used, and none is asked for anywhere else. */
const NEEDED = ['S3_BUCKET', 'AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY'] as const

/**
 * Reads the file with Mastodon's own lines for the new provider. Problems (exit 2):
 * `new-provider-file`, `new-provider-lines`, `new-provider-is-r2`.
 */
export async function readNewProvider(file: string): Promise<NewProvider> {
  const text = await textOf(file)
  const active = readStatements(text).filter((statement) => statement.active)
  return newProvider(new Map(active.map(({ key, value }) => [key, value.trim()])), file)
}

/** The same of what the file holds. */
export function newProvider(given: ReadonlyMap<string, string>, file: string): NewProvider {
  const of = (name: string) => given.get(name) ?? ''
  refuseLines(given, file)
  const region = of('S3_REGION') || regionIn(of('S3_HOSTNAME')) || 'us-east-1'
  const named = of('S3_ENDPOINT').replace(/\/+$/, '')
  if (named !== '' && !(/^https?:\/\//.test(named) && URL.canParse(named)))
    throw wrongLine(file, 'S3_ENDPOINT', 'It has to begin with https:// and the name of the server')
  const endpoint = named === '' ? awsEndpoint(region) : named
  const bucket = of('S3_BUCKET')
  if (readR2Endpoint(endpoint)) throw isR2(file)
  const permission = given.get('S3_PERMISSION') ?? 'public-read'
  const acl = permission === '' ? undefined : permission
  const service = nextService(endpoint, file)
  const lines = new Map([
    ['S3_ENABLED', 'true'],
    ['S3_BUCKET', bucket],
    ['S3_REGION', region],
    ...(named === '' ? [] : [['S3_ENDPOINT', named] as const]),
    ['S3_PROTOCOL', 'https'],
    ...[...given].filter(([name, value]) => !WRITTEN.has(name) && value !== ''),
    ['S3_PERMISSION', permission],
    ['AWS_ACCESS_KEY_ID', of('AWS_ACCESS_KEY_ID')],
    ['AWS_SECRET_ACCESS_KEY', of('AWS_SECRET_ACCESS_KEY')],
  ])
  const mediaUrl = bucketUrl(new Map([...lines].map(([name, value]) => [name, { value }])))
  if (!URL.canParse(mediaUrl))
    throw wrongLine(file, 'S3_ALIAS_HOST', 'No address can be made of it')
  return {
    name: `${bucket} at ${new URL(endpoint).host}`,
    service: service.name,
    place: {
      kind: 'bucket',
      endpoint,
      bucket,
      region,
      key: {
        accessKeyId: of('AWS_ACCESS_KEY_ID'),
        secretAccessKey: new Secret(of('AWS_SECRET_ACCESS_KEY')),
      },
      provider: rcloneProvider(endpoint),
      service: service.name,
      acl,
      ...(named !== '' && of('S3_OVERRIDE_PATH_STYLE') === 'true' && { virtualHost: true }),
    },
    mediaUrl,
    acl,
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

function refuseLines(given: ReadonlyMap<string, string>, file: string): void {
  const known = new Set<string>([...providerNames, ...PATIENCE])
  const [stranger] = [...given.keys()].filter((name) => !known.has(name))
  if (stranger !== undefined)
    throw wrongLine(file, stranger, 'It is none of the storage settings that Mastodon knows')
  const missing = NEEDED.filter((name) => (given.get(name) ?? '') === '')
  if (missing.length > 0)
    throw wrongLine(file, missing.join(', '), 'Mastodon can not use the bucket without it')
  const wish = (name: string, allowed: readonly string[], why: string) => {
    if (!allowed.includes(given.get(name) ?? '')) throw wrongLine(file, name, why)
  }
  wish('S3_ENABLED', ['', 'true'], 'It is exactly `true` for a provider that is used')
  wish('S3_PROTOCOL', ['', 'https'], 'Browsers refuse media without https on a page with it')
  wish('S3_SIGNATURE_VERSION', ['', 'v4'], 'The copy signs with version 4 alone')
  wish('S3_KEY_PREFIX', [''], 'tootctl expects media at the top of the bucket')
}

/** Which lines, for a person who has none of them yet. */
export function linesWanted(): Text {
  return `It holds Mastodon's own lines for the provider, as its console or Mastodon's docs tell them:
  S3_BUCKET=NAME
  S3_REGION=REGION
  S3_ENDPOINT=https://HOST
  S3_HOSTNAME=HOST
  S3_ALIAS_HOST=MEDIA-HOST
  AWS_ACCESS_KEY_ID=KEY
  AWS_SECRET_ACCESS_KEY=SECRET`
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

function wrongLine(file: string, names: string, why: string): Problem {
  return new Problem({
    code: 'new-provider-lines',
    what: `${file}: ${names} is not as it has to be.`,
    why: `${why}.`,
    next: prose`Put it right, and run this again. ${linesWanted()}`,
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
