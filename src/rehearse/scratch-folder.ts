import { lstat, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isAbandoned, noteHolder } from '../core/lock-file.ts'
import type { Run } from '../flow/run.ts'
import type { Catalog } from '../settings/setting.ts'

const PREFIX = 'mastodon-r2-rehearsal-'
/** In the folder: which process it is of. */
const HOLDER = 'rehearsal.lock'

/**
 * A folder for what a rehearsal writes, that only this user can open. It goes when the run ends; those
 * of runs that were killed, which hold a copy of the env file, go now.
 */
export async function scratchFolder({
  host,
  atEnd,
}: Pick<Run<Catalog>, 'host' | 'atEnd'>): Promise<string> {
  await removeAbandoned(tmpdir(), host.userId)
  const folder = await mkdtemp(join(tmpdir(), PREFIX))
  atEnd.push(() => rm(folder, { recursive: true, force: true }))
  await noteHolder(join(folder, HOLDER), { pid: host.pid, command: 'rehearsal' })
  return folder
}

/** Of this user alone: in a folder for all, somebody else's may have such a name, too. */
export async function removeAbandoned(parent: string, userId: number | undefined): Promise<void> {
  const names = await readdir(parent).catch(() => [])
  for (const path of names.filter((name) => name.startsWith(PREFIX)).map((n) => join(parent, n))) {
    const found = await lstat(path).catch(() => undefined)
    const isOurs = found?.isDirectory() === true && found.uid === userId
    if (!isOurs || !(await isAbandoned(join(path, HOLDER)))) continue
    await rm(path, { recursive: true, force: true }).catch(() => undefined)
  }
}
