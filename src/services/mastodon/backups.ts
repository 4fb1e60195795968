import { chmod, readdir, readFile, rename, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { Problem } from '../../problem.ts'
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
  const folder = dirname(target)
  const entries = await readdir(folder, { withFileTypes: true }).catch(() => [])
  const found = entries.flatMap((entry) => {
    const age = entry.isFile() ? ageOf(entry.name, basename(target)) : undefined
    return age === undefined ? [] : [{ path: join(folder, entry.name), age }]
  })
  found.sort((a, b) => (a.age < b.age ? 1 : -1))
  return Promise.all(
    found.map(async ({ path }) => {
      const bytes = await readFile(path).catch((error: unknown) => {
        throw unreadable(path, error)
      })
      return { path, text: fileText.decode(bytes) }
    }),
  )
}

/** Makes the file itself the backup (0600): it is gone, and nothing of it is lost. */
export async function setAside(target: string, now: Date): Promise<{ backup: string }> {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '')
  for (let count = 1; ; count += 1) {
    const backup = `${target}.mastodon-r2-${stamp}${count === 1 ? '' : `-${count}`}.bak`
    if (await isThere(backup)) continue
    try {
      await chmod(target, 0o600)
      await rename(target, backup)
      return { backup }
    } catch (error) {
      throw immovable(target, error)
    }
  }
}

/** Sorts by time, then by the number of the copy within that second. */
function ageOf(name: string, file: string): string | undefined {
  if (!name.startsWith(`${file}.mastodon-r2-`)) return undefined
  const rest = name.slice(`${file}.mastodon-r2-`.length)
  const [, stamp, count = '1'] = /^(\d{8}T\d{6}Z)(?:-(\d+))?\.bak$/.exec(rest) ?? []
  return stamp === undefined ? undefined : `${stamp} ${count.padStart(6, '0')}`
}

function isThere(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  )
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
