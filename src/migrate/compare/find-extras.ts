import { fewAtOnce } from '../../core/few-at-once.ts'
import { merge } from '../../core/merge.ts'
import type { Migration } from '../migration.ts'
import { kept } from '../survey/tally.ts'
import { RecordedKeys } from './recorded-keys.ts'
import { Unread } from './unread.ts'

/** Keys that are held at a time; the rest is left for another run. */
const HELD = 100_000
const FOLDERS = 1000
const ASKED_AT_ONCE = 16

/** What this migration put into the bucket and is gone at the source, and how far that is believable. */
export interface Extras {
  /** The first 100,000. */
  readonly keys: readonly string[]
  readonly objects: number
  readonly bytes: number
  /** Files at the source, and how many of them are in the bucket. */
  readonly files: number
  readonly inBoth: number
  /** By the first part of the key: extras, and files at the source. */
  readonly folders: ReadonlyMap<string, { readonly extras: number; readonly files: number }>
  /** A part of the source that could not be read. */
  readonly unread: string | undefined
}

/** One pass over both sides; a LIST request per 1,000 objects. Throws the Problems of both. */
export async function findExtras({
  source,
  bucket,
  checkpoint,
  signal,
}: Migration): Promise<Extras> {
  const unread = new Unread()
  const keys: string[] = []
  const folders = new Map<string, { extras: number; files: number }>()
  const folderOf = (key: string) => {
    const name = kept(key.slice(0, Math.max(key.indexOf('/'), 0)))
    const known = folders.get(name) ?? { extras: 0, files: 0 }
    if (folders.size < FOLDERS) folders.set(name, known)
    return known
  }
  let [objects, bytes, files, inBoth] = [0, 0, 0, 0]
  const strangers = new RecordedKeys<number>(checkpoint, (key, size, ours) => {
    if (!ours) return
    objects += 1
    bytes += size
    folderOf(key).extras += 1
    if (keys.length < HELD) keys.push(key)
  })
  const read = source.files({ signal, onOddity: (oddity) => unread.note(oddity) })
  for await (const pairs of merge(read, bucket().pages('', signal))) {
    for (const { file, object } of pairs) {
      if (file) {
        files += 1
        if (object) inBoth += 1
        folderOf(file.key).files += 1
      } else strangers.add(object.key, object.size)
    }
    if (strangers.full) await strangers.ask()
  }
  await strangers.ask()
  return { keys, objects, bytes, files, inBoth, folders, unread: unread.first }
}

/** Those that the source does not have at this moment. */
export async function stillGone(
  { source }: Pick<Migration, 'source'>,
  keys: readonly string[],
): Promise<string[]> {
  const there = new Set<string>()
  const asking = fewAtOnce(ASKED_AT_ONCE)
  for (const key of keys) {
    await asking.begin(async () => {
      if (await source.find(key)) there.add(key)
    })
  }
  await asking.end()
  return keys.filter((key) => !there.has(key))
}
