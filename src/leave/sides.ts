import { count, counted } from '../core/amounts.ts'
import { Cancelled } from '../core/problem.ts'
import { fewAtOnce, merge } from '../core/streams.ts'
import { type ContentVerdict, sameContent } from '../moving/content.ts'
import { sideBySide } from '../moving/side-by-side.ts'
import { Tally } from '../moving/tally.ts'
import { Unread } from '../moving/unread.ts'
import type { MediaFile, Oddity } from '../services/media/port.ts'
import type { ListedObject } from '../services/s3/port.ts'
import { isFolder } from '../setup/old-provider.ts'
import { isProbe } from '../setup/proof.ts'
import { Etags } from './etags.ts'
import type { Leaving } from './leaving.ts'

/** Contents that are read at the same time. */
const READ_AT_ONCE = 4
/** Milliseconds that the clocks of two providers may be apart, as far as S3 signatures let them. */
const CLOCK_MARGIN_MS = 900_000
/** The same where both clocks were asked; S3 tells its own to the second. */
const ASKED_MARGIN_MS = 2_000

/** Bucket and destination, as one pass over both has found them. */
export interface Sides {
  readonly same: Tally
  /** Of these the sizes alone: ETags that tell nothing of the content. */
  readonly sizesOnly: Tally
  /** In the bucket, and not at the destination. */
  readonly missing: Tally
  /** Something else at the destination, and what R2 has is what Mastodon stored last. */
  readonly renewed: Tally
  /** Something else there, which Mastodon has stored since it uses the destination. */
  readonly own: Tally
  /** On both, and not the same, whatever the reason. */
  readonly differs: Tally
  /** There, and the content could not be read. */
  readonly unreadable: Tally
  /** Older than the move to R2, or deleted in the bucket since: at the destination only. */
  readonly onlyThere: Tally
  /** Missing, and known to have been brought: Mastodon has removed it since. */
  readonly removed: Tally
  /** Folders or files of the disk that could not be read. */
  readonly unread: Tally
  /** Empty objects of the bucket that stand for a folder: no media, and left out. */
  readonly folders: Tally
}

/** What a copy has to bring. */
export interface Wanted {
  readonly object: ListedObject
  /** `changedAt` of the file there that gives way to it. */
  readonly replaces: number | undefined
}

export interface Looking {
  readonly checksum?: boolean
  /** Told of what is to be brought, in the order of the keys; waited for. */
  onWanted?(wanted: readonly Wanted[]): Promise<void>
}

/**
 * One LIST request per 1,000 objects, and one walk through the folder or a listing of the other bucket.
 * What is stored meanwhile may or may not be seen. Throws Cancelled, and the Problems of both sides.
 */
export async function lookAtSides(at: Leaving, looking: Looking = {}): Promise<Sides> {
  const pass = new Pass(at, looking)
  await pass.run()
  return pass.sides
}

class Pass {
  readonly sides: Sides = {
    same: new Tally(),
    sizesOnly: new Tally(),
    missing: new Tally(),
    renewed: new Tally(),
    own: new Tally(),
    differs: new Tally(),
    unreadable: new Tally(),
    onlyThere: new Tally(),
    removed: new Tally(),
    unread: new Tally(),
    folders: new Tally(),
  }
  readonly #at: Leaving
  readonly #looking: Looking
  readonly #etags: Etags
  readonly #unread = new Unread()
  readonly #reading = fewAtOnce(READ_AT_ONCE)
  #wanted: Wanted[] = []
  #isStale: IsStale = () => undefined

  constructor(at: Leaving, looking: Looking) {
    this.#at = at
    this.#looking = looking
    this.#etags = new Etags(at.there.source)
  }

