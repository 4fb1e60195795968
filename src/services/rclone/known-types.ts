import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inherits, typesCommand } from './commands.ts'
import { contentTypeOf, knownExtensions } from './content-types.ts'
import type { Stream } from './stream.ts'

/**
 * Extensions to which rclone gives the right Content-Type by itself. Its table is mixed with the
 * machine's own (/etc/mime.types and others), so rclone is asked, with a folder of empty files. None
 * when it can't be asked; each type is then told to it.
 */
export async function knownTypes(stream: Stream): Promise<ReadonlySet<string>> {
  const right = new Set<string>()
  const folder = await mkdtemp(join(tmpdir(), 'mastodon-r2-types-')).catch(() => undefined)
  if (folder === undefined) return right
  try {
    for (const extension of knownExtensions) await writeFile(join(folder, `f${extension}`), '')
    const onLine = (line: string) => {
      const { Name = '', MimeType = '' } = entry(line)
      if (Name !== '' && MimeType === contentTypeOf(Name)) right.add(Name.slice(1))
    }
    await stream(typesCommand(folder), { onLine, inherits })
  } catch {
    return new Set()
  } finally {
    await rm(folder, { recursive: true, force: true }).catch(() => undefined)
  }
  return right
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
