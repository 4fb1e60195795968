import { constants } from 'node:fs'
import {
  type FileHandle,
  lstat,
  open,
  readdir,
  readlink,
  rename,
  stat,
  unlink,
} from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { holderInWords, type LockHolder, lockFile } from '../../core/lock-file.ts'
import { type HeldFolder, holdFolder, openPlain, readPlain } from '../../core/plain-file.ts'
import { codeOf, Problem } from '../../core/problem.ts'
import { lackOfRights } from '../../core/rights.ts'
import { shellWord } from '../../core/shell-word.ts'
import type { RunnerPort } from '../process/port.ts'
import { fileText } from './env-text.ts'
import { type EnvBackupPath, type EnvFileOnDisk, envFileNotWritable } from './port.ts'

/** A free name for a copy of an env file: `<file>.mastodon-r2-20261122T164458Z.bak`. */
async function freeBackupPath(target: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '')
  for (let count = 1; ; count += 1) {
    const path = `${target}.mastodon-r2-${stamp}${count === 1 ? '' : `-${count}`}.bak`
    const isTaken = await lstat(path).then(
      () => true,
      () => false,
    )
    if (!isTaken) return path
  }
}

/** The copies of an env file, newest first; a folder that can't be read holds none. */
export async function listBackups(target: string): Promise<EnvBackupPath[]> {
  const folder = dirname(target)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found = entries.flatMap((entry) => {
    const made = entry.isFile() ? readName(entry.name, basename(target)) : undefined
    return made === undefined ? [] : [{ path: join(folder, entry.name), ...made }]
  })
  return found
    .sort((a, b) => b.at.getTime() - a.at.getTime() || b.count - a.count)
    .map(({ path, at }) => ({ path, at }))
}

