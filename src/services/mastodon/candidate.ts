import { opendir, realpath, stat } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { readPlain } from '../../core/plain-file.ts'
import { codeOf } from '../../core/problem.ts'
import { readEnvFile } from './env-read.ts'
import type {
  EffectiveSetting,
  EnvFileOnDisk,
  HiddenMedia,
  Installation,
  LocalMedia,
} from './port.ts'

/** A Mastodon found in one folder, before its env file is chosen and its media counted. */
export interface Candidate
  extends Pick<
    Installation,
    | 'kind'
    | 'dir'
    | 'composeFile'
    | 'version'
    | 'units'
    | 'envFiles'
    | 'services'
    | 'unitFiles'
    | 'neighbours'
    | 'compose'
    | 'composeNames'
  > {
  /** Where the settings go when nothing says otherwise; may not exist yet. */
  readonly usualEnvFile: EnvFileOnDisk
  readonly settings: ReadonlyMap<string, EffectiveSetting>
  /** Local media on this machine, or where it is that this tool can't look; `unseen`: a server's, somewhere. */
  readonly media: MediaFolder | { readonly hidden: HiddenMedia } | 'none' | 'unseen'
}

export interface MediaFolder {
  readonly root: string
  /** PAPERCLIP_ROOT_PATH names it. */
  readonly isNamed?: boolean
}

/** What Rails' dotenv loads in production, the winning file first. */
export const railsEnvFiles = ['.env.production.local', '.env.local', '.env.production', '.env']

/** A file as it would be after a change that was not made yet. */
export interface ChangedFile {
  readonly realPath: string
  readonly text: string
}

/** The files that are read on the way to an installation. */
export interface Disk {
  /** An env file, which need not exist; with the Problems of `readEnvFile`. */
  envFile(path: string): Promise<EnvFileOnDisk>
  /** Those of the files that exist; a missing one is no fault, one that can't be read is. */
  existing(paths: readonly string[]): Promise<EnvFileOnDisk[]>
  /** The text of a small plain file; undefined where there is none that this user may read. */
  text(path: string): Promise<string | undefined>
}

/** Bytes; far above any compose file. */
const LARGEST = 1024 * 1024

/** What is on disk, but for one file that is taken as it would be. */
export function diskWith(changed?: ChangedFile): Disk {
  const envFile = async (path: string) => {
    const file = await readEnvFile(path)
    return file.realPath === changed?.realPath
      ? { ...file, exists: true, text: changed.text }
      : file
  }
  return {
    envFile,
    async existing(paths) {
      const files = await Promise.all(
        paths.map((path) =>
          envFile(path).catch((error: unknown) => {
            if (isFolderMissing(error)) return undefined
            throw error
          }),
        ),
      )
      return files.filter((file) => file?.exists === true) as EnvFileOnDisk[]
    },
    async text(path) {
      const real = changed && (await realpath(path).catch(() => path))
      if (changed && real === changed.realPath) return changed.text
      const info = await stat(path).catch(() => undefined)
      if (!info?.isFile() || info.size > LARGEST) return undefined
      return readPlain(path, { follow: true }).then(
        ({ bytes }) => bytes.toString('utf8'),
        () => undefined,
      )
    },
  }
}

function isFolderMissing(error: unknown): boolean {
  return codeOf(error) === 'env-file-folder-missing'
}

/** Where to stop counting. */
export interface CountLimits {
  /** 0: nothing is looked at. */
  readonly files: number
  readonly ms: number
}

/** Nothing to look at: no folder on this machine holds Mastodon's media. */
export const noLocalMedia: LocalMedia = { root: undefined, files: 0, more: false, readable: true }

/** PAPERCLIP_ROOT_PATH as config/initializers/paperclip.rb reads it: `:rails_root` is Mastodon's folder. */
export function mediaRoot(dir: string, paperclipRootPath: string | undefined): string {
  return resolve(dir, (paperclipRootPath || 'public/system').replace(':rails_root', dir))
}

/** Counts the files below a folder up to a bound. Hidden files don't count; no folder, no files. */
export async function localMedia(
  root: string,
  limits: CountLimits = { files: 1000, ms: 200 },
): Promise<LocalMedia> {
  if (limits.files === 0) return { root, files: 0, more: true, readable: true }
  const end = performance.now() + limits.ms
  const waiting: string[] = [await realpath(root).catch(() => root)]
  let files = 0
  let readable = true
  for (let folder = waiting.pop(); folder !== undefined; folder = waiting.pop()) {
    try {
      for await (const entry of await opendir(folder)) {
        if (entry.name.startsWith('.')) continue
        if (entry.isDirectory()) waiting.push(join(folder, entry.name))
        else files += 1
        if (files >= limits.files) return { root, files, more: true, readable }
      }
    } catch (error) {
      if (!isGone(error)) readable = false
    }
    if (performance.now() > end && waiting.length > 0) return { root, files, more: true, readable }
  }
  return { root, files, more: false, readable }
}

function isGone(error: unknown): boolean {
  return codeOf(error) === 'ENOENT'
}
