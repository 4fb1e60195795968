import {
  accessSync,
  constants,
  lstatSync,
  opendirSync,
  readdirSync,
  realpathSync,
  statSync,
} from 'node:fs'

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
  canRead(path) {
    try {
      accessSync(path, constants.R_OK)
      return true
    } catch {
      return false
    }
  },
}

function named(path: string, name: string): Found[] {
  const stat = lstatSync(`${path}/${name}`, { throwIfNoEntry: false })
  return stat === undefined ? [] : [Object.assign(stat, { name })]
}