function readName(name: string, file: string): { at: Date; count: number } | undefined {
  const prefix = `${file}.mastodon-r2-`
  if (!name.startsWith(prefix)) return undefined
  const form = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z(?:-(\d+))?\.bak$/
  const [, year, month, day, hour, minute, second, count = '1'] =
    form.exec(name.slice(prefix.length)) ?? []
  if (year === undefined) return undefined
  const at = new Date(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(at.getTime()) ? undefined : { at, count: Number(count) }
}

export interface WrittenEnvFile {
  /** false when the file had this text already: nothing was touched. */
  readonly changed: boolean
  /** Path of the copy of the old file; undefined when none was made, or nothing changed. */
  readonly backup: string | undefined
}

interface Identity {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

export interface WriteEnvFile {
  /** Names the backup. */
  readonly now?: Date
  /** Whether a backup is made; yes unless told. */
  readonly keepsOld?: boolean
  /** Runs cp(1), which alone can copy ACLs and extended attributes; without it they are not kept. */
  readonly runner?: RunnerPort
  /** Told when they could not be kept. */
  readonly warn?: (line: string) => void
}

/**
 * Replaces an env file in one step: backup (0600), new file beside it, fsync, rename. Symlinks are
 * followed; owner, group, mode, ACL and extended attributes stay; a new file is 0600 and belongs to
 * its folder's owner. Problems: `env-file-changed` (since it was read), `env-file-not-writable`.
 */
export async function writeEnvFile(
  file: EnvFileOnDisk,
  text: string,
  { now = new Date(), keepsOld = true, runner, warn }: WriteEnvFile = {},
): Promise<WrittenEnvFile> {
  const target = file.realPath
  const name = basename(target)
  let folder: HeldFolder | undefined
  const made: string[] = []
  const temporary = () => {
    const path = `${temporaryPrefix(target)}${Buffer.from(crypto.getRandomValues(new Uint8Array(6))).toString('hex')}`
    made.push(path)
    return path
  }
  try {
    folder = await holdFolder(dirname(target))
    const { at } = folder
    const old = await refuseIfChanged(file, at(name))
    if (file.exists && file.text === text) return { changed: false, backup: undefined }
    await removeLeftovers(target, at)
    const identity = old ?? { ...(await stat(at('.'))), mode: 0o600 }
    let backup: string | undefined
    if (file.exists && keepsOld) {
      // Under its own name only when it is whole: a backup that was cut off would be worse than none.
      const copy = temporary()
      await create(at(copy), file.text, { ...identity, mode: 0o600 })
      backup = await freeBackupPath(target, now)
      await rename(at(copy), at(basename(backup)))
      made.push(basename(backup))
    }
    const fresh = temporary()
    const like = old && runner ? { path: at(name), runner, warn, name: file.path } : undefined
    await create(at(fresh), text, identity, like)
    await refuseIfChanged(file, at(name))
    await rename(at(fresh), at(name))
    made.length = 0
    // The new file is in place; a file system that can't sync a folder is no failure.
    await folder.sync().catch(() => undefined)
    return { changed: true, backup }
  } catch (error) {
    for (const path of made) await unlink(folder?.at(path) ?? path).catch(() => undefined)
    throw error instanceof Problem ? error : envFileNotWritable(file.path, { cause: error })
  } finally {
    await folder?.close()
  }
}

function temporaryPrefix(target: string): string {
  return `.${basename(target)}.mastodon-r2-`
}

/** What a killed run left holds secrets. The lock keeps those of a living run apart. */
async function removeLeftovers(target: string, at: HeldFolder['at']): Promise<void> {
  const prefix = temporaryPrefix(target)
  for (const name of await readdir(at('.')).catch(() => [])) {
    if (!name.startsWith(prefix) || !/^[0-9a-f]{12}$/.test(name.slice(prefix.length))) continue
    await unlink(at(name)).catch(() => undefined)
  }
}

/** Owner, group and mode of the file that holds what was read; undefined where there was none. */
async function refuseIfChanged(file: EnvFileOnDisk, path: string): Promise<Identity | undefined> {
  const found = await readPlain(path).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    // A link or a pipe in its place is not what was read.
    if (['ELOOP', 'ENOTSUP', 'EISDIR'].includes(codeOf(error))) throw changedMeanwhile(file)
    throw envFileNotWritable(file.path, { cause: error })
  })
  const onDisk = found && fileText.decode(found.bytes)
  if (onDisk !== (file.exists ? file.text : undefined)) throw changedMeanwhile(file)
  if (found === undefined) return undefined
  const { uid, gid, mode } = found.stat
  return { uid, gid, mode: mode & 0o7777 }
}

function changedMeanwhile(file: EnvFileOnDisk): Problem {
  return new Problem({
    code: 'env-file-changed',
    what: `${file.path} was changed by someone else while this ran.`,
    why: 'It was left as it is, so that their change is not lost.',
    next: 'Close editors that have the file open, then run this again.',
  })
}

/** The file whose ACL and extended attributes a new one gets. */
interface Like {
  readonly path: string
  readonly runner: RunnerPort
  readonly warn: WriteEnvFile['warn'] | undefined
  /** As the person knows it. */
  readonly name: string
}

