import {
  accessSync,
  closeSync,
  constants,
  lstatSync,
  opendirSync,
  openSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  statSync,
} from 'node:fs'
import { resolve } from 'node:path'
import { codeOf } from '../../core/problem.ts'
import { compareKeys } from '../../core/streams.ts'
import { ownerOf } from './owner.ts'
import type { MediaFile, Oddity } from './port.ts'

/** The file system as a walk needs it; paths are absolute, every call is synchronous. */
export interface TreeFs {
  /** What a folder holds, in any order. Throws the system's error. */
  list(path: string): readonly Found[]
  /** The same one by one, for folders that are too large for `list`. */
  stream(path: string): Iterable<Found>
  /** Undefined when there is nothing. Throws the system's other errors. */
  lstat(path: string): FileStat | undefined
  /** Follows links. */
  stat(path: string): FileStat | undefined
  realpath(path: string): string
  readlink(path: string): string
  /** Folders above the root may not be searched: it is reached by the path that was given. */
  readonly keepsRoot?: boolean
  /** Whose media a folder holds, as the system counts users. */
  owner(root: string): number
  /** Whether this process may read it, access lists included. */
  canRead(path: string): boolean
}

export interface Found {
  readonly name: string
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

export interface FileStat {
  readonly size: number
  readonly mode: number
  readonly ctimeMs: number
  readonly mtimeMs: number
  readonly uid: number
  readonly gid: number
  isFile(): boolean
  isDirectory(): boolean
  isSymbolicLink(): boolean
}

/** Entries that are fetched together; also what a folder costs in memory while it is streamed. */
const TOGETHER = 1024

export const treeFs: TreeFs = {
  list(path) {
    try {
      return readdirSync(path, { withFileTypes: true })
    } catch (error) {
      // File systems that tell no types make Node look at each entry, which may be gone by then.
      if (!statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
      return readdirSync(path).flatMap((name) => named(path, name))
    }
  },
  *stream(path) {
    const folder = opendirSync(path, { bufferSize: TOGETHER })
    try {
      for (let entry = folder.readSync(); entry; entry = folder.readSync()) yield entry
    } finally {
      folder.closeSync()
    }
  },
  lstat: (path) => lstatSync(path, { throwIfNoEntry: false }),
  stat: (path) => statSync(path, { throwIfNoEntry: false }),
  realpath: (path) => realpathSync.native(path),
  readlink: (path) => readlinkSync(path),
  owner: ownerOf,
  canRead(path) {
    try {
      accessSync(path, constants.R_OK)
      return true
    } catch {
      return false
    }
  },
}

const O_PATH = 0o10000000

/**
 * For a process that may not search the folders above its own (`/root`, where Docker's users often
 * keep Mastodon): paths lie below `/proc/self/cwd`, and the system says where a handle leads.
 */
export const folderFs: TreeFs = {
  ...treeFs,
  keepsRoot: true,
  owner: () => statSync('/proc/self').uid,
  realpath(path) {
    const handle = openSync(path, O_PATH)
    try {
      return readlinkSync(`/proc/self/fd/${handle}`)
    } finally {
      closeSync(handle)
    }
  },
}

function named(path: string, name: string): Found[] {
  const stat = lstatSync(`${path}/${name}`, { throwIfNoEntry: false })
  return stat === undefined ? [] : [Object.assign(stat, { name })]
}

/** What a folder holds, in the order of the keys. */
export interface FolderEntries {
  readonly length: number
  /** The name; that of a folder, or of a link to one, ends with `/`, as its keys go on. */
  name(index: number): string
  kind(index: number): EntryKind
}

export const entryKinds = ['file', 'folder', 'link', 'other'] as const
export type EntryKind = (typeof entryKinds)[number]

/** Bytes of a folder itself from which it may hold more entries than fit into memory as objects. */
const LARGE = 256 * 1024
/** Mastodon's id partitions, and the one level below them, never hold many. */
const SMALL = /(?:^|\/)\d{3}(?:\/[^/]*)?$/

/** Throws the system's error when the folder can't be read. `backwards`: the last key first. */
export function folderEntries(
  fs: TreeFs,
  path: string,
  { backwards = false }: { readonly backwards?: boolean | undefined } = {},
): FolderEntries {
  const isLarge = !SMALL.test(path) && (fs.stat(path)?.size ?? 0) > LARGE
  const found = isLarge ? packedEntries(fs, path) : sortedEntries(fs, path)
  return backwards ? reversed(found) : found
}

function reversed({ length, name, kind }: FolderEntries): FolderEntries {
  return {
    length,
    name: (index) => name(length - 1 - index),
    kind: (index) => kind(length - 1 - index),
  }
}

function sortedEntries(fs: TreeFs, path: string): FolderEntries {
  const found = fs.list(path).map((entry) => {
    const kind = kindOf(entry)
    return { name: orderedName(fs, path, entry.name, kind), kind }
  })
  if (found.length > 1) found.sort((a, b) => compareKeys(a.name, b.name))
  return {
    length: found.length,
    name: (index) => found[index]?.name ?? '',
    kind: (index) => found[index]?.kind ?? 'other',
  }
}

/** About 30 bytes an entry instead of 250: names lie end to end in one buffer. */
function packedEntries(fs: TreeFs, path: string): FolderEntries {
  let bytes = Buffer.allocUnsafe(1 << 20)
  let starts = new Uint32Array(1 << 16)
  let kinds = new Uint8Array(1 << 16)
  let length = 0
  let end = 0
  for (const entry of fs.stream(path)) {
    const kind = kindOf(entry)
    const name = orderedName(fs, path, entry.name, kind)
    if (end + name.length * 3 > bytes.length) bytes = Buffer.concat([bytes], bytes.length * 2)
    if (length + 2 > starts.length) {
      starts = grown(starts, new Uint32Array(starts.length * 2))
      kinds = grown(kinds, new Uint8Array(kinds.length * 2))
    }
    kinds[length] = entryKinds.indexOf(kind)
    end += bytes.write(name, end)
    starts[++length] = end
  }
  const order = new Uint32Array(length).map((_, index) => index)
  const at = (index: number): [number, number] => [starts[index] ?? 0, starts[index + 1] ?? 0]
  order.sort((a, b) => compareBytes(bytes, at(a), at(b)))
  return {
    length,
    name: (index) => bytes.toString('utf8', ...at(order[index] ?? 0)),
    kind: (index) => entryKinds[kinds[order[index] ?? 0] ?? 3] ?? 'other',
  }
}

function grown<T extends Uint8Array | Uint32Array>(full: T, larger: T): T {
  larger.set(full)
  return larger
}

/** UTF-8 bytes in their order are the keys in theirs. */
function compareBytes(
  bytes: Uint8Array,
  [a, aEnd]: readonly [number, number],
  [b, bEnd]: readonly [number, number],
): number {
  const length = Math.min(aEnd - a, bEnd - b)
  for (let at = 0; at < length; at++) {
    const difference = (bytes[a + at] ?? 0) - (bytes[b + at] ?? 0)
    if (difference !== 0) return difference
  }
  return aEnd - a - (bEnd - b)
}

function kindOf(entry: Found): EntryKind {
  if (entry.isFile()) return 'file'
  if (entry.isDirectory()) return 'folder'
  return entry.isSymbolicLink() ? 'link' : 'other'
}

function orderedName(fs: TreeFs, path: string, name: string, kind: EntryKind): string {
  if (kind === 'folder') return `${name}/`
  return kind === 'link' && leadsToFolder(fs, `${path}/${name}`) ? `${name}/` : name
}

function leadsToFolder(fs: TreeFs, path: string): boolean {
  try {
    return fs.stat(path)?.isDirectory() === true
  } catch {
    return false
  }
}

/** Where a link leads, or why it leads nowhere. */
export type LinkEnd =
  | { readonly real: string; readonly stat: FileStat }
  | { readonly oddity: 'dangling-link' | 'loop' | 'unreadable'; readonly detail?: string }

function linkEnd(fs: TreeFs, path: string): LinkEnd {
  try {
    const stat = fs.stat(path)
    return stat === undefined ? { oddity: 'dangling-link' } : { real: fs.realpath(path), stat }
  } catch (error) {
    const code = codeOf(error)
    if (code === 'ELOOP') return { oddity: 'loop', detail: 'itself' }
    if (code === 'ENOENT' || code === 'ENOTDIR') return { oddity: 'dangling-link' }
    return { oddity: 'unreadable', detail: code }
  }
}

/** Whether a path is a folder or lies below it; both absolute. */
function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}

export interface TreeWalkOptions {
  readonly fs: TreeFs
  /** Absolute, links resolved. */
  readonly root: string
  /** How it is reached; the root unless told. */
  readonly by?: string | undefined
  readonly skip: readonly string[]
  /** Whose media it is: outside of the root nothing of another user is given. */
  readonly owner: number
  /** The last key first; in the order of the keys unless told. */
  readonly backwards?: boolean | undefined
  canRead(stat: FileStat, path: string): boolean
  onOddity(kind: Oddity['kind'], path: string, detail?: string): void
}

interface Folder {
  /** `` or ending with `/`. */
  readonly prefix: string
  readonly real: string
  readonly entries: FolderEntries
  next: number
  /** Where the links lie that led here. */
  readonly linkedFrom: readonly string[]
  /** When the last of these links was made, milliseconds: what it shows came to be then. */
  readonly linkedAt: number
  /** It lies outside of the root. */
  readonly outside: boolean
}

type Place = Omit<Folder, 'entries' | 'next'>

/** A file system keeps it at its top, for root alone: where a disk is mounted, so at any depth. */
const FOR_REPAIRS = 'lost+found/'

const GONE: readonly string[] = ['ENOENT', 'ENOTDIR']

/** A walk that can be stopped at any file and gone on with: one open folder for each level. */
export class TreeWalk {
  readonly #at: TreeWalkOptions
  readonly #open: Folder[] = []

