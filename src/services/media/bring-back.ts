import { randomBytes } from 'node:crypto'
import { constants } from 'node:fs'
import {
  copyFile,
  type FileHandle,
  link,
  lstat,
  mkdir,
  open,
  opendir,
  rename,
  rm,
  statfs,
  unlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { codeOf, Problem } from '../../core/problem.ts'
import type { BringBackPort, LandingFile, LandingPort } from './port.ts'

interface Place {
  readonly uid: number
  readonly gid: number
  readonly mode: number
}

/** Where no file is near enough to learn from: what Mastodon's umask gives on most servers. */
const USUAL_MODE = 0o644
/** As Mastodon hides the media of suspended users on disk. */
const CLOSED_MODE = 0o600
/** Folders that are looked into for a file to learn from. */
const MOST_FOLDERS = 200

/**
 * The folder that holds Mastodon's media (`public/system`). As a whole it may be a link; below it none
 * is followed, so that nothing comes to be elsewhere, whoever swaps what meanwhile.
 */
export function connectBringBack(root: string, folder = root): BringBackPort {
  return {
    folder,
    async add(key, body) {
      const parts = partsOf(key)
      if (parts === undefined) throw notBroughtBack(folder, key, 'Its name leads elsewhere.')
      try {
        return await put(root, parts, body)
      } catch (error) {
        if (error instanceof Problem) throw error
        if (codeOf(error) === 'EEXIST') return false
        throw notBroughtBack(folder, key, `${whyNot(error)}.`, error)
      }
    },
  }
}

/** Undefined for a key that leads out of the folder. */
function partsOf(key: string): string[] | undefined {
  const parts = key.split('/')
  const leads = parts.some((part) => part === '' || part === '.' || part === '..')
  return leads || key.includes('\0') ? undefined : parts
}

function whyNot(error: unknown): string {
  const code = codeOf(error)
  return code === 'ELOOP' || code === 'ENOTDIR'
    ? 'A link or a file lies where a folder should be, and links are not followed'
    : `The system says ${code}`
}

const STAGE = '.mastodon-r2-landing'

/**
 * The same for many files, which somebody else fetches: into a folder beside the media that only their
 * owner may enter, and from there each is put under its name once it is whole.
 */
export function connectLanding(root: string, folder = root): LandingPort {
  const stage = join(root, STAGE)
  let usual: number | undefined
  return {
    folder,
    stage: join(folder, STAGE),

    async open() {
      await rm(stage, { recursive: true, force: true })
      await mkdir(stage, { mode: 0o700 })
    },

    async close() {
      await rm(stage, { recursive: true, force: true })
    },

    async free() {
      const { bavail, bsize } = await statfs(root)
      return bavail * bsize
    },

    async place(files) {
      usual ??= await modeOfFiles(root, root)
      const failed: { key: string; reason: string }[] = []
      for (const file of files) {
        const reason = await placed(root, file, usual)
        if (reason !== undefined) failed.push({ key: file.key, reason })
      }
      return failed
    },

    async hide(keys) {
      const failed: { key: string; reason: string }[] = []
      let hidden = 0
      for (const key of keys) {
        try {
          if (await hide(root, key)) hidden += 1
        } catch (error) {
          failed.push({ key, reason: whyNot(error) })
        }
      }
      return { hidden, failed }
    },
  }
}

/** false where there is no such file, or nobody else may read it. */
async function hide(root: string, key: string): Promise<boolean> {
  const parts = partsOf(key)
  if (parts === undefined) return false
  const opened: FileHandle[] = []
  try {
    let folder = await open(root, O_RDONLY | O_DIRECTORY)
    opened.push(folder)
    for (const part of parts.slice(0, -1)) {
      folder = await open(within(folder, part), O_RDONLY | O_DIRECTORY | O_NOFOLLOW)
      opened.push(folder)
    }
    const how = O_RDONLY | O_NOFOLLOW | constants.O_NONBLOCK
    const file = await open(within(folder, parts.at(-1) ?? ''), how)
    opened.push(file)
    const now = await file.stat()
    if (!now.isFile() || (now.mode & 0o077) === 0) return false
    await file.chmod(CLOSED_MODE)
    return true
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return false
    throw error
  } finally {
    for (const handle of opened) await handle.close()
  }
}

/** Owner and group of its folder, and the mode of the files around; undefined when it is in its place. */
async function placed(
  root: string,
  { key, isClosed, replaces }: LandingFile,
  usual: number,
): Promise<string | undefined> {
  const parts = partsOf(key)
  if (parts === undefined) return 'its name leads elsewhere'
  const opened: FileHandle[] = []
  const fetched = join(root, STAGE, key)
  try {
    const { folder, place } = await openFolder(root, parts.slice(0, -1), opened)
    const handle = await open(fetched, O_RDONLY | O_NOFOLLOW)
    opened.push(handle)
    if (!(await handle.stat()).isFile()) return 'it is no plain file'
    await own(handle, { ...place, mode: isClosed ? CLOSED_MODE : usual })
    await handle.sync()
    const name = parts.at(-1) ?? ''
    if (replaces === undefined) await linkInto(fetched, within(folder, name), folder)
    else if (await isAsItWas(within(folder, name), replaces))
      await moveInto(fetched, within(folder, name), folder)
    else return 'it was changed meanwhile'
    return undefined
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return 'another file of that name is there'
    return whyNot(error)
  } finally {
    for (const handle of opened) await handle.close()
    await unlink(fetched).catch(() => undefined)
  }
}

/** A plain file that was not touched since, or nothing. */
async function isAsItWas(path: string, changedAt: number): Promise<boolean> {
  const now = await lstat(path).catch((error: unknown) => {
    if (codeOf(error) !== 'ENOENT') throw error
  })
  return now === undefined || (now.isFile() && now.ctimeMs <= changedAt)
}

/** `link` never replaces what is there. */
async function linkInto(from: string, path: string, folder: FileHandle): Promise<void> {
  try {
    await link(from, path)
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    await onItsDisk(from, folder, (copy) => link(copy, path))
  }
}

async function moveInto(from: string, path: string, folder: FileHandle): Promise<void> {
  try {
    await rename(from, path)
  } catch (error) {
    if (codeOf(error) !== 'EXDEV') throw error
    await onItsDisk(from, folder, (copy) => rename(copy, path))
  }
}

/** A folder on another disk gets a copy of its own first. */
async function onItsDisk(
  from: string,
  folder: FileHandle,
  name: (copy: string) => Promise<void>,
): Promise<void> {
  const there = within(folder, `.mastodon-r2-${randomBytes(6).toString('hex')}`)
  try {
    await copyFile(from, there, constants.COPYFILE_EXCL)
    const [model, copy] = [await lstat(from), await open(there, O_RDONLY | O_NOFOLLOW)]
    await own(copy, placeOf(model)).finally(() => copy.close())
    await name(there)
  } finally {
    await unlink(there).catch(() => undefined)
  }
}

/** Under its own name only once it is whole; `link` never replaces what is there. */
async function put(root: string, parts: readonly string[], body: Uint8Array): Promise<boolean> {
  const opened: FileHandle[] = []
  try {
    const { folder, near, place } = await openFolder(root, parts.slice(0, -1), opened)
    const wanted = await modeOfFiles(near, root)
    const name = parts.at(-1) ?? ''
    if (await isThere(within(folder, name))) return false
    const temporary = within(folder, `.mastodon-r2-${randomBytes(6).toString('hex')}`)
    const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
    const handle = await open(temporary, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
    try {
      await handle.writeFile(body)
      await own(handle, { ...place, mode: wanted })
      await handle.sync()
      await link(temporary, within(folder, name))
      return true
    } finally {
      await handle.close()
      await unlink(temporary).catch(() => undefined)
    }
  } finally {
    for (const handle of opened) await handle.close()
  }
}

/** A name in an opened folder, wherever that was moved to meanwhile: what openat(2) does. */
function within(folder: FileHandle, name: string): string {
  return `/proc/self/fd/${folder.fd}/${name}`
}

const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants

/** Makes the folders that are missing, each as the one above it. */
async function openFolder(root: string, parts: readonly string[], opened: FileHandle[]) {
  const keep = (handle: FileHandle) => {
    opened.push(handle)
    return handle
  }
  let near = root
  let folder = keep(await open(near, O_RDONLY | O_DIRECTORY))
  let place = placeOf(await folder.stat())
  for (const part of parts) {
    const path = within(folder, part)
    const how = O_RDONLY | O_DIRECTORY | O_NOFOLLOW
    const there = await open(path, how).catch((error: unknown) => {
      if (codeOf(error) === 'ENOENT') return undefined
      throw error
    })
    if (there !== undefined) {
      folder = keep(there)
      place = placeOf(await folder.stat())
      near = join(near, part)
      continue
    }
    await mkdir(path, 0o700)
    folder = keep(await open(path, how))
    await own(folder, place)
  }
  return { folder, near, place }
}

async function isThere(path: string): Promise<boolean> {
  return lstat(path).then(
    () => true,
    () => false,
  )
}

/** Owner and group as far as this user may give them; the mode always. */
async function own(handle: FileHandle, { uid, gid, mode }: Place): Promise<void> {
  const now = await handle.stat()
  if (now.uid !== uid) await handle.chown(uid, gid)
  else if (now.gid !== gid) await handle.chown(uid, gid).catch(() => undefined)
  await handle.chmod(mode)
}

function placeOf({ uid, gid, mode }: Place): Place {
  return { uid, gid, mode: mode & 0o7777 }
}

/** Of the first file that is found below the folder, or below the ones around it. */
async function modeOfFiles(start: string, root: string): Promise<number> {
  const open = start === root ? [root] : [start, dirname(start)]
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
      const mode = isMedia ? (await lstat(path).catch(() => undefined))?.mode : undefined
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
