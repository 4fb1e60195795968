import { readFile } from 'node:fs/promises'
import { ahead } from '../../ahead.ts'
import { codeOf } from '../../disk-trouble.ts'
import { Problem } from '../../problem.ts'
import { inOrder } from './in-order.ts'
import { inTurns } from './in-turns.ts'
import { mediaMissing, mediaUnreadable } from './media-problems.ts'
import { oddityNote } from './oddity-note.ts'
import type { MediaSource, ReadOptions } from './port.ts'
import { canRead, type Reader } from './reader.ts'
import { type TreeFs, treeFs } from './tree-fs.ts'
import { TreeWalk, type TreeWalkOptions } from './tree-walk.ts'
import type { WalkThreads } from './walk-threads.ts'

/** Files in a batch for who needs only some. */
const FEW = 20

export interface LocalTreeOptions {
  /** Who reads; without it the system is asked about each file that not everyone may read. */
  readonly reader?: Reader
  readonly fs?: TreeFs
  /** What helps with a long walk; it stays on this thread unless told. */
  readonly threads?: (() => WalkThreads | undefined) | undefined
}

/**
 * Mastodon's media folder (PAPERCLIP_ROOT_PATH, by default public/system). Links are followed; what
 * is hidden is told and not given.
 */
export function localTree(
  root: string,
  { reader, fs = treeFs, threads }: LocalTreeOptions = {},
): MediaSource {
  return {
    kind: 'local',
    name: root,
    async *files({ onOddity, signal, skip = [], few, parallel }: ReadOptions = {}) {
      const tell: TreeWalkOptions['onOddity'] = (kind, path, detail) =>
        onOddity?.({ path, kind, note: oddityNote(kind, path, detail) })
      const crew = parallel ? threads?.() : undefined
      try {
        const task = { root: fs.realpath(root), skip, reader }
        const own = { ...task, fs, canRead: canRead(fs, reader), onOddity: tell }
        const walk = new TreeWalk(own)
        const isEnough = () => crew?.ready === true
        yield* inTurns(walk, { signal, isEnough, ...(few && { batch: FEW }) })
        if (walk.isOver || !crew) return
        const [after, of] = [walk.last, crew.count + 1]
        const first = new TreeWalk({ ...own, after, share: { index: 0, of } })
        yield* inOrder([
          // While a thread is waited for, this one walks on.
          ahead(inTurns(first, { signal })),
          ...crew.files({ ...task, after, of }, { onOddity: tell, signal }),
        ])
      } catch (error) {
        throw rootProblem(error) ?? error
      } finally {
        crew?.end()
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
