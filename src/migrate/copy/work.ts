import { Cancelled } from '../../core/problem.ts'
import { merge, readAhead } from '../../core/streams.ts'
import { sideBySide } from '../../moving/side-by-side.ts'
import type { Clock } from '../../plan/step.ts'
import type { Checkpoint, KnownVersions, StoredVersion } from '../../services/checkpoint/port.ts'
import type { MediaFile, Oddity } from '../../services/media/port.ts'
import type { ListedObject } from '../../services/s3/port.ts'
import {
  CLOCK_MARGIN_MS,
  isFolderLeftOut,
  leftOut,
  type Migration,
  usualModes,
} from '../migration.ts'
import { RemovedFiles, type RemovedSince, removedSince } from '../removed-since.ts'
import { sourceEmpty } from '../source-empty.ts'
import { Batching } from './batching.ts'
import type { WantedFile } from './touched.ts'

type Lists<Item> = AsyncIterable<readonly Item[]>

/** What earlier runs are known to have copied. */
export interface Known {
  /** Files that came to the source after this moment are looked at closely; milliseconds. */
  readonly since: number
  /** Versions that are in the bucket. */
  readonly versions: KnownVersions
  /** Keys that an earlier run left. */
  readonly failed: ReadonlySet<string>
}

/** Tells of each file that comes by. */
async function* seen<File>(
  files: Lists<File>,
  see: (file: File) => void,
): AsyncGenerator<readonly File[]> {
  for await (const list of files) {
    list.forEach(see)
    yield list
  }
}

/** The files that are wanted, the order kept. */
async function* only(
  files: Lists<MediaFile>,
  isWanted: (file: MediaFile) => boolean,
): AsyncGenerator<readonly MediaFile[]> {
  for await (const list of files) yield list.filter(isWanted)
}

/**
 * A first copy, or one that is gone on with: what the bucket lacks, what has another size there, and
 * what changed since an earlier run began and may have been copied before that.
 */
export async function* missing(
  files: Lists<MediaFile>,
  objects: Lists<ListedObject>,
  known: Known,
  isRemoved: RemovedSince = () => false,
): AsyncGenerator<readonly WantedFile[]> {
  for await (const pairs of merge(files, objects)) {
    yield pairs.flatMap(({ file, object }): WantedFile[] => {
      if (!file) return []
      if (!object && isRemoved(file)) return []
      if (!object || object.size !== file.size || known.failed.has(file.key)) return [file]
      const isOlder = file.changedAt < object.lastModified - CLOCK_MARGIN_MS
      if (isOlder || !isNew(file, known)) return []
      return [isWrittenBefore(file, known) ? { ...file, stored: object } : file]
    })
  }
}

/** After a complete copy: what is new since, and what was left. Asks nothing of the bucket. */
export async function* changed(
  files: Lists<MediaFile>,
  known: Known,
): AsyncGenerator<readonly WantedFile[]> {
  for await (const list of files) {
    yield list.flatMap((file): WantedFile[] => {
      if (known.failed.has(file.key)) return [file]
      if (!isNew(file, known)) return []
      return [isWrittenBefore(file, known) ? { ...file, stored: 'unlisted' } : file]
    })
  }
}

function isNew({ key, changedAt }: StoredVersion, { since, versions }: Known): boolean {
  return changedAt > since - CLOCK_MARGIN_MS && versions.get(key) !== changedAt
}

/** Its content is older than what came since: it may be in the bucket. */
function isWrittenBefore({ writtenAt }: MediaFile, { since }: Known): boolean {
  return writtenAt !== undefined && writtenAt < since - CLOCK_MARGIN_MS
}

/** Throws what `ifNone` gives where there was none. */
async function* some<File>(
  files: Lists<File>,
  ifNone: () => Error | undefined,
): AsyncGenerator<readonly File[]> {
  let isAny = false
  for await (const list of files) {
    isAny ||= list.length > 0
    yield list
  }
  const error = isAny ? undefined : ifNone()
  if (error) throw error
}

