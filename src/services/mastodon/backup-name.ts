import { readdir, stat } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import type { EnvBackupPath } from './port.ts'

/** A free name for a copy of an env file: `<file>.mastodon-r2-20261122T164458Z.bak`. */
export async function freeBackupPath(target: string, now: Date): Promise<string> {
  const stamp = now.toISOString().replace(/[-:]|\.\d+/g, '')
  for (let count = 1; ; count += 1) {
    const path = `${target}.mastodon-r2-${stamp}${count === 1 ? '' : `-${count}`}.bak`
    const isTaken = await stat(path).then(
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
