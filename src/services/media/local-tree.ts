import { readFile } from 'node:fs/promises'
import { setImmediate as othersTurn } from 'node:timers/promises'
import { codeOf } from '../../disk-trouble.ts'
import { Cancelled, Problem } from '../../problem.ts'
import { mediaMissing, mediaUnreadable } from './media-problems.ts'
import { oddityNote } from './oddity-note.ts'
import type { MediaFile, MediaSource, ReadOptions } from './port.ts'
import { canRead, type Reader } from './reader.ts'
import { type TreeFs, treeFs } from './tree-fs.ts'
import { TreeWalk } from './tree-walk.ts'

const BATCH = 1000
/** Milliseconds of walking before Ctrl-C and the screen get their turn. */
const SLICE_MS = 8

export interface LocalTreeOptions {
  /** Who reads; without it the system is asked about each file that not everyone may read. */
  readonly reader?: Reader
  readonly fs?: TreeFs
}

/**
 * Mastodon's media folder (PAPERCLIP_ROOT_PATH, by default public/system). Links are followed; what
 * is hidden is told and not given.
 */
export function localTree(
  root: string,
  { reader, fs = treeFs }: LocalTreeOptions = {},
): MediaSource {
  return {
    kind: 'local',
    name: root,
    async *files({ onOddity, signal, skip = [] }: ReadOptions = {}) {
      const walk = open(root, (real) => {
        return new TreeWalk({
          fs,
          root: real,
          skip,
          canRead: canRead(fs, reader),
          onOddity: (kind, path, detail) =>
            onOddity?.({ path, kind, note: oddityNote(kind, path, detail) }),
        })
      })
      let batch: MediaFile[] = []
      for (let more = true; more; ) {
        if (signal?.aborted) throw new Cancelled()
        more = walk.fill(batch, BATCH, performance.now() + SLICE_MS)
        if (batch.length >= BATCH || (!more && batch.length > 0)) {
          yield batch
          batch = []
        }
        await othersTurn()
      }
    },
    async find(key) {
      if (!isBelow(key)) return undefined
      const path = `${root}/${key}`
      try {
        const [stat, link] = [fs.stat(path), fs.lstat(path)]
        if (!stat?.isFile()) return undefined
        const changedAt = Math.max(stat.ctimeMs, link?.ctimeMs ?? 0)
        return { key, size: stat.size, changedAt, mode: stat.mode & 0o7777 }
      } catch (error) {
        if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(codeOf(error))) return undefined
        throw fileUnreadable(path, error)
      }
    },
    async read(key) {
      const path = `${root}/${key}`
      if (!isBelow(key)) throw fileUnreadable(path, undefined)
      try {
        return await readFile(path)
      } catch (error) {
        throw fileUnreadable(path, error)
      }
    },
  }

  function open(path: string, begin: (real: string) => TreeWalk): TreeWalk {
    try {
      return begin(fs.realpath(path))
    } catch (error) {
      const code = codeOf(error)
      if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) throw mediaMissing(path, code)
      if (['EACCES', 'EPERM'].includes(code)) throw mediaUnreadable(path)
      throw error
    }
  }
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
    next: `Look at it: ls -l ${path}`,
  })
}
