import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { aboutCommand, inherits } from './commands.ts'
import { contentTypeOf, knownExtensions } from './content-types.ts'
import type { Stream } from './stream.ts'
import { parseVersion } from './version.ts'

/** What the rclone of this machine is like. */
export interface About {
  /** E.g. `1.60.1`; undefined when it did not say. */
  readonly version: string | undefined
  /**
   * Extensions to which it gives the right Content-Type by itself: its table is mixed with the
   * machine's own (/etc/mime.types and others). What is not among them has to be told to it.
   */
  readonly types: ReadonlySet<string>
}

/** One run of rclone, on a folder of empty files; never rejects. */
export async function askAbout(stream: Stream): Promise<About> {
  const types = new Set<string>()
  let version: string | undefined
  let folder: string | undefined
  try {
    // Files without content, written at once: faster than to wait for each.
    folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-types-'))
    for (const extension of knownExtensions) writeFileSync(join(folder, `f${extension}`), '')
    const onLine = (line: string) => {
      version ??= parseVersion(line)
      const { Name = '', MimeType = '' } = entry(line)
      if (Name !== '' && MimeType === contentTypeOf(Name)) types.add(Name.slice(1))
    }
    await stream(aboutCommand(folder), { onLine, inherits })
    return { version, types }
  } catch {
    return { version, types: new Set() }
  } finally {
    if (folder !== undefined) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    }
  }
}

/** One line of `rclone lsjson`: an object, with the comma before the next one. */
function entry(line: string): { readonly Name?: string; readonly MimeType?: string } {
  if (!line.startsWith('{')) return {}
  try {
    return JSON.parse(line.replace(/,$/, '')) as object
  } catch {
    return {}
  }
}
