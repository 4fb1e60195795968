import { compareKeys } from '../../core/key-order.ts'
import type { Found, TreeFs } from './tree-fs.ts'

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
