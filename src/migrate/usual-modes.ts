import { classOf } from '../plan/media-classes.ts'
import type { MediaFile, MediaSource } from '../services/media/port.ts'

/** Nobody but its owner may read it: `chmod 0600`, as Mastodon does to media of suspended users. */
export function isClosed(mode: number | undefined): boolean {
  return mode !== undefined && (mode & 0o077) === 0
}

/**
 * How a tree's files are usually readable. `closed`: all of them are 0600, which is the umask then and
 * no suspension. It takes the whole tree to know that, and one closed file that no suspension touches
 * (suspend_account_service.rb closes media attachments only). In doubt `open`: closed files are left out.
 */
export class UsualModes {
  #open = false
  #umask = false

  see({ key, mode }: Pick<MediaFile, 'key' | 'mode'>): void {
    if (this.#open) return
    const { name, closable } = classOf(key)
    // What was put there by hand tells nothing about Mastodon.
    if (name === 'other' || name === 'cachedOther') return
    if (!isClosed(mode)) this.#open = true
    else if (!closable) this.#umask = true
  }

  /** Nothing that is seen later changes it. */
  get isCertain(): boolean {
    return this.#open
  }

  get result(): 'open' | 'closed' {
    return !this.#open && this.#umask ? 'closed' : 'open'
  }
}

/** Reads as far as the first open file: one batch, nearly always. */
export async function usualModes(
  source: MediaSource,
  signal?: AbortSignal,
): Promise<'open' | 'closed'> {
  if (source.kind === 's3') return 'open'
  const modes = new UsualModes()
  for await (const files of source.files({ few: true, ...(signal && { signal }) })) {
    for (const file of files) modes.see(file)
    if (modes.isCertain) break
  }
  return modes.result
}
