import { chmodSync, mkdtempSync, readFileSync, rmSync, statfsSync } from 'node:fs'

const IN_MEMORY = '/dev/shm'
const NEEDED = 1024 ** 3

/**
 * A folder in memory for what tests write, gone when this process ends; undefined where there is
 * none with room, or where TMPDIR says another. Tests make and remove thousands of files, and for
 * each new one ext4 looks through all that were removed lately.
 */
export function temporaryFolder(): string | undefined {
  if (process.env.TMPDIR || !isUsable()) return undefined
  const folder = mkdtempSync(`${IN_MEMORY}/r2-`)
  chmodSync(folder, 0o1777)
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  return folder
}

/** Containers often have a small one, from which no program can be started. */
function isUsable(): boolean {
  if (process.platform !== 'linux') return false
  const mounts = readFileSync('/proc/mounts', 'utf8').split('\n')
  const [, , kind, options = ''] =
    mounts.find((line) => line.split(' ')[1] === IN_MEMORY)?.split(' ') ?? []
  if (kind !== 'tmpfs' || /\b(ro|noexec)\b/.test(options)) return false
  const { bavail, bsize } = statfsSync(IN_MEMORY)
  return bavail * bsize >= NEEDED
}
