import { chmodSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { basename, dirname, join } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { mp4 } from './film.ts'
import { type MediaClass, mediaClasses } from './media-class.ts'
import { mediaBodies } from './media-files.ts'
import { recordKeys } from './media-record.ts'
import { OLDEST_DAYS } from './record-id.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

export interface MediaTreeOptions {
  /** How many keys there are; hidden files come on top. */
  readonly files: number
  /** The same seed on the same day makes the same keys and contents; 1 unless told. */
  readonly seed?: number
  /** Milliseconds since the epoch, for the ids. */
  readonly now?: number
}

export interface MediaTree {
  /** The folder that Mastodon calls `public/system`. */
  readonly dir: string
  readonly files: readonly MadeFile[]
  /** Keys of media of suspended users: mode 0600. */
  readonly suspended: readonly string[]
  /** The folder beside it that the link `cache/preview_cards` leads to. */
  readonly disk: string
}

export interface MadeFile {
  readonly key: string
  /** Bytes. */
  readonly size: number
}

/** Larger than a part of a multipart upload, bytes. */
const LARGE = 6 * 1024 * 1024
const LINKED = 'cache/preview_cards'

const oddKeys = [
  'site_uploads/files/000/000/001/original/Grüße aus Köln 🐘.png',
  'site_uploads/files/000/000/002/original/日本語.jpg',
  'site_uploads/files/000/000/003/original/two  spaces and a + sign.png',
  'site_uploads/files/000/000/004/original/quote " back\\slash & 100%.gif',
]

/**
 * Fills `dir`, which may exist, with media of all classes as a small server has them: real pictures,
 * a few files of suspended users, odd names, a large film, and a link to a folder on another disk.
 */
export async function makeMediaTree(dir: string, options: MediaTreeOptions): Promise<MediaTree> {
  const { files: count, seed = 1, now = Date.now() } = options
  const random = seededRandom(seed)
  const bodies = mediaBodies(random)
  const disk = join(dirname(dir), `${basename(dir)}-disk`)
  const files: MadeFile[] = []
  const suspended: string[] = []
  const folders = new Set<string>()
  prepare(dir, disk)

  const put = (key: string, body: Buffer, mode = 0o644) => {
    const path = join(dir, key)
    const folder = dirname(path)
    if (!folders.has(folder)) mkdirSync(folder, { recursive: true })
    folders.add(folder)
    writeFileSync(path, body)
    if (mode !== 0o644) chmodSync(path, mode)
    files.push({ key, size: body.length })
    if (mode === 0o600) suspended.push(key)
  }
  const large = `media_attachments/files/100/000/000/000/000/001/original/${random.hex(16)}.mp4`
  for (const key of [...oddKeys, large].slice(0, Math.max(0, count - 1))) {
    put(key, key === large ? mp4(LARGE, random) : bodies.next(key.slice(-3)))
  }
  for (const { keys, mode } of records(random, now)) {
    for (const key of keys) {
      if (files.length >= count) return { dir, files, suspended, disk }
      put(key, bodies.next(key.slice(key.lastIndexOf('.') + 1)), mode)
      if (files.length % 500 === 0) await breathe()
    }
  }
  return { dir, files, suspended, disk }
}

function prepare(dir: string, disk: string): void {
  mkdirSync(join(dir, 'cache'), { recursive: true })
  mkdirSync(join(disk, basename(LINKED)), { recursive: true })
  symlinkSync(join(disk, basename(LINKED)), join(dir, LINKED))
  writeFileSync(join(dir, '.gitkeep'), '')
}

/** One of each class first, then by their shares, without end. */
function* records(random: SeededRandom, now: number) {
  const seen = new Set<string>()
  const sum = mediaClasses.reduce((total, { share }) => total + share, 0)
  for (let at = 0; ; at++) {
    const of = mediaClasses[at] ?? classAt(random.below(sum))
    const made = now - random.below(OLDEST_DAYS * 86_400) * 1000
    const keys = recordKeys(of, random, made, random.below(200) === 0)
    if (keys.some((key) => seen.has(key))) continue
    for (const key of keys) seen.add(key)
    const isOwn = /^(accounts|media_attachments)\//.test(of.folder)
    const isSuspended = isOwn && at % 8 === 0
    yield { keys, mode: isSuspended ? 0o600 : 0o644 }
  }
}

function classAt(place: number): MediaClass {
  let rest = place
  for (const one of mediaClasses) {
    if (rest < one.share) return one
    rest -= one.share
  }
  throw new Error('The shares of the media classes do not add up.')
}
