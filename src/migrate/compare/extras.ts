import { bytesOf, count, counted } from '../../core/amounts.ts'
import { DAY_MS } from '../../core/clock.ts'
import { Cancelled, Problem } from '../../core/problem.ts'
import { fewAtOnce, merge } from '../../core/streams.ts'
import { sideBySide } from '../../moving/side-by-side.ts'
import { kept } from '../../moving/tally.ts'
import { Unread } from '../../moving/unread.ts'
import type { Finding, Step } from '../../plan/step.ts'
import type { Migration } from '../migration.ts'
import { RecordedKeys } from './sides.ts'

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
async function findExtras({ source, bucket, checkpoint, signal }: Migration): Promise<Extras> {
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
  const sides = sideBySide(read, bucket(), signal)
  for await (const pairs of merge(sides.files, sides.objects)) {
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
async function stillGone(
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

/** So few are believed to have been deleted, whatever share of the whole they are. */
const FEW = 20
/** So long after the switch the local files still tell what Mastodon had deleted before it. */
const TRUSTED_DAYS = 7

/**
 * Why what is gone at the source is not removed from the bucket; undefined when it may be. A disk that
 * isn't mounted, or local files that were removed after the switch, look just like deleted media.
 */
function notBelievable(
  extras: Extras,
  { switchedAt, now }: { readonly switchedAt: string | undefined; readonly now: Date },
): Problem | undefined {
  const { objects, files, inBoth, folders, unread } = extras
  if (objects === 0) return undefined
  const what = `Nothing is removed from the bucket: ${counted(objects, 'object')} would be, and that is doubtful.`
  const refused = (why: string, next: string) =>
    new Problem({ code: 'extras-doubtful', what, why, next })
  const mounted = 'Check that all disks are mounted and that nothing was moved, and run this again.'
  if (unread !== undefined) {
    return refused(
      `The source could not be read at ${unread === '' ? 'its root' : unread}.`,
      mounted,
    )
  }
  if (files === 0) return refused('The source holds no file at all.', mounted)
  const days = switchedAt === undefined ? 0 : (now.getTime() - Date.parse(switchedAt)) / DAY_MS
  if (days > TRUSTED_DAYS) {
    return refused(
      `Mastodon was switched to R2 more than ${TRUSTED_DAYS} days ago and deletes in the bucket itself since then; what is gone at the old place may have been removed there by hand.`,
      'Leave them. They cost little: a GB is about 1.5 cents a month.',
    )
  }
  for (const [name, folder] of folders) {
    if (folder.files > 0 || folder.extras <= FEW) continue
    return refused(
      `All of ${name}/ is gone at the source (${counted(folder.extras, 'object')}).`,
      mounted,
    )
  }
  if (objects > FEW && objects > inBoth) {
    return refused('More is gone at the source than is left there.', mounted)
  }
  return undefined
}

/** R2's limit for one DeleteObjects request. */
const DELETED_AT_ONCE = 1000

/**
 * Removes from the bucket what this migration put there and Mastodon deleted at the source meanwhile.
 * Only for runs with the flag of its own. What others put there, and the source, are never touched.
 */
export function removeExtras(migration: Migration): Step<'clock'> {
  let found: Extras | undefined
  let hasRemoved = false
  return {
    id: 'remove-extras',
    title: 'Media deleted meanwhile',

    async look({ clock }) {
      found = await findExtras(migration)
      const checkpoint = await migration.checkpoint.read()
      const { switchedAt } = checkpoint ?? {}
      const problem = notBelievable(found, { switchedAt, now: clock.now() })
      if (problem) return { is: 'blocked', problem }
      return hasRemoved && found.objects > 0 ? moreOf(migration, found) : findingOf(found)
    },

    async change() {
      const keys = found?.keys ?? []
      let removed = 0
      for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) {
        if (migration.signal.aborted) throw new Cancelled()
        const gone = await stillGone(migration, keys.slice(at, at + DELETED_AT_ONCE))
        if (gone.length > 0) await migration.bucket().deleteMany(gone)
        removed += gone.length
        migration.tell(`Removed ${count(removed)} of ${count(keys.length)}`)
      }
      hasRemoved = true
      return {}
    },
  }
}

function findingOf({ objects, bytes }: Extras): Finding {
  if (objects === 0) {
    return { is: 'ready', note: 'nothing in the bucket that is gone at the source' }
  }
  const them = objects === 1 ? 'an object' : counted(objects, 'object')
  const what = `remove ${them} (${bytesOf(bytes)}) from the bucket that this migration put there and that ${objects === 1 ? 'is' : 'are'} gone at the source`
  return { is: 'change', changes: [{ what, risk: 'destructive', goes: true }] }
}

function moreOf({ lineFor }: Migration, { objects }: Extras): Finding {
  return {
    is: 'later',
    note: `${counted(objects, 'object')} more to remove`,
    next: lineFor('compare', { removeExtras: true }),
  }
}
