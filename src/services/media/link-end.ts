import { codeOf } from '../../core/disk-trouble.ts'
import type { FileStat, TreeFs } from './tree-fs.ts'

/** Where a link leads, or why it leads nowhere. */
export type LinkEnd =
  | { readonly real: string; readonly stat: FileStat }
  | { readonly oddity: 'dangling-link' | 'loop' | 'unreadable'; readonly detail?: string }

export function linkEnd(fs: TreeFs, path: string): LinkEnd {
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
export function isWithin(path: string, folder: string): boolean {
  return path === folder || path.startsWith(folder === '/' ? '/' : `${folder}/`)
}
