import { chmod, readFile, rename } from 'node:fs/promises'
import { Problem } from '../../core/problem.ts'
import { freeBackupPath, listBackups } from './backup-name.ts'
import { fileText } from './file-text.ts'

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
      const bytes = await readFile(path).catch((error: unknown) => {
        throw unreadable(path, error)
      })
      return { path, text: fileText.decode(bytes) }
    }),
  )
}

/** Makes the file itself the backup (0600): it is gone, and nothing of it is lost. */
export async function setAside(target: string, now: Date): Promise<{ backup: string }> {
  const backup = await freeBackupPath(target, now)
  try {
    await chmod(target, 0o600)
    await rename(target, backup)
    return { backup }
  } catch (error) {
    throw immovable(target, error)
  }
}

function reason(error: unknown): string {
  return error instanceof Error && 'code' in error ? String(error.code) : 'nothing more'
}

function unreadable(path: string, cause: unknown): Problem {
  return new Problem(
    {
      code: 'backup-unreadable',
      what: `The backup ${path} can't be read.`,
      why: `It tells what the env file held before. The system says ${reason(cause)}.`,
      next: 'Run the same command with sudo.',
      exit: 2,
    },
    { cause },
  )
}

function immovable(path: string, cause: unknown): Problem {
  return new Problem(
    {
      code: 'env-file-not-writable',
      what: `${path} can't be put aside.`,
      why: `The system says ${reason(cause)}. The file is as it was.`,
      next: 'Run the same command with sudo.',
    },
    { cause },
  )
}
