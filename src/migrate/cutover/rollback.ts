import { randomBytes } from 'node:crypto'
import { link, mkdir, open, opendir, stat, unlink } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Problem } from '../../core/problem.ts'
import type { BringBackPort } from '../../services/mastodon/port.ts'
import type { Migration } from '../migration.ts'

export interface BroughtBack {
  /** Files that are in Mastodon's folder again. */
  readonly brought: number
  readonly folder: string | undefined
  /** Keys that are only in the bucket. */
  readonly left: readonly string[]
  /** Why the bucket could not be looked through to its end. */
  readonly unseen: string | undefined
}

/** Our own test files, which are nobody's media. */
const PROBES = 'mastodon-r2-probe/'

/**
 * What Mastodon stored in the bucket while it was switched, and does not find any more now: every
 * object as young as the switch that the source does not have. One Class A request per 1,000 objects.
 */
export async function bringBackSince(
  { bucket, source, tell }: Pick<Migration, 'bucket' | 'source' | 'tell'>,
  port: BringBackPort | undefined,
  since: Date,
): Promise<BroughtBack> {
  // R2 tells times to the millisecond, its clock only to the second.
  const first = since.getTime() - 1_000
  const left: string[] = []
  let brought = 0
  let unseen: string | undefined
  try {
    tell('Looking for media that was stored in the bucket meanwhile')
    for await (const page of bucket().pages()) {
      for (const { key, lastModified } of page) {
        if (lastModified < first || key.startsWith(PROBES)) continue
        if ((await source.find(key)) !== undefined) continue
        if (await isBack(key)) brought += 1
        else left.push(key)
      }
    }
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    unseen = error.what
  }
  return { brought, folder: port?.folder, left, unseen }

  async function isBack(key: string): Promise<boolean> {
    if (port === undefined) return false
    try {
      return await port.add(key, (await bucket().get(key)).body)
    } catch (error) {
      if (error instanceof Problem) return false
      throw error
    }
  }
}

const NAMED = 20

/** For the report; empty when nothing had been stored. */
export function broughtBackWords(
  { brought, folder, left, unseen }: BroughtBack,
  bucket: string,
): string {
  const words: string[] = []
  if (brought > 0) words.push(`${brought} files that came in meanwhile were fetched to ${folder}.`)
  if (left.length > 0) {
    const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : ''
    words.push(
      `Only in the bucket ${bucket}, and to be copied back by you: ${left.slice(0, NAMED).join(', ')}${more}.`,
    )
  }
  if (unseen !== undefined) {
    words.push(
      `The bucket ${bucket} could not be looked through for media that came in meanwhile: ${unseen}`,
    )
  }
  return words.join(' ')
}

interface Place {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** Where no file is near enough to learn from: what Mastodon's umask gives on most servers. */
const USUAL_MODE = 0o644
/** Folders that are looked into for a file to learn from. */
const MOST_FOLDERS = 200

/** The folder that holds Mastodon's media (`public/system`). */
export function connectBringBack(root: string): BringBackPort {
  return {
    folder: root,
    async add(key, body) {
      const parts = key.split('/')
      const leads = parts.some((part) => part === '' || part === '.' || part === '..')
      if (leads || key.includes('\0')) throw notBroughtBack(root, key, 'Its name leads elsewhere.')
      try {
        return await put(root, parts, body)
      } catch (error) {
        const code = error instanceof Error && 'code' in error ? String(error.code) : ''
        if (code === 'EEXIST') return false
        throw notBroughtBack(root, key, `The system says ${code || 'nothing more'}.`, error)
      }
    },
  }
}

/** Under its own name only once it is whole; `link` never replaces what is there. */
async function put(root: string, parts: readonly string[], body: Uint8Array): Promise<boolean> {
  const folder = join(root, ...parts.slice(0, -1))
  const near = await openFolder(root, parts.slice(0, -1))
  const wanted = await modeOfFiles(near.path)
  const temporary = join(folder, `.mastodon-r2-${randomBytes(6).toString('hex')}`)
  const handle = await open(temporary, 'wx', 0o600)
  try {
    await handle.writeFile(body)
    await own(handle, { ...near.place, mode: wanted })
    await handle.sync()
    await link(temporary, join(folder, parts.at(-1) ?? ''))
    return true
  } finally {
    await handle.close()
    await unlink(temporary).catch(() => undefined)
  }
}

/** Makes the folders that are missing, each as the one above it. */
async function openFolder(root: string, parts: readonly string[]) {
  let path = root
  let near = root
  let place = placeOf(await stat(root))
  for (const part of parts) {
    path = join(path, part)
    const there = await stat(path).catch(() => undefined)
    if (there !== undefined) {
      place = placeOf(there)
      near = path
      continue
    }
    await mkdir(path, 0o700)
    const handle = await open(path, 'r')
    await own(handle, place).finally(() => handle.close())
  }
  return { path: near, place }
}

type Handle = Awaited<ReturnType<typeof open>>

async function own(handle: Handle, { uid, gid, mode }: Place): Promise<void> {
  const now = await handle.stat()
  if (now.uid !== uid || now.gid !== gid) await handle.chown(uid, gid)
  await handle.chmod(mode)
}

function placeOf({ uid, gid, mode }: Place): Place {
  return { uid, gid, mode: mode & 0o7777 }
}

/** Of the first file that is found below the folder, or below the ones around it. */
async function modeOfFiles(start: string): Promise<number> {
  const open = [start, dirname(start)]
  let closed: number | undefined
  for (let looked = 0; looked < MOST_FOLDERS; looked++) {
    const folder = open.shift()
    if (folder === undefined) break
    const entries = await opendir(folder).catch(() => undefined)
    if (entries === undefined) continue
    for await (const entry of entries) {
      const path = join(folder, entry.name)
      if (entry.isDirectory()) open.push(path)
      const isMedia = entry.isFile() && !entry.name.startsWith('.')
      const mode = isMedia ? (await stat(path).catch(() => undefined))?.mode : undefined
      // 0600 among open files hides a suspended user's media; it is no model unless all are so.
      if (mode !== undefined && (mode & 0o077) !== 0) return mode & 0o666
      closed ??= mode === undefined ? undefined : mode & 0o666
    }
  }
  return closed ?? USUAL_MODE
}

function notBroughtBack(root: string, key: string, why: string, cause?: unknown): Problem {
  return new Problem(
    {
      code: 'media-not-brought-back',
      what: `${key} could not be written below ${root}.`,
      why: `${why} It is still in the bucket.`,
      next: 'Fetch it from the bucket by hand, with rclone or in the Cloudflare dashboard.',
    },
    { cause },
  )
}
