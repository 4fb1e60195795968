import { readFile } from 'node:fs/promises'
import { codeOf } from '../../core/disk-trouble.ts'
import { Problem } from '../../core/problem.ts'
import { inTurns } from './in-turns.ts'
import { mediaMissing, mediaUnreadable } from './media-problems.ts'
import { oddityNote } from './oddity-note.ts'
import type { MediaSource, ReadOptions } from './port.ts'
import { canRead, type Reader } from './reader.ts'
import { type TreeFs, treeFs } from './tree-fs.ts'
import { TreeWalk, type TreeWalkOptions } from './walk.ts'

/** Files in a batch for who needs only some. */
const FEW = 20

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
    async *files({ onOddity, signal, skip = [], few, newestFirst }: ReadOptions = {}) {
      const tell: TreeWalkOptions['onOddity'] = (kind, path, detail) =>
        onOddity?.({ path, kind, note: oddityNote(kind, path, detail) })
      try {
        const walk = new TreeWalk({
          root: fs.realpath(root),
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

  function rootProblem(error: unknown): Problem | undefined {
    const code = codeOf(error)
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(code)) return mediaMissing(root, code)
    return ['EACCES', 'EPERM'].includes(code) ? mediaUnreadable(root) : undefined
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