async function create(path: string, text: string, identity: Identity, like?: Like): Promise<void> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  const handle = await open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
  try {
    await handle.writeFile(fileText.encode(text))
    // Beside an ACL the mode tells its mask, which alone would open the file to the group.
    await take(handle, like ? { ...identity, mode: identity.mode & 0o7700 } : identity)
    if (like) await keepAttributes(handle, like)
    if (like) await handle.chmod(identity.mode)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** From handle to handle: what a name means by now is never asked. */
async function keepAttributes(to: FileHandle, { path, runner, warn, name }: Like): Promise<void> {
  const from = await openPlain(path, constants.O_RDONLY)
  try {
    const here = `/proc/${await readlink('/proc/self')}/fd`
    const args = ['--attributes-only', '--preserve=mode,ownership,xattr', '--']
    const copy = [...args, `${here}/${from.fd}`, `${here}/${to.fd}`]
    const ended = await runner.run({ program: 'cp', args: copy, env: {} }).catch(() => undefined)
    if (ended?.exitCode === 0) return
    warn?.(
      `If ${name} had an ACL or extended attributes, they are gone: cp(1) of this machine can't copy them. Owner, group and mode are as they were.`,
    )
  } finally {
    await from.close()
  }
}

/** chown first: it clears set-id bits, and the wider mode must not meet the wrong owner. */
async function take(handle: FileHandle, { uid, gid, mode }: Identity): Promise<void> {
  const own = await handle.stat()
  if (own.uid !== uid || own.gid !== gid) await handle.chown(uid, gid)
  await handle.chmod(mode)
}

export interface BackupOnDisk {
  readonly path: string
  readonly text: string
}

/**
 * The copies that were made before an env file was changed, newest first. `target` is the file
 * itself, symlinks followed. Problem: `backup-unreadable`.
 */
export async function findBackups(target: string): Promise<BackupOnDisk[]> {
  return Promise.all(
    (await listBackups(target)).map(async ({ path }) => {
      const { bytes } = await readPlain(path).catch((error: unknown) => {
        throw unreadable(path, error)
      })
      return { path, text: fileText.decode(bytes) }
    }),
  )
}

/**
 * Makes the file itself the backup (0600): it is gone, and nothing of it is lost. What is changed is
 * the file that was read, not what lies at its path by now. Problems: `env-file-changed`,
 * `env-file-not-writable`.
 */
export async function setAside(file: EnvFileOnDisk, now: Date): Promise<{ backup: string }> {
  const target = file.realPath
  let folder: HeldFolder | undefined
  try {
    folder = await holdFolder(dirname(target))
    const path = folder.at(basename(target))
    await refuseIfChanged(file, path)
    const backup = await freeBackupPath(target, now)
    const handle = await openPlain(path, constants.O_RDONLY)
    try {
      await handle.chmod(0o600)
      await rename(path, folder.at(basename(backup)))
      const [own, moved] = [await handle.stat(), await lstat(folder.at(basename(backup)))]
      if (own.ino !== moved.ino) throw changedMeanwhile(file)
    } finally {
      await handle.close()
    }
    return { backup }
  } catch (error) {
    throw error instanceof Problem ? error : envFileNotWritable(target, { cause: error })
  } finally {
    await folder?.close()
  }
}

function unreadable(path: string, cause: unknown): Problem {
  return new Problem(
    {
      code: 'backup-unreadable',
      what: `The backup ${path} can't be read.`,
      why: `It tells what the env file held before. The system says ${codeOf(cause)}.`,
      next: ['EACCES', 'EPERM'].includes(codeOf(cause))
        ? lackOfRights(path)
        : 'Put that right and run this again.',
      exit: 2,
    },
    { cause },
  )
}

/**
 * Keeps a second run away from an env file and what is set up for it. The lock lies beside the file
 * and is taken over when its process is gone. Returns the release. Problems: `locked`,
 * `lock-not-writable`.
 */
export function lockEnvFile(
  file: Pick<EnvFileOnDisk, 'path' | 'realPath'>,
  who: { readonly pid: number; readonly command: string },
): Promise<() => Promise<void>> {
  const path = join(dirname(file.realPath), `${basename(file.realPath)}.mastodon-r2.lock`)
  return lockFile(path, who, { locked: (_, holder) => locked(file.path, path, holder) })
}

function locked(file: string, path: string, holder: LockHolder | undefined): Problem {
  return new Problem({
    code: 'locked',
    what: `Another run of mastodon-r2 holds ${file}.`,
    why: `${holderInWords(path, holder)} Two at once could make two keys and lose one.`,
    next: `Wait until it is done, or stop it with Ctrl-C there; then run this again. If it surely does not run any more: rm ${shellWord(path)}`,
  })
}
