import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { setImmediate as breathe } from 'node:timers/promises'
import { DAY_MS } from '../../core/clock.ts'
import { mediaBodies, mp4 } from './media-files.ts'
import { type SeededRandom, seededRandom } from './seeded-random.ts'

/** A kind of media as Mastodon stores it (app/models/concerns, `has_attached_file`). */
export interface MediaClass {
  /** Keys begin so. */
  readonly folder: string
  /** Records in a thousand. */
  readonly share: number
  /** Ids that hold a time (Mastodon's snowflakes), or row numbers. */
  readonly ids: 'snowflake' | 'row'
  readonly extensions: readonly [string, ...string[]]
  /** Folders below the id, and what they hold; undefined: what the original is. */
  readonly styles: Readonly<Record<string, string | undefined>>
}

const pictures = ['jpg', 'jpg', 'png', 'gif', 'webp'] as const
const uploads = [...pictures, ...pictures, ...pictures, 'mp4', 'ogg'] as const
const original = { original: undefined }
const both = { original: undefined, static: 'png' }
const sized = { original: undefined, small: 'png' }

export const mediaClasses: readonly MediaClass[] = [
  own('accounts/avatars', 20, 'snowflake', pictures, both),
  own('accounts/headers', 15, 'snowflake', pictures, original),
  own('media_attachments/files', 110, 'snowflake', uploads, sized),
  own('media_attachments/thumbnails', 8, 'snowflake', pictures, original),
  own('custom_emojis/images', 25, 'row', ['png', 'gif', 'webp'], both),
  own('site_uploads/files', 2, 'row', pictures, {
    original: undefined,
    '@1x': 'png',
    '@2x': 'png',
  }),
  own('backups/dumps', 2, 'row', ['zip'], original),
  own('imports/data', 2, 'row', ['csv'], original),
  own('cache/accounts/avatars', 190, 'snowflake', pictures, both),
  own('cache/accounts/headers', 120, 'snowflake', pictures, original),
  own('cache/media_attachments/files', 310, 'snowflake', uploads, sized),
  own('cache/media_attachments/thumbnails', 16, 'snowflake', pictures, original),
  own('cache/custom_emojis/images', 80, 'row', ['png', 'gif'], both),
  own('cache/preview_cards/images', 100, 'row', ['jpg', 'png', 'webp'], original),
]

function own(
  folder: string,
  share: number,
  ids: MediaClass['ids'],
  extensions: MediaClass['extensions'],
  styles: MediaClass['styles'],
): MediaClass {
  return { folder, share, ids, extensions, styles }
}

/** Records are this old at most, days. */
export const OLDEST_DAYS = 90

/** A new id of this kind; `at`, and what a snowflake holds above its 16 lowest bits: milliseconds. */
function recordId(ids: MediaClass['ids'], random: SeededRandom, at: number): string {
  if (ids === 'row') return String(1 + random.below(40_000_000))
  return String((BigInt(at) << 16n) | BigInt(random.below(65_536)))
}

/** Groups of three digits, nine digits at least (Paperclip's `:id_partition`). */
export function idPartition(id: string): string {
  const whole = id.padStart(Math.max(9, Math.ceil(id.length / 3) * 3), '0')
  return (whole.match(/\d{3}/g) ?? []).join('/')
}

/**
 * Days since the record was made. Row numbers hold no time, so the age of such a record is told by
 * its number.
 */
export function ageInDays(partition: string, now: number): number {
  const id = BigInt(partition.replaceAll('/', ''))
  if (id < 1n << 40n) return Number(id % BigInt(OLDEST_DAYS))
  return (now - Number(id >> 16n)) / DAY_MS
}

/** What begins so is an orphan: no row of the database knows it. */
export const ORPHAN = 'dead'

/** Keys of the files of one record made at `at` (milliseconds), such as an avatar and its still picture. */
export function recordKeys(
  of: MediaClass,
  random: SeededRandom,
  at: number,
  isOrphan = false,
): string[] {
  const extension = random.pick(of.extensions)
  const folder = `${of.folder}/${idPartition(recordId(of.ids, random, at))}`
  const name = isOrphan ? `${ORPHAN}${random.hex(12)}` : `0${random.hex(15)}`
  return Object.entries(of.styles)
    .filter(([style]) => style !== 'static' || extension === 'gif')
    .map(([style, own]) => `${folder}/${style}/${name}.${own ?? extension}`)
}

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

export interface TreeWishes {
  readonly add?: number
  readonly change?: number
  readonly remove?: number
  /** 2 unless told; another one for each call, or the same keys come again. */
  readonly seed?: number
}

/** Keys, each in one list only. */
export interface TreeChanges {
  readonly added: readonly string[]
  /** Every second one has kept its size. */
  readonly changed: readonly string[]
  readonly removed: readonly string[]
}

/** What users do to a folder of media while it is copied. Folders behind links are left alone. */
export function changeTree(dir: string, wishes: TreeWishes): TreeChanges {
  const { add = 0, change = 0, remove = 0, seed = 2 } = wishes
  const random = seededRandom(seed)
  const bodies = mediaBodies(random)
  const there = change + remove > 0 ? keysBelow(dir) : []
  const take = () => there.splice(random.below(there.length), 1).flat()
  const removed = Array.from({ length: Math.min(remove, there.length) }, take).flat()
  for (const key of removed) rmSync(join(dir, key))
  const changed = Array.from({ length: Math.min(change, there.length) }, take).flat()
  for (const [at, key] of changed.entries()) {
    const before = readFileSync(join(dir, key))
    const end = Buffer.from(random.hex(Math.min(16, before.length)))
    const kept = at % 2 === 0 ? before.subarray(0, before.length - end.length) : before
    writeFileSync(join(dir, key), Buffer.concat([kept, end]))
  }
  const added: string[] = []
  const own = mediaClasses.filter(({ folder }) => folder.endsWith('attachments/files'))
  for (let at = 0; added.length < add; at++) {
    const of = own[at % own.length]
    for (const key of of ? recordKeys(of, random, Date.now()) : []) {
      if (added.length >= add) break
      mkdirSync(dirname(join(dir, key)), { recursive: true })
      writeFileSync(join(dir, key), bodies.next(key.slice(key.lastIndexOf('.') + 1)))
      added.push(key)
    }
  }
  return { added, changed, removed }
}

/** Files below a folder in a lasting order; hidden ones are none. */
function keysBelow(dir: string): string[] {
  return readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !entry.name.startsWith('.'))
    .map((entry) => relative(dir, join(entry.parentPath, entry.name)))
    .sort()
}