/** Which files are copied; counts those that are left out, of what is walked through. */
export interface Choice {
  isWanted(file: MediaFile): boolean
  readonly leftOut: number
}

/** Reads as much of the source as it takes to know how its files are usually readable. */
async function chooseFiles(
  { selection, source, signal }: Migration,
  clock: Pick<Clock, 'now'>,
): Promise<Choice> {
  const now = clock.now().getTime()
  const modes = selection.withSuspended ? 'open' : await usualModes(source, signal)
  let count = 0
  return {
    isWanted(file) {
      const isLeft = leftOut(file, selection, { usualModes: modes, now }) !== undefined
      if (isLeft) count += 1
      return !isLeft
    },
    get leftOut() {
      return count
    },
  }
}

/** What need not be walked through, as nothing of it is copied. */
export function skipped({ selection }: Migration): readonly string[] {
  return selection.onlyLocal ? ['cache/', ...selection.skip] : selection.skip
}

/** The rules of a run as the checkpoint keeps them: other rules are a new first copy. */
export function rulesOf({ selection }: Migration): string {
  const { onlyLocal, skip, withPrivate, withSuspended } = selection
  return JSON.stringify({ onlyLocal, skip: [...skip].sort(), withPrivate, withSuspended })
}

/** A folder or a file of the source that could not be read. */
export interface Unread {
  /** Below the root. */
  readonly path: string
  readonly reason: string
  /** What it is, when it is a file. */
  readonly file: MediaFile | undefined
}

/** Collects from a walk what could not be read, and asks later which of it matters. */
export class UnreadPlaces {
  readonly #seen = new Map<string, string>()
  readonly #leftOut: (note: string) => void
  #unnamed = 0

  /** `leftOut`: told of another user's files outside, and of names that no key can be, a sentence each. */
  constructor(leftOut: (note: string) => void = () => undefined) {
    this.#leftOut = leftOut
  }

  get isAny(): boolean {
    return this.#seen.size > 0
  }

  /** Files and folders whose names are not UTF-8. */
  get unnamed(): number {
    return this.#unnamed
  }

  readonly note = ({ kind, path, note }: Oddity): void => {
    if (kind === 'name-not-utf8') this.#unnamed += 1
    if (kind === 'name-not-utf8' || kind === 'foreign') this.#leftOut(note)
    if (kind === 'unreadable') this.#seen.set(path, reasonOf(note, path))
  }

  /** Without what is left out anyway, such as closed media of suspended users. */
  async wanted(
    { source, selection }: Pick<Migration, 'source' | 'selection'>,
    choice: Pick<Choice, 'isWanted'>,
  ): Promise<Unread[]> {
    const wanted: Unread[] = []
    for (const [path, reason] of this.#seen) {
      if (isFolderLeftOut(path, selection)) continue
      const file = path.endsWith('/') ? undefined : await find(source, path)
      if (!file || choice.isWanted(file)) wanted.push({ path, reason, file })
    }
    return wanted
  }
}

/** What is said of a path, without the path. */
function reasonOf(note: string, path: string): string {
  return (note.startsWith(`${path} `) ? note.slice(path.length + 1) : note).replace(/\.$/, '')
}

async function find(source: Migration['source'], path: string): Promise<MediaFile | undefined> {
  try {
    return await source.find(path)
  } catch (error) {
    if (error instanceof Cancelled) throw error
    return undefined
  }
}

/** `first`: the bucket is listed. `delta`: only what is new since a complete copy. */
export type CopyKind = 'first' | 'delta'

export function copyKind(checkpoint: Checkpoint | undefined, rules: string): CopyKind {
  if (checkpoint?.completeSince === undefined) return 'first'
  return checkpoint.selection === rules ? 'delta' : 'first'
}

