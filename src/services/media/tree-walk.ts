import { codeOf } from '../../disk-trouble.ts'
import { compareKeys } from '../../key-order.ts'
import { type FolderEntries, folderEntries } from './folder-entries.ts'
import { isWithin, type LinkEnd, linkEnd } from './link-end.ts'
import type { MediaFile, Oddity } from './port.ts'
import type { FileStat, TreeFs } from './tree-fs.ts'
import { partOf, type WalkShare } from './walk-share.ts'

export interface TreeWalkOptions {
  readonly fs: TreeFs
  /** Absolute, links resolved. */
  readonly root: string
  readonly skip: readonly string[]
  /** Where another walk has stopped: only what comes behind this key is given. */
  readonly after?: string | undefined
  /** The part of the tree that is given; all of it unless told. */
  readonly share?: WalkShare | undefined
  canRead(stat: FileStat, path: string): boolean
  onOddity(kind: Oddity['kind'], path: string, detail?: string): void
}

export type ToldOddity = Parameters<TreeWalkOptions['onOddity']>

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
  /** Nothing below it belongs to another walk. */
  readonly isWhole: boolean
}

type Place = Omit<Folder, 'entries' | 'next'>

const GONE: readonly string[] = ['ENOENT', 'ENOTDIR']

/** A walk that can be stopped at any file and gone on with: one open folder for each level. */
export class TreeWalk {
  readonly #at: TreeWalkOptions
  readonly #open: Folder[] = []
  /** Until the first key behind it. */
  #after: string | undefined
  #last = ''
  /** What is wrong with this entry is told by another walk, or was. */
  #isTold = false

  /** Throws the system's error when the root can't be read. */
  constructor(options: TreeWalkOptions) {
    this.#at = options
    this.#after = options.after
    const { root, share } = options
    const place = { prefix: '', real: root, linkedFrom: [], linkedAt: 0, isWhole: !share }
    this.#open.push({ ...place, entries: this.#entries(root, place.isWhole), next: 0 })
  }

  get isOver(): boolean {
    return this.#open.length === 0
  }

  /** How far it came: the last key that it looked at, of a file or of a folder that it entered. */
  get last(): string {
    return this.#last
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
    const { skip, share } = this.#at
    const name = folder.entries.name(index)
    const key = folder.prefix + name
    if (this.#isBehind(key)) return undefined
    this.#last = key
    const part = share && !folder.isWhole ? partOf(folder.prefix, name, share) : 'own'
    if (part === 'others' || skip.some((prefix) => key.startsWith(prefix))) return undefined
    this.#isTold = this.#after !== undefined || (part === 'way' && share?.index !== 0)
    if (name.startsWith('.')) {
      this.#tell('hidden', key)
      return undefined
    }
    // Names that aren't UTF-8 may come out alike.
    if (index > 0 && name.includes('\ufffd') && folder.entries.name(index - 1) === name) {
      this.#tell('name-not-utf8', key)
      return undefined
    }
    const kind = folder.entries.kind(index)
    const isWhole = part === 'own'
    try {
      if (kind === 'folder') {
        this.#enter({ ...folder, prefix: key, real: `${folder.real}/${bare(name)}`, isWhole })
      } else if (kind === 'link') return this.#follow({ ...folder, isWhole }, key)
      else return this.#file(key, this.#at.fs.lstat(this.#path(key)), 0)
    } catch (error) {
      this.#trouble(key, codeOf(error))
    }
    return undefined
  }

  /** A folder on the way to where it goes on is entered once more. */
  #isBehind(key: string): boolean {
    if (this.#after === undefined) return false
    if (compareKeys(key, this.#after) > 0) {
      this.#after = undefined
      return false
    }
    return !(key.endsWith('/') && this.#after.startsWith(key))
  }

  #enter(place: Place): void {
    const { prefix, real, linkedFrom, linkedAt, isWhole } = place
    const entries = this.#entries(this.#path(bare(prefix)), isWhole)
    this.#open.push({ prefix, real, linkedFrom, linkedAt, isWhole, entries, next: 0 })
  }

  #follow(folder: Place, key: string): MediaFile | undefined {
    const { fs, root } = this.#at
    const path = this.#path(bare(key))
    const linkedAt = Math.max(folder.linkedAt, fs.lstat(path)?.ctimeMs ?? 0)
    const end: LinkEnd = linkEnd(fs, path)
    if ('oddity' in end) {
      this.#tell(end.oddity, key, end.detail)
      return undefined
    }
    const { real, stat } = end
    if (stat.isDirectory()) {
      const passed = [...folder.linkedFrom, folder.real]
      if (passed.some((place) => isWithin(place, real))) {
        this.#tell('loop', key, real)
        return undefined
      }
      if (!isWithin(real, root)) this.#tell('outside-link', key, real)
      this.#enter({ ...folder, prefix: key, real, linkedFrom: passed, linkedAt })
      return undefined
    }
    if (!isWithin(real, root)) this.#tell('outside-link', key, real)
    return this.#file(key, stat, linkedAt)
  }

  #file(key: string, stat: FileStat | undefined, linkedAt: number): MediaFile | undefined {
    if (stat === undefined) {
      this.#trouble(key, 'ENOENT')
      return undefined
    }
    if (!stat.isFile()) {
      this.#tell('not-a-file', key)
      return undefined
    }
    if (!this.#at.canRead(stat, this.#path(key))) {
      this.#tell('unreadable', key, 'EACCES')
      return undefined
    }
    const since = this.#open.at(-1)?.linkedAt ?? 0
    const changedAt = Math.max(stat.ctimeMs, linkedAt, since)
    return { key, size: stat.size, changedAt, mode: stat.mode & 0o7777 }
  }

  /** What is gone since its folder was read is no trouble, unless it was never there by that name. */
  #trouble(key: string, code: string): void {
    if (!GONE.includes(code)) this.#tell('unreadable', key, code)
    else if (key.includes('\ufffd')) this.#tell('name-not-utf8', key)
  }

  /** Files above the folders that are dealt out belong to the first walk. */
  #entries(path: string, isWhole: boolean): FolderEntries {
    const { fs, share } = this.#at
    return folderEntries(fs, path, !isWhole && share?.index !== 0)
  }

  #tell(...oddity: ToldOddity): void {
    if (!this.#isTold) this.#at.onOddity(...oddity)
  }

  #path(key: string): string {
    return `${this.#at.root}/${key}`
  }
}

function bare(name: string): string {
  return name.endsWith('/') ? name.slice(0, -1) : name
}
