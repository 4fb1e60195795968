import { opendir, realpath } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { LocalMedia } from './port.ts'

/** Where to stop counting. */
export interface CountLimits {
  /** 0: nothing is looked at. */
  readonly files: number
  readonly ms: number
}

/** Nothing to look at: no folder on this machine holds Mastodon's media. */
export const noLocalMedia: LocalMedia = { root: undefined, files: 0, more: false, readable: true }

/** PAPERCLIP_ROOT_PATH as config/initializers/paperclip.rb reads it: `:rails_root` is Mastodon's folder. */
export function mediaRoot(dir: string, paperclipRootPath: string | undefined): string {
  return resolve(dir, (paperclipRootPath || 'public/system').replace(':rails_root', dir))
}

/** Counts the files below a folder up to a bound. Hidden files don't count; no folder, no files. */
export async function localMedia(
  root: string,
  limits: CountLimits = { files: 1000, ms: 200 },
): Promise<LocalMedia> {
  if (limits.files === 0) return { root, files: 0, more: true, readable: true }
  const end = performance.now() + limits.ms
  const waiting: string[] = [await realpath(root).catch(() => root)]
  let files = 0
  let readable = true
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.name.startsWith('.')) continue
        if (entry.isDirectory()) waiting.push(join(folder, entry.name))
        else files += 1
        if (files >= limits.files) return { root, files, more: true, readable }
      }
    } catch (error) {
      if (!isGone(error)) readable = false
    }
    if (performance.now() > end && waiting.length > 0) return { root, files, more: true, readable }
  }
  return { root, files, more: false, readable }
}

function isGone(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}
