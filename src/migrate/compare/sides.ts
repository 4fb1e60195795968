import { counted } from '../../core/amounts.ts'
import { Cancelled } from '../../core/problem.ts'
import { type FewAtOnce, fewAtOnce, merge } from '../../core/streams.ts'
import { type ContentReader, sameContent } from '../../moving/content.ts'
import { sideBySide } from '../../moving/side-by-side.ts'
import { kept, Tally } from '../../moving/tally.ts'
import { Unread } from '../../moving/unread.ts'
import type { Comparison, LeftOut, WrongHeader } from '../../plan/report-schema.ts'
import type { CheckpointPort } from '../../services/checkpoint/port.ts'
import type { MediaFile, Oddity } from '../../services/media/port.ts'
import { isUnreadable, NAME_REFUSED } from '../../services/rclone/port.ts'
import type { ListedObject } from '../../services/s3/port.ts'
import { isProbe } from '../../setup/proof.ts'
import { isFolderLeftOut, leftOut, type Migration } from '../migration.ts'
import { removedSince } from '../removed-since.ts'
import { sourceEmpty } from '../source-empty.ts'
import { type ExpectedHeaders, HeaderSample, lookAtHeaders } from './headers.ts'

/** Files of other content that are named, as nothing but their names lets them be copied again. */
const COPIED_AGAIN = 1000

/** What a comparison has found so far. */
class Verdicts {
  readonly same = new Tally()
  readonly missing = new Tally()
  readonly sizeDiffers = new Tally()
  readonly contentDiffers = new Tally(COPIED_AGAIN)
  readonly unreadable = new Tally()
  readonly extra = new Tally()
  readonly uploaded = new Tally()
  readonly deletedSince = new Tally()
  readonly leftOut = new Map<LeftOut, number>()
  oddities = 0
  contents: { compared: number; notComparable: number } | null = null
  headers: { sampled: number; wrong: { objects: number; examples: WrongHeader[] } } | null = null

  leaveOut(reason: LeftOut): void {
    this.leftOut.set(reason, (this.leftOut.get(reason) ?? 0) + 1)
  }

  /** `at` is when the comparison began. */
  told(source: string, at: Date): Comparison {
    const { missing, sizeDiffers, contentDiffers, unreadable } = this
    const faults = [missing, sizeDiffers, contentDiffers, unreadable]
    return {
      at: at.toISOString(),
      source,
      equal: faults.every(({ objects }) => objects === 0),
      same: { objects: this.same.objects, bytes: this.same.bytes },
      missing: missing.told(),
      sizeDiffers: sizeDiffers.told(),
      contentDiffers: contentDiffers.told(),
      unreadable: unreadable.told(),
      extra: this.extra.told(),
      uploaded: this.uploaded.told(),
      deletedSince: this.deletedSince.told(),
      leftOut: Object.fromEntries(this.leftOut),
      oddities: this.oddities,
      contents: this.contents,
      headers: this.headers,
    }
  }
}

/** Of each kind so many are looked at again, a HEAD each; the rest counts as it was seen. */
const LOOKED_AT_AGAIN = 200
const ASKED_AT_ONCE = 8

/** What seemed wrong in a comparison, and whether it still is at the end of it. */
class Recheck {
  readonly #migration: Migration
  readonly #options: CompareAt
  readonly #verdicts: Verdicts
  readonly #missing: string[] = []
  readonly #sizes: string[] = []
  readonly #contents: string[] = []
  readonly #extra: string[] = []
  readonly #unreadable: string[] = []
  #refused: ReadonlySet<string> = new Set()
  #unnamed: ReadonlySet<string> = new Set()

  constructor(migration: Migration, options: CompareAt, verdicts: Verdicts) {
    this.#migration = migration
    this.#options = options
    this.#verdicts = verdicts
  }

