import { Cancelled } from '../../core/problem.ts'
import { compareKeys, type FewAtOnce, fewAtOnce } from '../../core/streams.ts'
import { sameContent } from '../../moving/content.ts'
import type { MediaFile } from '../../services/media/port.ts'
import type { ListedObject, S3Port } from '../../services/s3/port.ts'
import type { Migration } from '../migration.ts'
import type { CopyTally } from './tally.ts'

/** A file to copy, and what may have its content already. */
export interface WantedFile extends MediaFile {
  /** The object of its name; `unlisted`: the bucket was not asked for it. */
  readonly stored?: ListedObject | 'unlisted'
}

interface StoredFile extends MediaFile {
  readonly stored: ListedObject | 'unlisted'
}

/** Fewer are sent sooner than they are looked for. */
export const WORTH_LISTING = 100
/** A page has the price of an upload (Class A): after so many it has to have found this many files each. */
const TRIED_PAGES = 5
const WORTH_A_PAGE = 20
const READ_AT_ONCE = 16

/**
 * The files of a batch that have to be sent. `chown -R` and the like make every file new (its ctime): of
 * those that were written long ago, contents are held against the bucket's ETags, for one LIST per 1,000
 * objects. What is the same is told to the tally. In doubt a file is sent. Rejects with Cancelled, and
 * with the Problems of the bucket's list.
 */
export async function withoutSame(
  { source, bucket }: Pick<Migration, 'source' | 'bucket'>,
  batch: readonly WantedFile[],
  tally: Pick<CopyTally, 'unchanged'>,
  signal: AbortSignal,
): Promise<readonly MediaFile[]> {
  const content = source.content?.bind(source)
  const asked = batch.filter(isStored)
  if (content === undefined || asked.length === 0) return batch
  const same = new Set<string>()
  const reading = fewAtOnce(READ_AT_ONCE)
  const hold: Hold = (file, object) =>
    reading.begin(async () => {
      if (signal.aborted) throw new Cancelled()
      const told = await sameContent(file, object, content).catch(() => 'unknown')
      if (told !== 'same') return
      same.add(file.key)
      tally.unchanged(file)
    })
  try {
    const unlisted: MediaFile[] = []
    for (const file of asked) {
      if (file.stored === 'unlisted') unlisted.push(file)
      else await holdEqual(file, file.stored, hold)
    }
    if (unlisted.length >= WORTH_LISTING) await list(bucket(), unlisted, hold, signal)
  } finally {
    await ended(reading)
  }
  await reading.end()
  return batch.filter(({ key }) => !same.has(key))
}

function isStored(file: WantedFile): file is StoredFile {
  return file.stored !== undefined
}

type Hold = (file: MediaFile, object: ListedObject) => Promise<void>

async function holdEqual(file: MediaFile, object: ListedObject, hold: Hold): Promise<void> {
  if (object.size === file.size) await hold(file, object)
}

/** Nothing is under way any more, whether it failed or not. */
async function ended(reading: FewAtOnce): Promise<void> {
  await reading.end().catch(() => undefined)
}

/** Pages of the bucket where the files are, each asked for while the one before is worked on. */
async function list(
  bucket: Pick<S3Port, 'pageAfter'>,
  unsorted: readonly MediaFile[],
  hold: Hold,
  signal: AbortSignal,
): Promise<void> {
  const files = unsorted.toSorted((a, b) => compareKeys(a.key, b.key))
  const ask = (after: string) => {
    const page = bucket.pageAfter(after === '' ? undefined : after, signal)
    page.catch(() => undefined)
    return page
  }
  let at = 0
  let after = justBefore(files[0])
  let asked = ask(after)
  for (let pages = 1; ; pages += 1) {
    const { objects, isLast } = await asked
    const found: [MediaFile, ListedObject][] = []
    for (const object of objects) {
      let file = files[at]
      while (file && compareKeys(file.key, object.key) < 0) {
        at += 1
        file = files[at]
      }
      if (file?.key === object.key) found.push([file, object])
      after = object.key
    }
    const isPoor = pages >= TRIED_PAGES && at < pages * WORTH_A_PAGE
    const isOver = isLast || objects.length === 0 || at >= files.length - 1 || isPoor
    const next = justBefore(files[at])
    if (compareKeys(next, after) > 0) after = next
    if (!isOver) asked = ask(after)
    for (const [file, object] of found) await holdEqual(file, object, hold)
    if (isOver) return
  }
}

/** A place in the list in front of this key; other keys may lie between. */
function justBefore(file: MediaFile | undefined): string {
  return file?.key.slice(0, -1) ?? ''
}
