import { createHash, randomInt } from 'node:crypto'
import {
  appendFileSync,
  chmodSync,
  mkdirSync,
  readFileSync,
  renameSync,
  writeFileSync,
} from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { amzDateOf, awsEncode, sha256Hex, sigv4 } from '../r2/authenticate.ts'
import { mediaBodies } from './media-files.ts'
import { type MediaClass, mediaClasses, recordKeys } from './media-tree.ts'
import { seededRandom } from './seeded-random.ts'

const types: Readonly<Record<string, string>> = {
  png: 'image/png',
  jpg: 'image/jpeg',
  gif: 'image/gif',
  webp: 'image/webp',
  mp4: 'video/mp4',
  ogg: 'audio/ogg',
  zip: 'application/zip',
  csv: 'text/csv',
}

export function contentType(key: string): string {
  return types[key.slice(key.lastIndexOf('.') + 1)] ?? 'application/octet-stream'
}

export type EnvValues = ReadonlyMap<string, string>

/** What stands in `.env.production` at this moment; of two lines of one name the last one holds. */
export function envValues(live: string): EnvValues {
  const values = new Map<string, string>()
  for (const line of textOf(join(live, '.env.production')).split(/\r?\n/)) {
    const [, name, value = ''] = /^\s*(?:export\s+)?([A-Z][A-Z0-9_]*)=(.*)$/.exec(line) ?? []
    if (name !== undefined) values.set(name, value.trim().replace(/^(['"])(.*)\1$/, '$2'))
  }
  return values
}

function textOf(path: string): string {
  try {
    return readFileSync(path, 'utf8')
  } catch {
    return ''
  }
}

export interface PutWish {
  /** Where the S3 endpoint of the settings is reached. */
  readonly endpoint: string
  /** Mastodon's, for bucket and key. */
  readonly settings: EnvValues
  readonly key: string
  readonly body: Uint8Array
  readonly contentType: string
}

/** Milliseconds; Mastodon waits no longer by itself (S3_READ_TIMEOUT). */
const PATIENCE_MS = 5_000

/** Stores an object as Mastodon would (config/initializers/paperclip.rb). Error: what the endpoint said. */
async function putObject(wish: PutWish): Promise<void> {
  const { endpoint, settings, key, body, contentType } = wish
  const path = `/${settings.get('S3_BUCKET') ?? ''}/${key.split('/').map(awsEncode).join('/')}`
  const amzDate = amzDateOf(Date.now())
  const scope = { date: amzDate.slice(0, 8), region: settings.get('S3_REGION') ?? 'us-east-1' }
  const payloadHash = sha256Hex(body)
  const permission = settings.get('S3_PERMISSION') ?? 'public-read'
  const headers: Record<string, string> = {
    'cache-control': 'public, max-age=315576000, immutable',
    'content-type': contentType,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': amzDate,
    ...(permission === '' ? {} : { 'x-amz-acl': permission }),
  }
  const all = new Map([['host', new URL(endpoint).host], ...Object.entries(headers)])
  const signedHeaders = [...all.keys()].sort()
  const signed = {
    method: 'PUT',
    path,
    query: [],
    headers: all,
    signedHeaders,
    payloadHash,
    amzDate,
    scope,
  }
  const signature = sigv4(signed, settings.get('AWS_SECRET_ACCESS_KEY') ?? '')
  const credential = `${settings.get('AWS_ACCESS_KEY_ID') ?? ''}/${scope.date}/${scope.region}/s3/aws4_request`
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  const response = await fetch(`${endpoint}${path}`, {
    method: 'PUT',
    headers,
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const answer = await response.text()
  if (response.ok) return
  throw new Error(`${response.status} ${/<Code>(\w+)/.exec(answer)?.[1] ?? ''}`.trim())
}

/** One line of the log. */
export interface Upload {
  readonly at: string
  readonly by: 'web' | 'sidekiq'
  readonly where: 'disk' | 'bucket'
  readonly key: string
  /** Of what was stored; absent when it failed. */
  readonly bytes?: number
  readonly md5?: string
  /** Why it was not stored; Mastodon's user saw an error, and nothing is missing. */
  readonly error?: string
}

export interface UploadsOptions {
  /** Mastodon's folder. */
  readonly live: string
  /** Gets one line of JSON for each upload. */
  readonly log: string
  /** Where an S3_ENDPOINT is reached. */
  reach(endpoint: string): string
}

/** New media as users and other servers bring it, stored where the settings say. */
export interface Uploads {
  /** Stores one file; what fails is noted, not thrown. */
  store(by: Upload['by'], settings: EnvValues): Promise<void>
  /** Resolves when nothing of this part is under way. */
  settled(by: Upload['by']): Promise<void>
}

export function createUploads(options: UploadsOptions): Uploads {
  const random = seededRandom(randomInt(2 ** 31))
  const bodies = mediaBodies(random)
  const underWay = { web: new Set<Promise<void>>(), sidekiq: new Set<Promise<void>>() }
  writeFileSync(options.log, '')

  async function store(by: Upload['by'], settings: EnvValues): Promise<void> {
    const key = recordKeys(classFor(by), random, Date.now())[0] ?? ''
    const body = bodies.next(key.slice(key.lastIndexOf('.') + 1))
    const where = settings.get('S3_ENABLED') === 'true' ? 'bucket' : 'disk'
    const note = (rest: Partial<Upload>) => {
      const line: Upload = { at: new Date().toISOString(), by, where, key, ...rest }
      appendFileSync(options.log, `${JSON.stringify(line)}\n`)
    }
    try {
      if (where === 'disk') await storeOnDisk(options.live, settings, key, body)
      else {
        const endpoint = options.reach(settings.get('S3_ENDPOINT') ?? '')
        await putObject({ endpoint, settings, key, body, contentType: contentType(key) })
      }
      note({ bytes: body.length, md5: createHash('md5').update(body).digest('hex') })
    } catch (error) {
      note({ error: error instanceof Error ? error.message : String(error) })
    }
  }

  return {
    store(by, settings) {
      const work = store(by, settings).finally(() => underWay[by].delete(work))
      underWay[by].add(work)
      return work
    },
    async settled(by) {
      while (underWay[by].size > 0) await Promise.all(underWay[by])
    },
  }
}

/** The folder of media: PAPERCLIP_ROOT_PATH, or `public/system`. */
export function mediaFolder(live: string, settings: EnvValues): string {
  const path = settings.get('PAPERCLIP_ROOT_PATH') || ':rails_root/public/system'
  return path.replace(':rails_root', live)
}

/** For so long a file in its place is still closed, milliseconds. */
const CLOSED_MS = 20

/** A closed temporary file, moved to its place and opened there (kt-paperclip, storage/filesystem.rb). */
async function storeOnDisk(
  live: string,
  settings: EnvValues,
  key: string,
  body: Buffer,
): Promise<void> {
  const path = join(mediaFolder(live, settings), key)
  const aside = join(live, 'tmp', key.replaceAll('/', '-'))
  mkdirSync(dirname(aside), { recursive: true })
  writeFileSync(aside, body, { mode: 0o600 })
  mkdirSync(dirname(path), { recursive: true })
  renameSync(aside, path)
  await sleep(CLOSED_MS)
  chmodSync(path, 0o644)
}

/** Users upload to the web part; Sidekiq fetches what other servers have. */
function classFor(by: Upload['by']): MediaClass {
  const folder = by === 'web' ? 'media_attachments/files' : 'cache/media_attachments/files'
  const found = mediaClasses.find((one) => one.folder === folder)
  if (!found) throw new Error(`There is no class of media called ${folder}.`)
  return found
}