  /** Throws the system's error when the root can't be read. */
  constructor(options: TreeWalkOptions) {
    this.#at = options
    this.#enter({ prefix: '', real: options.root, linkedFrom: [], linkedAt: 0, outside: false })
  }

  /** Adds files until there are `limit` of them or the time is up; false when there are no more. */
  fill(files: MediaFile[], limit: number, until: number): boolean {
    for (let folder = this.#open.at(-1); folder; folder = this.#open.at(-1)) {
      if (folder.next >= folder.entries.length) {
        this.#open.pop()
        if (performance.now() > until) return true
        continue
      }
      const file = this.#take(folder, folder.next++)
      if (file) files.push(file)
      if (files.length >= limit) return true
      if (folder.next % 64 === 0 && performance.now() > until) return true
    }
    return false
  }

  #take(folder: Folder, index: number): MediaFile | undefined {
    const { skip, onOddity } = this.#at
    const name = folder.entries.name(index)
    const key = folder.prefix + name
    if (skip.some((prefix) => key.startsWith(prefix))) return undefined
    if (name === FOR_REPAIRS) return undefined
    if (name.startsWith('.')) {
      onOddity('hidden', key)
      return undefined
    }
    // Names that aren't UTF-8 may come out alike.
    if (index > 0 && name.includes('\ufffd') && folder.entries.name(index - 1) === name) {
      onOddity('name-not-utf8', key)
      return undefined
    }
    const kind = folder.entries.kind(index)
    try {
      if (kind === 'folder') {
        if (folder.outside && this.#isForeign(key, this.#at.fs.lstat(this.#path(bare(key))))) {
          return undefined
        }
        this.#enter({ ...folder, prefix: key, real: `${folder.real}/${bare(name)}` })
      } else if (kind === 'link') return this.#follow(folder, key)
      else {
        const stat = this.#at.fs.lstat(this.#path(key))
        if (folder.outside && this.#isForeign(key, stat)) return undefined
        return this.#file(key, stat, 0)
      }
    } catch (error) {
      this.#trouble(key, codeOf(error))
    }
    return undefined
  }

