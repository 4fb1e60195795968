import { constants } from 'node:fs'
import { stat } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openPlain } from '../../core/plain-file.ts'
import { type EnvFileOnDisk, envFileNotWritable, type Installation } from './port.ts'

/** What everybody may: `all` reading, too; `write` the changing alone, which no reader needs. */
const OTHERS = { all: 0o007, write: 0o002 } as const

export type OthersMay = keyof typeof OTHERS

/**
 * Whether who reads this env file needs nothing of what everybody may: it belongs to the owner of
 * Mastodon's folder, as whom Mastodon, or `docker compose`, is run. A folder of root tells nothing of
 * who that is, but where no Mastodon is run on this machine.
 */
export async function isOwnersAlone(
  { realPath }: Pick<EnvFileOnDisk, 'realPath'>,
  { kind, dir }: Pick<Installation, 'kind' | 'dir'>,
): Promise<boolean> {
  const folder = kind === 'none' ? dirname(realPath) : dir
  if (folder === undefined) return false
  const [file, place] = await Promise.all([stat(realPath), stat(folder)]).catch(() => [])
  if (file === undefined || place === undefined) return false
  const isTold = place.uid !== 0 || kind === 'none'
  return isTold && file.uid === place.uid && (file.mode & 0o400) !== 0
}

/**
 * `chmod o=` (or `o-w`) of the file itself, whatever its name means by then. Problem
 * `env-file-not-writable`.
 */
export async function closeToOthers(
  { path, realPath }: EnvFileOnDisk,
  may: OthersMay,
): Promise<void> {
  try {
    const handle = await openPlain(realPath, constants.O_RDONLY)
    try {
      const { mode } = await handle.stat()
      await handle.chmod(mode & 0o7777 & ~OTHERS[may])
    } finally {
      await handle.close()
    }
  } catch (cause) {
    throw envFileNotWritable(path, { cause })
  }
}

/** Whether everybody may read or change it (or change it); false where it is not there. */
export async function isOpenToOthers(
  { realPath }: EnvFileOnDisk,
  may: OthersMay,
): Promise<boolean> {
  const mode = await stat(realPath).then(
    (found) => found.mode,
    () => 0,
  )
  return (mode & OTHERS[may]) !== 0
}
