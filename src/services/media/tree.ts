import { constants } from 'node:fs'
import { open } from 'node:fs/promises'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { Cancelled, codeOf, Problem } from '../../core/problem.ts'
import { actingUser, lackOfRights } from '../../core/rights.ts'
import { shellWord } from '../../core/shell-word.ts'
import { prose, toType } from '../../core/to-type.ts'
import type { MediaFile, MediaSource, Oddity, ReadOptions } from './port.ts'
import { type FileStat, type TreeFs, TreeWalk, type TreeWalkOptions, treeFs } from './walk.ts'

const BATCH = 1000
/** Bytes of a content that are read at once. */
const READ_BYTES = 262_144
/** Milliseconds of walking before Ctrl-C and the screen get their turn. */
const SLICE_MS = 8

/** A walk in batches. */
async function* inTurns(
  walk: TreeWalk,
  {
    signal,
    batch: size = BATCH,
  }: { readonly signal?: AbortSignal | undefined; readonly batch?: number } = {},
): AsyncGenerator<readonly MediaFile[]> {
  let batch: MediaFile[] = []
  for (let more = true; more; ) {
    if (signal?.aborted) throw new Cancelled()
    more = walk.fill(batch, size, performance.now() + SLICE_MS)
    if (batch.length >= size || (!more && batch.length > 0)) {
      yield batch
      batch = []
    }
    await othersTurn()
  }
}

function mediaMissing(root: string, code: string): Problem {
  const why: Record<string, string> = {
    ENOENT: 'There is nothing by that name, or it is a link that leads nowhere.',
    ENOTDIR: 'It is no folder.',
    ELOOP: 'It is a link to itself.',
  }
  return new Problem({
    code: 'media-missing',
    what: `The media folder ${root} is not there.`,
    why: why[code] ?? `The system says ${code}.`,
    next: "Name Mastodon's folder with --mastodon-dir; where its media lies elsewhere, set PAPERCLIP_ROOT_PATH in its env file.",
    exit: 2,
  })
}

/** `owner`: as whom root reads it, in words; `user`: who reads it otherwise. */
function mediaUnreadable(root: string, owner: string | undefined, user: number): Problem {
  return new Problem({
    code: 'media-unreadable',
    what: `The media folder ${root} can't be read.`,
    why:
      owner === undefined
        ? 'This user may not look into it.'
        : `It is read with the rights of its owner alone, and ${owner} may not look into it.`,
    next:
      owner === undefined && user !== 0
        ? prose`Run this as Mastodon's own user or as root, for example:\n  sudo ${toType('migrate')}`
        : owner === undefined
          ? lackOfRights(root, undefined, user)
          : `Give its owner that right (chmod u+rwx ${shellWord(root)}; the folders above it need x), then run this again.`,
  })
}

/** One sentence about what is wrong with a path; `detail`: where a link leads, or the system's code. */
function oddityNote(kind: Oddity['kind'], path: string, detail = '', who = 'this user'): string {
  switch (kind) {
    case 'loop':
      return `${path} is a link back to ${detail}, which would never end. It is not followed.`
    case 'dangling-link':
      return `${path} is a link that leads nowhere.`
    case 'outside-link':
      return `${path} is a link to ${detail}, outside of the media folder. It is followed.`
    case 'foreign': {
      const where = detail === '' ? '' : ` is a link to ${detail}, which`
      return `${path}${where} lies outside of the media folder and is another user's. It is left out.`
    }
    case 'unreadable':
      return detail === 'EACCES'
        ? `${path} may not be read by ${who}.`
        : `${path} can't be read: the system says ${detail}.`
    case 'not-a-file':
      return `${path} is neither a file nor a folder.`
    case 'name-not-utf8':
      return `${path} has a name that is not UTF-8; a key can't be made of it.`
    case 'hidden':
      return `${path} is hidden; Mastodon has no such files.`
    case 'vanished':
      return `${path} is gone.`
  }
}

/** The user who reads, as the system counts users. */
export interface Reader {
  readonly uid: number
  readonly gids: readonly number[]
}

/**
 * Whether a file can be read, without opening it. The mode bits answer for nearly every file; where
 * they say no, or the reader is unknown, the system is asked, which knows of access lists.
 */
function canRead(
  fs: Pick<TreeFs, 'canRead'>,
  reader: Reader | undefined,
): (stat: FileStat, path: string) => boolean {
  if (reader?.uid === 0) return () => true
  return (stat, path) => (stat.mode & bitFor(stat, reader)) !== 0 || fs.canRead(path)
}

