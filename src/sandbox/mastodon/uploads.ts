import { createHash, randomInt } from 'node:crypto'
import { appendFileSync, chmodSync, mkdirSync, renameSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { contentType } from './content-type.ts'
import type { EnvValues } from './env-values.ts'
import { type MediaClass, mediaClasses } from './media-class.ts'
import { mediaBodies } from './media-files.ts'
import { recordKeys } from './media-record.ts'
import { putObject } from './put-object.ts'
import { seededRandom } from './seeded-random.ts'

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