  async run(): Promise<void> {
    const { there, signal, bucket, tell } = this.#at
    this.#isStale = await staleness(this.#at)
    const onOddity = (oddity: Oddity) => this.#note(oddity)
    const found = there.source.files({ signal, onOddity })
    const { files, objects } = sideBySide(found, bucket(), signal)
    let seen = 0
    for await (const pairs of merge(files, objects)) {
      if (signal.aborted) throw new Cancelled()
      for (const { file, object } of pairs) {
        if (isProbe((file ?? object).key)) continue
        if (object && isFolder(object)) this.sides.folders.add(object.key, 0)
        else if (!object) this.sides.onlyThere.add(file.key, file.size)
        else if (!file) this.#lacking(object)
        else if (await this.#isOther(file, object)) this.#other(file, object)
        else if (this.#looking.checksum)
          await this.#reading.begin(() => this.#contents(file, object))
        else this.sides.same.add(file.key, file.size)
      }
      const wanted = this.#wanted
      this.#wanted = []
      if (wanted.length > 0) await this.#looking.onWanted?.(wanted)
      seen += pairs.length
      const lacks = `${count(this.sides.missing.objects)} not ${there.words.on}`
      tell(`Looked at ${counted(seen, 'file')}; ${lacks}`)
    }
    await this.#reading.end()
  }

  #note(oddity: Oddity): void {
    this.#unread.note(oddity)
    if (oddity.kind === 'unreadable') this.sides.unread.add(oddity.path, 0)
  }

  #lacking(object: ListedObject): void {
    const { until = Number.NEGATIVE_INFINITY } = this.#at.complete
    const { key, size, lastModified } = object
    // Below what can't be read it may be there.
    if (lastModified < until && !this.#unread.covers(key)) this.sides.removed.add(key, size)
    else {
      this.sides.missing.add(key, size)
      this.#wanted.push({ object, replaces: undefined })
    }
  }

  /** Of another size, or stored anew since it was copied; ETags tell that where both are an MD5. */
  async #isOther(file: MediaFile, object: ListedObject): Promise<boolean> {
    if (file.size !== object.size) return true
    if (this.#looking.checksum || !isAnew(file, object)) return false
    return (await this.#etags.same(file, object)) === false
  }

  #other(file: MediaFile, object: ListedObject): void {
    const { key, size } = object
    const told = this.#isStale(file, object)
    if (told === true) {
      this.sides.renewed.add(key, size)
      this.#wanted.push({ object, replaces: file.changedAt })
    } else if (told === false) this.sides.own.add(key, file.size)
    else this.sides.differs.add(key, file.size)
  }

  async #contents(file: MediaFile, object: ListedObject): Promise<void> {
    const { key, size } = file
    const { same, sizesOnly, differs, own, unreadable } = this.sides
    const told = await this.#verdict(file, object)
    if (told === 'gone') this.#lacking(object)
    else if (told === 'unreadable') unreadable.add(key, size)
    else if (told === 'differs' && isAnew(file, object)) this.#other(file, object)
    else if (told === 'differs') (isOwn(this.#at, file) ? own : differs).add(key, size)
    else same.add(key, size)
    if (told === 'unknown') sizesOnly.add(key, size)
  }

  async #verdict(file: MediaFile, object: ListedObject): Promise<ContentVerdict> {
    const { source } = this.#at.there
    if (source.content) return sameContent(file, object, source.content.bind(source))
    const same = await this.#etags.same(file, object)
    if (same === undefined) return 'unknown'
    return same ? 'same' : 'differs'
  }
}

/** Whether R2 may have got it after the other bucket: then a copy brings it where ETags tell it apart. */
function isAnew(file: MediaFile, object: ListedObject): boolean {
  return file.etag !== undefined && object.lastModified > file.changedAt - CLOCK_MARGIN_MS
}

/**
 * Of a file that is not what R2 has under its name: true where R2 has what Mastodon stored last, false
 * where the destination has, undefined where nobody can tell.
 */
type IsStale = (file: MediaFile, object: ListedObject) => boolean | undefined

/** Mastodon stored it there itself, or it was brought after the switch. */
function isOwn({ complete }: Leaving, { changedAt }: MediaFile): boolean {
  return complete.switchedAt !== undefined && changedAt >= complete.switchedAt
}

/** A bucket stamps by a clock of its own; a backup is named by the second that it was made in. */
async function switchedAt({ there, complete }: Leaving): Promise<number | undefined> {
  const { switchedHere } = complete
  if (switchedHere === undefined) return undefined
  const theirs = there.kind === 's3' ? await there.time() : undefined
  const ahead = theirs === undefined ? 0 : theirs.getTime() - Date.now()
  return switchedHere + ahead + 1_000
}

async function staleness(at: Leaving): Promise<IsStale> {
  const { there, isSwitched, complete } = at
  complete.switchedAt ??= await switchedAt(at)
  const { begunAt = Number.POSITIVE_INFINITY } = complete
  if (complete.switchedAt !== undefined) return (file) => !isOwn(at, file)
  if (isSwitched)
    return (file, object) =>
      object.lastModified > file.changedAt + CLOCK_MARGIN_MS ? undefined : false
  if (there.kind === 's3') return () => true
  // Nobody but a copy writes to the disk, and people who put back a file by hand.
  const [ours, theirs] = await Promise.all([there.time(), at.bucket().serverTime()])
  const isAsked = ours !== undefined && theirs !== undefined
  const ahead = isAsked ? ours.getTime() - theirs.getTime() : 0
  const margin = isAsked ? ASKED_MARGIN_MS : CLOCK_MARGIN_MS
  return (file, object) =>
    object.lastModified >= begunAt || object.lastModified + ahead > file.changedAt + margin
      ? true
      : undefined
}