  /** Takes up what the last copy was not given. */
  async begin(): Promise<void> {
    const { failed = [] } = (await this.#migration.checkpoint.read()) ?? {}
    const refused = failed.filter(({ reason }) => isUnreadable(reason))
    this.#refused = new Set(refused.map(({ key }) => key))
    const unnamed = failed.filter(({ reason }) => reason === NAME_REFUSED)
    this.#unnamed = new Set(unnamed.map(({ key }) => key))
  }

  missing({ key, size }: MediaFile): void {
    // Of any number of them: those that a copy has asked for.
    if (this.#unnamed.has(key)) this.#verdicts.leaveOut('name')
    else if (this.#refused.has(key)) this.#verdicts.unreadable.add(key, size)
    else keepOrCount(this.#missing, this.#verdicts.missing, key, size)
  }

  sizeDiffers({ key, size }: MediaFile): void {
    keepOrCount(this.#sizes, this.#verdicts.sizeDiffers, key, size)
  }

  contentDiffers({ key, size }: MediaFile): void {
    keepOrCount(this.#contents, this.#verdicts.contentDiffers, key, size)
  }

  extra(key: string, size: number): void {
    keepOrCount(this.#extra, this.#verdicts.extra, key, size)
  }

  /** A folder or a file of the source; no fault where a copy leaves it out. */
  unreadable(path: string): void {
    if (isFolderLeftOut(path, this.#migration.selection)) return
    keepOrCount(this.#unreadable, this.#verdicts.unreadable, path, 0)
  }

  async end(): Promise<void> {
    for (const path of this.#unreadable) await this.#lookUnreadable(path)
    const asking = fewAtOnce(ASKED_AT_ONCE)
    for (const key of [this.#missing, this.#sizes, this.#contents, this.#extra].flat()) {
      await asking.begin(() => this.#look(key))
    }
    await asking.end()
  }

  async #lookUnreadable(path: string): Promise<void> {
    const { source, selection } = this.#migration
    const file = path.endsWith('/') ? undefined : await source.find(path).catch(unlessCancelled)
    const reason = file && leftOut(file, selection, this.#options)
    if (reason) this.#verdicts.leaveOut(reason)
    else this.#verdicts.unreadable.add(path, 0)
  }

  async #look(key: string): Promise<void> {
    const { source, selection } = this.#migration
    const [file, object] = await Promise.all([source.find(key), this.#migration.bucket().head(key)])
    const { missing, sizeDiffers, contentDiffers, unreadable, extra, same, contents } =
      this.#verdicts
    if (!file) {
      if (object && this.#extra.includes(key)) extra.add(key, object.size)
      return
    }
    const reason = leftOut(file, selection, this.#options)
    if (reason) return this.#verdicts.leaveOut(reason)
    if (!object || file.size !== object.size) {
      // Copying again brings nothing that the source does not give out.
      if ((await source.whyUnreadable?.(key)) !== undefined) return unreadable.add(key, file.size)
      return (object ? sizeDiffers : missing).add(key, file.size)
    }
    if (!this.#options.checksum) return same.add(key, file.size)
    const told = await sameContent(file, object, this.#options.content)
    if (told === 'gone') return
    if (told === 'differs') return contentDiffers.add(key, file.size)
    if (told === 'unreadable') return unreadable.add(key, file.size)
    if (told === 'unknown' && contents) contents.notComparable += 1
    same.add(key, file.size)
  }
}

function unlessCancelled(error: unknown): undefined {
  if (error instanceof Cancelled) throw error
}

function keepOrCount(list: string[], tally: Tally, key: string, size: number): void {
  if (list.length < LOOKED_AT_AGAIN) list.push(kept(key))
  else tally.add(key, size)
}

export interface CompareOptions {
  /** See leftOut: how the files of this source are usually readable. */
  readonly usualModes: 'open' | 'closed'
  /** Contents too: of files the MD5, which reads all of them; of objects the ETags. */
  readonly checksum?: boolean
  /** Asks for the headers of a sample: at most 50 HEAD requests. */
  readonly expected?: ExpectedHeaders
  /** How the content of a file is read; where there is none, ETags are compared. */
  readonly content?: ContentReader
}

/** `now`: milliseconds since the epoch, when the comparison began. */
export type CompareAt = CompareOptions & { readonly now: number }

/** What stands behind such a link is compared; the others are no media. */
const harmless: readonly Oddity['kind'][] = ['outside-link', 'hidden', 'vanished']

/** Contents that are read at the same time. */
const READ_AT_ONCE = 4

/**
 * Source and bucket side by side, in one pass: one LIST request per 1,000 objects, and no more when
 * both are equal. What differs is looked at once more at the end, as both sides may change meanwhile;
 * that costs a HEAD for each of the first few. Throws Cancelled, and the Problems of both sides.
 */
export async function compareSides(
  migration: Migration,
  options: CompareOptions,
  now: Date,
): Promise<Comparison> {
  const verdicts = new Verdicts()
  const pass = new Pass(migration, { ...options, now: now.getTime() }, verdicts)
  await pass.run()
  return verdicts.told(migration.source.name, now)
}

class Pass {
  readonly #migration: Migration
  readonly #options: CompareAt
  readonly #verdicts: Verdicts
  readonly #recheck: Recheck
  readonly #reading: FewAtOnce = fewAtOnce(READ_AT_ONCE)
  readonly #sample = new HeaderSample()
  readonly #unread = new Unread()
  #seen = 0

  constructor(migration: Migration, options: CompareAt, verdicts: Verdicts) {
    this.#migration = migration
    this.#options = options
    this.#verdicts = verdicts
    this.#recheck = new Recheck(migration, options, verdicts)
    if (options.checksum) verdicts.contents = { compared: 0, notComparable: 0 }
  }

  async run(): Promise<void> {
    const { source, signal, checkpoint } = this.#migration
    const bucket = this.#migration.bucket()
    const provenUntil = await this.#provenUntil()
    // Notes of a switch tell better, see provenUntil.
    const known = await checkpoint.read()
    const removed =
      known?.switchedAt !== undefined ? undefined : await removedSince(this.#migration)
    await this.#recheck.begin()
    const strangers = new RecordedKeys<number>(checkpoint, (key, size, ours) => {
      if (ours) this.#recheck.extra(key, size)
      else this.#verdicts.uploaded.add(key, size)
    })
    const deleted = new RecordedKeys<MediaFile>(checkpoint, (key, file, ours) => {
      if (ours) this.#verdicts.deletedSince.add(key, file.size)
      else this.#recheck.missing(file)
    })
    const files = source.files({ signal, onOddity: (oddity) => this.#note(oddity) })
    const sides = sideBySide(files, bucket, signal)
    let isAny = false
    for await (const pairs of merge(sides.files, sides.objects)) {
      for (const { file, object } of pairs) {
        isAny ||= file !== undefined
        if (!file) {
          const { key, size } = object
          if (!this.#unread.covers(key) && !isProbe(key)) strangers.add(key, size)
        } else if (this.#isLeftOut(file)) continue
        else if (object) await this.#both(file, object)
        else if (file.changedAt < provenUntil) deleted.add(file.key, file)
        else if (removed?.(file)) this.#verdicts.deletedSince.add(file.key, file.size)
        else this.#recheck.missing(file)
      }
      for (const keys of [strangers, deleted]) if (keys.full) await keys.ask()
      this.#tell(pairs.length)
    }
    const empty = known && !isAny && this.#unread.first === undefined && sourceEmpty(source, known)
    if (empty) throw empty
    for (const keys of [strangers, deleted]) await keys.ask()
    await this.#reading.end()
    await this.#recheck.end()
    if (this.#options.expected) {
      const keys = this.#sample.keys()
      this.#verdicts.headers = await lookAtHeaders(bucket, keys, this.#options.expected)
    }
  }

  /**
   * After the switch Mastodon deletes in the bucket and leaves the files alone: what was there when
   * both sides were equal, and is gone, was deleted. Milliseconds; -Infinity before that.
   */
  async #provenUntil(): Promise<number> {
    const { switchedAt, equalAt } = (await this.#migration.checkpoint.read()) ?? {}
    return switchedAt === undefined || equalAt === undefined ? -Infinity : Date.parse(equalAt)
  }

  #isLeftOut(file: MediaFile): boolean {
    const reason = leftOut(file, this.#migration.selection, this.#options)
    if (reason) this.#verdicts.leaveOut(reason)
    return reason !== undefined
  }

  /** A promise only where a content has to be read: a million of them would take their time. */
  #both(file: MediaFile, object: ListedObject): Promise<void> | undefined {
    if (this.#options.expected) this.#sample.offer(object.key)
    if (file.size !== object.size) this.#recheck.sizeDiffers(file)
    else if (this.#options.checksum) return this.#reading.begin(() => this.#contents(file, object))
    else this.#verdicts.same.add(file.key, file.size)
    return undefined
  }

  async #contents(file: MediaFile, object: ListedObject): Promise<void> {
    const told = await sameContent(file, object, this.#options.content)
    if (told === 'same') this.#verdicts.same.add(file.key, file.size)
    else if (told === 'differs' || told === 'gone') this.#recheck.contentDiffers(file)
    else if (told === 'unreadable') this.#verdicts.unreadable.add(file.key, file.size)
    const { contents } = this.#verdicts
    if (contents && (told === 'same' || told === 'differs')) contents.compared += 1
    if (contents && told === 'unknown') {
      contents.notComparable += 1
      this.#verdicts.same.add(file.key, file.size)
    }
  }

  #note(oddity: Oddity): void {
    const { kind, path } = oddity
    this.#unread.note(oddity)
    if (kind === 'unreadable') this.#recheck.unreadable(path)
    else if (!harmless.includes(kind)) this.#verdicts.oddities += 1
  }

  #tell(files: number): void {
    this.#seen += files
    this.#migration.tell(`Comparing: ${counted(this.#seen, 'file')} so far`)
  }
}

/** Keys that are asked for at once: each time the whole record is read. */
const KEYS_AT_ONCE = 50_000

type Told<Item> = (key: string, item: Item, recorded: boolean) => void

/** Tells of keys, many at a time, whether this migration put them into the bucket. */
export class RecordedKeys<Item> {
  readonly #checkpoint: CheckpointPort
  readonly #tell: Told<Item>
  readonly #waiting = new Map<string, Item>()

  constructor(checkpoint: CheckpointPort, tell: Told<Item>) {
    this.#checkpoint = checkpoint
    this.#tell = tell
  }

  add(key: string, item: Item): void {
    this.#waiting.set(kept(key), item)
  }

  get full(): boolean {
    return this.#waiting.size >= KEYS_AT_ONCE
  }

  /** Tells of all that were added. Throws what the checkpoint throws. */
  async ask(): Promise<void> {
    if (this.#waiting.size === 0) return
    const recorded = await this.#checkpoint.recorded(new Set(this.#waiting.keys()))
    for (const [key, item] of this.#waiting) this.#tell(key, item, recorded.has(key))
    this.#waiting.clear()
  }
}