export interface Work {
  readonly kind: CopyKind
  readonly read: Pick<Checkpoint, 'copied'>
  readonly known: Known
  readonly choice: Choice
  readonly unread: UnreadPlaces
  readonly signal: AbortSignal
  readonly isRemoved?: RemovedSince
}

/** Files that are found while the bucket's list is waited for. */
const READ_AHEAD = 10_000

/** The lists of files to copy, as they are found. */
function workOf(
  migration: Migration,
  { kind, read, known, choice, unread, signal, isRemoved }: Work,
): AsyncIterable<readonly WantedFile[]> {
  const { source, bucket } = migration
  const newestFirst = kind === 'delta'
  const skip = skipped(migration)
  const all = source.files({
    signal,
    skip,
    onOddity: unread.note,
    newestFirst,
  })
  const isEmpty = () => (skip.length > 0 || unread.isAny ? undefined : sourceEmpty(source, read))
  const files = some(all, isEmpty)
  const wanted = only(files, choice.isWanted)
  if (kind === 'delta') return changed(wanted, known)
  const sides = sideBySide(readAhead(wanted, READ_AHEAD), bucket(), signal)
  return missing(sides.files, sides.objects, known, isRemoved)
}

/** Known of earlier runs, as the kind of this one needs it. */
async function knownBy(
  { checkpoint }: Migration,
  { completeSince, begunAt, failed }: Checkpoint,
  kind: CopyKind,
): Promise<Known> {
  const from = kind === 'delta' ? completeSince : earliest(begunAt, completeSince)
  const since = from === undefined ? Number.POSITIVE_INFINITY : Date.parse(from)
  const versions =
    from === undefined ? new Map() : await checkpoint.versions(since - CLOCK_MARGIN_MS)
  return { since, versions, failed: new Set(failed.map(({ key }) => key)) }
}

/** The earliest moment at which something may have been copied that changed since; RFC 3339. */
export function earliest(...times: readonly (string | undefined)[]): string | undefined {
  return times.filter((time) => time !== undefined).sort()[0]
}

/** What is to be copied, and what is known of the rest once all of it was gone through. */
export interface CopyList {
  readonly files: Batching<WantedFile>
  unread(): Promise<readonly Unread[]>
  leftOut(): number
  /** Of what was found so far: the files whose content may be in the bucket already. */
  touched(): number
}

export interface CopyListOptions {
  readonly read: Checkpoint
  readonly kind: CopyKind
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  readonly signal: AbortSignal
}

/** What was told of each migration; a cut-over walks through the source several times. */
const toldOf = new WeakMap<Migration['source'], Set<string>>()
const MOST_TOLD = 20

function tellOnce({ source, say }: Migration, note: string): void {
  const told = toldOf.get(source) ?? new Set()
  toldOf.set(source, told)
  if (told.has(note) || told.size > MOST_TOLD) return
  told.add(note)
  if (told.size <= MOST_TOLD) say(`Not copied: ${note}`)
  else say('More such files are not copied; survey counts them.')
}

/** Reading has begun when it resolves. */
export async function openCopyList(
  migration: Migration,
  { read, kind, clock, signal }: CopyListOptions,
): Promise<CopyList> {
  const known = await knownBy(migration, read, kind)
  const choice = await chooseFiles(migration, clock)
  const places = new UnreadPlaces((note) => tellOnce(migration, note))
  const removed = new RemovedFiles(kind === 'first' ? await removedSince(migration) : undefined)
  const { isRemoved } = removed
  const work = workOf(migration, { kind, read, known, choice, unread: places, signal, isRemoved })
  let touched = 0
  const files = seen(work, (file) => {
    if (file.stored !== undefined) touched += 1
  })
  return {
    files: new Batching(files, { clock, signal }),
    touched: () => touched,
    async unread() {
      removed.tell(migration)
      return places.wanted(migration, choice)
    },
    leftOut: () => choice.leftOut + places.unnamed,
  }
}