function bitFor({ uid, gid }: FileStat, reader: Reader | undefined): number {
  if (reader?.uid === uid) return 0o400
  return reader?.gids.includes(gid) ? 0o040 : 0o004
}

/** Files in a batch for who needs only some. */
const FEW = 20

export interface LocalTreeOptions {
  /** Who reads; without it the system is asked about each file that not everyone may read. */
  readonly reader?: Reader
  /** The reader in words; `this user` unless told. */
  readonly who?: string
  /** The folder as the person would name it; the path unless told. */
  readonly name?: string
  readonly fs?: TreeFs
}

/**
 * Mastodon's media folder (PAPERCLIP_ROOT_PATH, by default public/system). Links are followed; what
 * is hidden is told and not given.
 */
export function localTree(
  root: string,
  { reader, who, name = root, fs = treeFs }: LocalTreeOptions = {},
): MediaSource {
  /** The path of a key, unless it leads to what is not given. */
  const pathOf = (key: string): string | undefined => {
    const path = `${root}/${key}`
    const [real, home] = [fs.realpath(path), fs.realpath(root)]
    const isOutside = !real.startsWith(`${home}/`)
    return isOutside && fs.stat(path)?.uid !== fs.owner(root) ? undefined : path
  }
  /** Only plain files: a pipe would keep whoever opens it waiting. Throws the system's error. */
  const openFile = async (key: string) => {
    const path = isBelow(key) ? pathOf(key) : undefined
    if (path === undefined) throw systemError('EACCES')
    const handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK)
    if ((await handle.stat()).isFile()) return handle
    await handle.close()
    throw systemError('ENOENT')
  }
  return {
    kind: 'local',
    name,
    async *files({ onOddity, signal, skip = [], few, newestFirst }: ReadOptions = {}) {
      const tell: TreeWalkOptions['onOddity'] = (kind, path, detail) =>
        onOddity?.({ path, kind, note: oddityNote(kind, path, detail, who) })
      try {
        const walk = new TreeWalk({
          root: fs.realpath(root),
          by: fs.keepsRoot ? root : undefined,
          owner: fs.owner(root),
          fs,
          skip,
          backwards: newestFirst,
          canRead: canRead(fs, reader),
          onOddity: tell,
        })
        yield* inTurns(walk, { signal, ...(few && { batch: FEW }) })
      } catch (error) {
        throw rootProblem(error) ?? error
      }
    },
    async find(key) {
      if (!isBelow(key)) return undefined
      const path = `${root}/${key}`
      try {
        const [stat, link] = [fs.stat(path), fs.lstat(path)]
        if (!stat?.isFile() || pathOf(key) === undefined) return undefined
        const changedAt = Math.max(stat.ctimeMs, link?.ctimeMs ?? 0)
        const { size, mtimeMs: writtenAt, mode } = stat
        return { key, size, changedAt, writtenAt, mode: mode & 0o7777 }
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return undefined
        throw fileUnreadable(`${name}/${key}`, error)
      }
    },
    async read(key) {
      const path = `${name}/${key}`
      if (!isBelow(key)) throw fileUnreadable(path, undefined)
      try {
        const handle = await openFile(key)
        return await handle.readFile().finally(() => handle.close())
      } catch (error) {
        throw fileUnreadable(path, error)
      }
    },
    async *content(key) {
      const handle = await openFile(key)
      yield* handle.createReadStream({ highWaterMark: READ_BYTES })
    },
  }

  function rootProblem(error: unknown): Problem | undefined {
    const code = codeOf(error)
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) return mediaMissing(name, code)
    return ['EACCES', 'EPERM'].includes(code)
      ? mediaUnreadable(name, who, reader?.uid ?? actingUser())
      : undefined
  }
}

function systemError(code: string): NodeJS.ErrnoException {
  return Object.assign(new Error(code), { code })
}

function isBelow(key: string): boolean {
  return !key.split('/').some((part) => part === '..' || part === '.' || part === '')
}

function fileUnreadable(path: string, error: unknown): Problem {
  const reason = error === undefined ? 'It lies outside.' : `The system says ${codeOf(error)}.`
  return new Problem({
    code: 'media-file-unreadable',
    what: `${path} can't be read.`,
    why: reason,
    next: `Look at it: ls -l ${shellWord(path)}`,
  })
}
