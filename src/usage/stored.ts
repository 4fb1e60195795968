import { DAY_MS } from '../core/clock.ts'
import { classOf, mediaClasses } from '../plan/report-schema.ts'
import type { Usage } from '../plan/report-usage.ts'
import type { ListedObject } from '../services/s3/port.ts'

type Stored = Usage['stored']

interface Tally {
  objects: number
  bytes: number
}

/** Days in the bucket that part one age from the next. */
const AGES = [7, 30, 90, 365]

/** What tootctl removes of other servers' media, and what that costs nobody here. */
export interface Cleanup {
  readonly class: string
  /** Older than so many days: tootctl's own defaults (Mastodon docs, admin/tootctl). */
  readonly days: number
  readonly command: string
  readonly what: string
}

const cleanups: readonly Cleanup[] = [
  {
    class: 'cachedAttachments',
    days: 7,
    command: 'tootctl media remove --days 7',
    what: 'attachments of others, older than 7 days; they come back when looked at',
  },
  {
    class: 'previewCards',
    days: 180,
    command: 'tootctl preview_cards remove --days 180',
    what: 'preview cards, older than 180 days; old posts stay without',
  },
]

/** File types that Cloudflare caches by default (its docs, cache/concepts/default-cache-behavior). */
const cached = new Set(
  (
    '7z avi avif apk bin bmp bz2 class css csv dmg doc docx ejs eot eps exe flac gif gz ico iso jar ' +
    'jpeg jpg js mid midi mkv mp3 mp4 ogg otf pdf pict pls png ppt pptx ps rar svg svgz swf tar tif ' +
    'tiff ttf webm webp woff woff2 xls xlsx zip zst'
  ).split(' '),
)

/** Counts a bucket object by object, and keeps numbers alone: a million objects take no more room. */
export class StoredCount {
  readonly #now: number
  readonly #total = empty()
  readonly #ages = newAges()
  readonly #kinds = new Map<string, { readonly total: Tally; readonly ages: Tally[] }>()
  readonly #uncached = empty()
  readonly #removable = new Map(cleanups.map((one) => [one, empty()]))
  #pages = 0

  constructor(now: Date) {
    this.#now = now.getTime()
  }

  get objects(): number {
    return this.#total.objects
  }

  get bytes(): number {
    return this.#total.bytes
  }

  /** One page of the list: one Class A request. */
  see(page: readonly ListedObject[]): void {
    this.#pages += 1
    for (const object of page) this.#seeOne(object)
  }

  #seeOne({ key, size, lastModified }: ListedObject): void {
    const days = (this.#now - lastModified) / DAY_MS
    const { name, private: isPrivate } = classOf(key)
    const kind = this.#kinds.get(name) ?? { total: empty(), ages: newAges() }
    this.#kinds.set(name, kind)
    const age = ageOf(days)
    add(this.#total, size)
    add(this.#ages[age] as Tally, size)
    add(kind.total, size)
    add(kind.ages[age] as Tally, size)
    if (!isPrivate && !isCached(key)) add(this.#uncached, size)
    for (const [cleanup, tally] of this.#removable) {
      if (cleanup.class === name && days > cleanup.days) add(tally, size)
    }
  }

  /** What each clean-up would remove, by the time that files have been in this bucket. */
  removable(): readonly (Cleanup & Readonly<Tally>)[] {
    return [...this.#removable].map(([cleanup, tally]) => ({ ...cleanup, ...tally }))
  }

  stored(): Stored {
    const names = [...new Set(mediaClasses.map(({ name }) => name))]
    return {
      ...this.#total,
      listRequests: Math.max(this.#pages, 1),
      kinds: names.flatMap((name) => {
        const found = this.#kinds.get(name)
        const { title = name } = mediaClasses.find((one) => one.name === name) ?? {}
        return found ? [{ class: name, title, ...found.total, ages: aged(found.ages) }] : []
      }),
      ages: aged(this.#ages),
      notCachedByDefault: { ...this.#uncached },
    }
  }
}

function isCached(key: string): boolean {
  const dot = key.lastIndexOf('.')
  return dot > key.lastIndexOf('/') && cached.has(key.slice(dot + 1).toLowerCase())
}

function empty(): Tally {
  return { objects: 0, bytes: 0 }
}

function newAges(): Tally[] {
  return [...AGES, null].map(empty)
}

function ageOf(days: number): number {
  const found = AGES.findIndex((most) => days <= most)
  return found === -1 ? AGES.length : found
}

function aged(tallies: readonly Tally[]): Stored['ages'] {
  return tallies.map((tally, at) => ({ days: AGES[at] ?? null, ...tally }))
}

function add(tally: Tally, bytes: number): void {
  tally.objects += 1
  tally.bytes += bytes
}
