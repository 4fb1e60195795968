import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../core/problem.ts'
import type { CopyPlace } from './port.ts'

/** What a file is that rclone was given and said nothing of. */
export type LeftOver =
  | { readonly is: 'there' }
  | { readonly is: 'vanished' }
  /** `stops`: rclone ends its whole run at such a name. */
  | { readonly is: 'failed'; readonly reason: string; readonly stops: boolean }

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'a link that leads to itself',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk could not read it',
}

/** Looks a file up. Exit code 0 is no proof: rclone passes over names that aren't there. */
export async function leftOver(from: CopyPlace, key: string): Promise<LeftOver> {
  if (from.kind === 'bucket') return { is: 'there' }
  const path = join(from.path, key)
  const code = await codeOf(stat(path))
  if (code === undefined) return { is: 'there' }
  if (code === 'ENOENT') {
    const isLink = (await codeOf(lstat(path))) === undefined
    if (!isLink) return { is: 'vanished' }
    return { is: 'failed', reason: 'a link that leads nowhere', stops: false }
  }
  const reason = code === 'ENOTDIR' ? 'its folder is a file' : (REASONS[code] ?? code)
  return { is: 'failed', reason, stops: true }
}

/**
 * A folder that is gone or empty as a whole was unmounted or moved: its files have not vanished one by
 * one. Problem `media-missing`.
 */
export async function expectFolder(from: CopyPlace): Promise<void> {
  if (from.kind === 'bucket') return
  const entries = await readdir(from.path).catch(() => [])
  if (entries.length > 0) return
  throw new Problem({
    code: 'media-missing',
    what: `The folder ${from.path} is not there any more, or is empty.`,
    why: 'It was there when this began: it may have been unmounted, moved or deleted.',
    next: `Look at it, then run this again to go on:\n  ls ${from.path}`,
  })
}

async function codeOf(looking: Promise<unknown>): Promise<string | undefined> {
  return looking.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unknown',
  )
}
