import type { FileStat, Found, TreeFs } from '../../src/services/media/walk.ts'

const error = (code: string) => Object.assign(new Error(code), { code })

export interface FakeFolder {
  readonly names: Iterable<string>
  /** What stat tells of the folder itself. */
  readonly size?: number
  readonly fails?: string
}

export interface FakeFile extends Partial<Pick<FileStat, 'size' | 'mode' | 'uid' | 'gid'>> {
  readonly readable?: boolean
  readonly fails?: string
}

/** Folders by path; whatever else a folder names is a file. Counts how folders were read. */
export class FakeTreeFs implements TreeFs {
  readonly listed: string[] = []
  readonly streamed: string[] = []
  readonly asked: string[] = []
  readonly #folders: Readonly<Record<string, FakeFolder>>
  readonly #files: Readonly<Record<string, FakeFile>>

  constructor(
    folders: Readonly<Record<string, FakeFolder>>,
    files: Readonly<Record<string, FakeFile>> = {},
  ) {
    this.#folders = folders
    this.#files = files
  }

  list(path: string): Found[] {
    this.listed.push(path)
    return [...this.#found(path)]
  }

  stream(path: string): Iterable<Found> {
    this.streamed.push(path)
    return this.#found(path)
  }

  lstat(path: string): FileStat | undefined {
    const folder = this.#folders[path]
    const { size = 10, mode = 0o644, uid = 991, gid = 991, fails } = this.#files[path] ?? {}
    if (fails) throw error(fails)
    const type = kinds(folder !== undefined)
    return { ctimeMs: 1, mtimeMs: 1, size: folder?.size ?? size, mode, uid, gid, ...type }
  }

  stat(path: string) {
    return this.lstat(path)
  }

  realpath(path: string) {
    return path
  }

  readlink(path: string) {
    return path
  }

  owner() {
    return 991
  }

  canRead(path: string) {
    this.asked.push(path)
    return this.#files[path]?.readable ?? false
  }

  *#found(path: string): Generator<Found> {
    const { names = [], fails = undefined } = this.#folders[path] ?? {}
    if (fails) throw error(fails)
    for (const name of names) yield { name, ...kinds(`${path}/${name}` in this.#folders) }
  }
}

function kinds(isFolder: boolean) {
  return {
    isFile: () => !isFolder,
    isDirectory: () => isFolder,
    isSymbolicLink: () => false,
  }
}