  /** Tells of what is another user's. */
  #isForeign(key: string, stat: FileStat | undefined, real?: string): boolean {
    if (stat === undefined || stat.uid === this.#at.owner) return false
    this.#at.onOddity('foreign', key, real)
    return true
  }

  #enter(place: Place): void {
    const { prefix, real, linkedFrom, linkedAt, outside } = place
    const { fs, root, by = root, backwards } = this.#at
    const path = prefix === '' ? by : this.#path(bare(prefix))
    const entries = folderEntries(fs, path, { backwards })
    this.#open.push({ prefix, real, linkedFrom, linkedAt, outside, entries, next: 0 })
  }

  #follow(folder: Place, key: string): MediaFile | undefined {
    const { fs, root } = this.#at
    const path = this.#path(bare(key))
    const linkedAt = Math.max(folder.linkedAt, fs.lstat(path)?.ctimeMs ?? 0)
    const end: LinkEnd = linkEnd(fs, path)
    if ('oddity' in end && end.oddity === 'unreadable') {
      const target = resolve(folder.real, fs.readlink(path))
      if (!isWithin(target, root)) {
        this.#at.onOddity('foreign', key, target)
        return undefined
      }
    }
    if ('oddity' in end) {
      this.#at.onOddity(end.oddity, key, end.detail)
      return undefined
    }
    const { real, stat } = end
    const outside = !isWithin(real, root)
    if (outside && this.#isForeign(key, stat, real)) return undefined
    if (stat.isDirectory()) {
      const passed = [...folder.linkedFrom, folder.real]
      if (passed.some((place) => isWithin(place, real))) {
        this.#at.onOddity('loop', key, real)
        return undefined
      }
      if (outside) this.#at.onOddity('outside-link', key, real)
      this.#enter({ ...folder, prefix: key, real, linkedFrom: passed, linkedAt, outside })
      return undefined
    }
    if (outside) this.#at.onOddity('outside-link', key, real)
    return this.#file(key, stat, linkedAt)
  }

  #file(key: string, stat: FileStat | undefined, linkedAt: number): MediaFile | undefined {
    if (stat === undefined) {
      this.#trouble(key, 'ENOENT')
      return undefined
    }
    if (!stat.isFile()) {
      this.#at.onOddity('not-a-file', key)
      return undefined
    }
    if (!this.#at.canRead(stat, this.#path(key))) {
      this.#at.onOddity('unreadable', key, 'EACCES')
      return undefined
    }
    const since = this.#open.at(-1)?.linkedAt ?? 0
    const changedAt = Math.max(stat.ctimeMs, linkedAt, since)
    const { size, mtimeMs: writtenAt, mode } = stat
    return { key, size, changedAt, writtenAt, mode: mode & 0o7777 }
  }

  /** What is gone since its folder was read is no trouble, unless it was never there by that name. */
  #trouble(key: string, code: string): void {
    if (!GONE.includes(code)) this.#at.onOddity('unreadable', key, code)
    else if (key.includes('\ufffd')) this.#at.onOddity('name-not-utf8', key)
  }

  #path(key: string): string {
    const { root, by = root } = this.#at
    return `${by}/${key}`
  }
}

function bare(name: string): string {
  return name.endsWith('/') ? name.slice(0, -1) : name
}
