import { constants } from 'node:fs'
import { access, open, readFile, stat, statfs } from 'node:fs/promises'
import { dirname } from 'node:path'
import { openPlain } from '../../core/plain-file.ts'
import { codeOf } from '../../core/problem.ts'
import { shellWord as quote } from '../../core/shell-word.ts'
import { type EnvFileOnDisk, type EnvHindrance, envFileNotWritable } from './port.ts'

/**
 * What would keep an env file from being replaced, as far as it can be seen before anything is made:
 * it is replaced by rename, after a backup was laid beside it. Of rights only where `userId` is root's:
 * who is not root is told of sudo elsewhere. Problem `env-file-not-writable` (exit 2).
 */
export async function refuseHindered(
  file: EnvFileOnDisk,
  userId: number | undefined,
): Promise<void> {
  const found = await hindranceOf(file, userId === 0)
  if (found) throw envFileNotWritable(file.path, { hindrance: found })
}

/** The same of a disk without room; once the lock is there, which tells of its own lack. */
export async function refuseFullDisk(
  file: EnvFileOnDisk,
  userId: number | undefined,
): Promise<void> {
  const bytes = Buffer.byteLength(file.text)
  const found = await noRoom(dirname(file.realPath), bytes, userId === 0)
  if (found) throw envFileNotWritable(file.path, { hindrance: found })
}

async function hindranceOf(
  { realPath, exists }: EnvFileOnDisk,
  isRoot: boolean,
): Promise<EnvHindrance | undefined> {
  const folder = dirname(realPath)
  // An append-only file may be opened for writing at its end alone.
  const open = () => openPlain(realPath, constants.O_WRONLY).then((handle) => handle.close())
  const [closed, keeps, opened, isMounted] = await Promise.all([
    codeOfTry(access(folder, constants.W_OK)),
    isRoot && keepsNames(folder),
    exists && isRoot ? codeOfTry(open()) : undefined,
    exists && isMountPoint(realPath),
  ])
  if (closed === 'EROFS') return readOnly(folder)
  if (isRoot && (closed === 'EPERM' || keeps)) return fixed(folder, 'Its folder')
  if (opened === 'EPERM') return fixed(realPath, 'The file')
  if (isMounted) {
    return {
      why: 'It is mounted as a single file, so that no other can take its place.',
      next: 'Run this where the file itself lies (on the host, not in the container), or mount its folder in its place.',
    }
  }
  return undefined
}

/** Attributes of chattr(1): in an append-only folder files can be made, and neither renamed nor removed. */
async function keepsNames(folder: string): Promise<boolean> {
  const { O_RDONLY, O_DIRECTORY, O_NOFOLLOW } = constants
  const handle = await open(folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW).catch(() => undefined)
  if (handle === undefined) return false
  try {
    const { mode } = await handle.stat()
    return (await codeOfTry(handle.chmod(mode & 0o7777))) === 'EPERM'
  } finally {
    await handle.close()
  }
}

function fixed(path: string, what: string): EnvHindrance {
  return {
    why: `${what} is immutable or append-only (chattr): not even root may replace what is there.`,
    next: `See it with: lsattr -d ${quote(path)}\nTake it off for the time being: chattr -i -a ${quote(path)}`,
  }
}

function readOnly(folder: string): EnvHindrance {
  return {
    why: 'The disk is mounted read-only.',
    next: `See how it is mounted: findmnt -T ${quote(folder)}`,
  }
}

/** The backup and the new file. */
const NAMES = 2

async function noRoom(
  folder: string,
  bytes: number,
  isRoot: boolean,
): Promise<EnvHindrance | undefined> {
  const disk = await statfs(folder).catch(() => undefined)
  if (disk === undefined) return undefined
  const free = isRoot ? disk.bfree : disk.bavail
  // The backup and the new file; file systems that make inodes as they need them tell of none.
  const full = free < 2 * Math.ceil(bytes / disk.bsize)
  if (!full && (disk.files === 0 || disk.ffree >= NAMES)) return undefined
  return {
    why: full
      ? 'The disk is full. There is no room for a backup and the new file.'
      : 'The disk is full: it has no inodes left for a backup and the new file.',
    next: `See how full it is: df ${full ? '-h' : '-i'} ${quote(folder)}`,
  }
}

/** proc_pid_mountinfo(5): the fifth field, with blanks, tabs, newlines and backslashes in octal. */
async function isMountPoint(path: string): Promise<boolean> {
  const text = await readFile('/proc/self/mountinfo', 'utf8').catch(() => '')
  return text.split('\n').some((line) => {
    const point = line.split(' ')[4] ?? ''
    const plain = point.replaceAll(/\\([0-7]{3})/g, (_, octal: string) => {
      return String.fromCharCode(Number.parseInt(octal, 8))
    })
    return plain === path
  })
}

async function codeOfTry(trying: Promise<unknown>): Promise<string | undefined> {
  return trying.then(
    () => undefined,
    (error: unknown) => codeOf(error),
  )
}

/**
 * Whether a link leads to an env file that somebody else than the file's owner made, who could have let
 * it lead anywhere. `linkers`: who made the links on the way, of the users other than root.
 */
export async function isLedByOthers(
  { realPath, exists }: EnvFileOnDisk,
  linkers: readonly number[],
): Promise<boolean> {
  if (linkers.length === 0) return false
  const { uid } = await stat(exists ? realPath : dirname(realPath))
  return linkers.some((linker) => linker !== uid)
}
