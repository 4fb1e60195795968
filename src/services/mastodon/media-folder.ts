import { access, readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../core/problem.ts'
import { shellWord } from '../../core/shell-word.ts'
import {
  type Candidate,
  type CountLimits,
  localMedia,
  type MediaFolder,
  mediaRoot,
  noLocalMedia,
} from './candidate.ts'
import type { LocalMedia } from './port.ts'

/** Where Mastodon of that folder keeps its media, by its settings. */
export function mediaOf(dir: string, settings: Candidate['settings']): MediaFolder {
  const named = settings.get('PAPERCLIP_ROOT_PATH')?.value
  return { root: mediaRoot(dir, named), ...(named ? { isNamed: true } : {}) }
}

/** A folder with nothing of Mastodon but its env file and its media: they may be all of it here. */
export async function mediaBelow(
  dir: string,
  { settings }: Pick<Candidate, 'settings'>,
): Promise<Candidate['media']> {
  const media = mediaOf(dir, settings)
  const isMeant = media.isNamed || (await codeOfReading(media.root)) !== 'ENOENT'
  return isMeant ? media : 'none'
}

/** How much of it there is; what can't be looked at counts as unreadable, not as nothing. */
export async function countMedia(
  media: Candidate['media'],
  limits?: CountLimits,
): Promise<LocalMedia> {
  if (media === 'none') return noLocalMedia
  if (media === 'unseen') return { ...noLocalMedia, unseen: true }
  if ('hidden' in media) return { ...noLocalMedia, readable: false, hidden: media.hidden }
  const counted = await localMedia(media.root, limits)
  // Where a setting names a folder, one that is not there may be a disk that is not mounted.
  const isGone = media.isNamed === true && (await codeOfReading(media.root)) === 'ENOENT'
  return isGone ? { ...counted, readable: false } : counted
}

/** Why a folder can't be listed, e.g. `ENOENT`; undefined when it can. */
export function codeOfReading(dir: string): Promise<string | undefined> {
  return readdir(dir).then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code,
  )
}

const MEDIA_FOLDER = 'public/system'

/**
 * The keys of objects are paths below the media folder, so it has to be that one and none above it.
 * Problems (exit 2): `media-dir-missing`, `media-dir-above`.
 */
export async function refuseMediaDir(dir: string): Promise<void> {
  const code = await codeOfReading(dir)
  const below = join(dir, MEDIA_FOLDER)
  if (code === undefined && (await isThere(below))) throw aboveMedia(dir, below)
  if (code === undefined || code === 'EACCES') return
  throw new Problem({
    code: 'media-dir-missing',
    what: code === 'ENOTDIR' ? `${dir} is not a folder.` : `The folder ${dir} does not exist.`,
    why: 'The media is read in the folder that --media-dir names, and nowhere else.',
    next: 'Check the path for typing errors. Is the disk mounted?',
    exit: 2,
  })
}

function aboveMedia(dir: string, below: string): Problem {
  return new Problem({
    code: 'media-dir-above',
    what: `${dir} is not the folder with the media, but one above it.`,
    why: `${below} is there, and the names of all files begin below that.`,
    next: `Name the folder with the media: --media-dir ${shellWord(below)}`,
    exit: 2,
  })
}

function isThere(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}
