import { lstatSync, readdirSync, readlinkSync, statSync } from 'node:fs'
import { dirname, join, resolve } from 'node:path'

/** Entries that are looked at below a folder that is root's. */
const LOOKED_AT = 200
/** As Linux allows in one path (path_resolution(7)). */
const MOST_LINKS = 40

/**
 * The user with whose rights a media folder is read and written: its owner. Where a link of another
 * user leads to it, that user, who could let it lead anywhere. A folder that is root's may be a mount
 * point: then it is who owns the way to it, and where all of that is root's, most of what lies in it.
 * 0 where nobody but root has a part in it. Throws the system's error when there is no such folder.
 */
export function ownerOf(root: string): number {
  const own = statSync(root).uid
  const { folders, linkers } = wayTo(root)
  const maker = linkers.at(-1)
  if (maker !== undefined && maker !== own) return maker
  if (own !== 0) return own
  return folders.at(-1) ?? mostBelow(root)
}

/** Of the users other than root: who owns the folders on the way, and who made the links in it. */
export function wayTo(path: string): { readonly folders: number[]; readonly linkers: number[] } {
  const [folders, linkers]: [number[], number[]] = [[], []]
  const parts = resolve(path).split('/').slice(1)
  let at = '/'
  let links = 0
  for (let part = parts.shift(); part !== undefined; part = parts.shift()) {
    const next = part === '..' ? dirname(at) : join(at, part)
    const stat = lstatSync(next, { throwIfNoEntry: false })
    if (stat === undefined) break
    if (!stat.isSymbolicLink()) {
      if (stat.uid !== 0) folders.push(stat.uid)
      at = next
      continue
    }
    if (stat.uid !== 0) linkers.push(stat.uid)
    const target = readlinkSync(next)
    if (target.startsWith('/')) at = '/'
    parts.unshift(...target.split('/').filter((name) => name !== '' && name !== '.'))
    links += 1
    if (links > MOST_LINKS) break
  }
  return { folders, linkers }
}

function mostBelow(root: string): number {
  const seen = new Map<number, number>()
  for (const name of readdirSync(root).slice(0, LOOKED_AT)) {
    const { uid = 0 } = lstatSync(join(root, name), { throwIfNoEntry: false }) ?? {}
    if (uid !== 0) seen.set(uid, (seen.get(uid) ?? 0) + 1)
  }
  const [most] = [...seen].sort((a, b) => b[1] - a[1])
  return most?.[0] ?? 0
}
