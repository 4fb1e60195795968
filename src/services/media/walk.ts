import { codeOf } from '../../core/disk-trouble.ts'
import { type FolderEntries, folderEntries } from './folder-entries.ts'
import { isWithin, type LinkEnd, linkEnd } from './link-end.ts'
import type { MediaFile, Oddity } from './port.ts'
import type { FileStat, TreeFs } from './tree-fs.ts'

export interface TreeWalkOptions {
  readonly fs: TreeFs
  /** Absolute, links resolved. */
  readonly root: string
  readonly skip: readonly string[]
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
}

type Place = Omit<Folder, 'entries' | 'next'>

const GONE: readonly string[] = ['ENOENT', 'ENOTDIR']

/** A walk that can be stopped at any file and gone on with: one open folder for each level. */
export class TreeWalk {
  readonly #at: TreeWalkOptions
  readonly #open: Folder[] = []

  /** Throws the system's error when the root can't be read. */
  constructor(options: TreeWalkOptions) {
    this.#at = options
    this.#enter({ prefix: '', real: options.root, linkedFrom: [], linkedAt: 0 })
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
        this.#enter({ ...folder, prefix: key, real: `${folder.real}/${bare(name)}` })
      } else if (kind === 'link') return this.#follow(folder, key)
      else return this.#file(key, this.#at.fs.lstat(this.#path(key)), 0)
    } catch (error) {
      this.#trouble(key, codeOf(error))
    }
    return undefined
  }

  #enter(place: Place): void {
    const { prefix, real, linkedFrom, linkedAt } = place
    const { fs, root, backwards } = this.#at
    const path = prefix === '' ? root : this.#path(bare(prefix))
    const entries = folderEntries(fs, path, { backwards })
    this.#open.push({ prefix, real, linkedFrom, linkedAt, entries, next: 0 })
  }

  #follow(folder: Place, key: string): MediaFile | undefined {
    const { fs, root } = this.#at
    const path = this.#path(bare(key))
    const linkedAt = Math.max(folder.linkedAt, fs.lstat(path)?.ctimeMs ?? 0)
    const end: LinkEnd = linkEnd(fs, path)
    if ('oddity' in end) {
      this.#at.onOddity(end.oddity, key, end.detail)
      return undefined
    }
    const { real, stat } = end
    if (stat.isDirectory()) {
      const passed = [...folder.linkedFrom, folder.real]
      if (passed.some((place) => isWithin(place, real))) {
        this.#at.onOddity('loop', key, real)
        return undefined
      }
      if (!isWithin(real, root)) this.#at.onOddity('outside-link', key, real)
      this.#enter({ ...folder, prefix: key, real, linkedFrom: passed, linkedAt })
      return undefined
    }
    if (!isWithin(real, root)) this.#at.onOddity('outside-link', key, real)
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
    return { key, size: stat.size, changedAt, mode: stat.mode & 0o7777 }
  }

  /** What is gone since its folder was read is no trouble, unless it was never there by that name. */
  #trouble(key: string, code: string): void {
    if (!GONE.includes(code)) this.#at.onOddity('unreadable', key, code)
    else if (key.includes('\ufffd')) this.#at.onOddity('name-not-utf8', key)
  }

  #path(key: string): string {
    return `${this.#at.root}/${key}`
  }
}

function bare(name: string): string {
  return name.endsWith('/') ? name.slice(0, -1) : name
}
