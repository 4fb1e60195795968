import { access, constants, readlink, realpath, stat } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import { readPlain } from '../../core/plain-file.ts'
import { codeOf, Problem } from '../../core/problem.ts'
import { actingUser, lackOfRights } from '../../core/rights.ts'
import { fileText, readStatements } from './env-text.ts'
import { listBackups } from './env-write.ts'
import type { EffectiveSetting, EnvFileOnDisk, EnvReader } from './port.ts'
import { readEnvironmentFile } from './systemd.ts'

/** Bytes; far above any real env file. */
const LARGEST = 256 * 1024

/**
 * An env file as it is on disk; one that doesn't exist is empty, but its folder must exist.
 * Problems (exit 2): `env-file-unreadable`, `env-file-folder-missing`, `env-file-is-folder`,
 * `env-file-not-text`.
 */
export async function readEnvFile(path: string): Promise<EnvFileOnDisk> {
  const realPath = await followed(path)
  const folder = dirname(realPath)
  const info = await stat(realPath).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return undefined
    throw codeOf(error) === 'ENOTDIR' ? folderMissing(path) : unreadable(path, error)
  })
  if (info === undefined) {
    const parent = await stat(folder).catch(() => undefined)
    if (!parent?.isDirectory()) throw folderMissing(path)
    const writable = await allows(folder, constants.W_OK | constants.X_OK)
    return { path, realPath, exists: false, text: '', mode: undefined, writable }
  }
  if (info.isDirectory()) throw isFolder(path)
  if (!info.isFile() || info.size > LARGEST) throw notText(path)
  const { bytes } = await readPlain(realPath, { most: LARGEST }).catch((error: unknown) => {
    throw ['ENOTSUP', 'EFBIG'].includes(codeOf(error)) ? notText(path) : unreadable(path, error)
  })
  if (bytes.includes(0)) throw notText(path)
  return {
    path,
    realPath,
    exists: true,
    text: fileText.decode(bytes),
    mode: info.mode & 0o7777,
    writable: await replaceable(realPath, info.uid),
    ...(info.nlink > 1 && { otherNames: info.nlink - 1 }),
  }
}

/** The file that a path means in the end, a dangling symlink included. */
async function followed(path: string): Promise<string> {
  try {
    return await realpath(path)
  } catch (error) {
    if (codeOf(error) === 'EACCES') throw unreadable(path, error)
    const link = await readlink(path).catch(() => undefined)
    if (link !== undefined) {
      const target = resolve(dirname(path), link)
      const parent = await realpath(dirname(target)).catch(() => dirname(target))
      return join(parent, basename(target))
    }
    const folder = await realpath(dirname(path)).catch(() => undefined)
    return folder === undefined ? path : join(folder, path.slice(dirname(path).length))
  }
}

/** A file is replaced by rename, so its folder must be writable and its owner kept. */
async function replaceable(realPath: string, owner: number): Promise<boolean> {
  const user = actingUser()
  if (user !== 0 && user !== owner) return false
  const folder = await allows(dirname(realPath), constants.W_OK | constants.X_OK)
  return folder && (await allows(realPath, constants.W_OK))
}

function allows(path: string, mode: number): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  )
}

function unreadable(path: string, cause: unknown): Problem {
  const code = codeOf(cause)
  const ofRights = code === 'EACCES' || code === 'EPERM'
  const another = 'or name another file with --mastodon-env'
  const why = ofRights
    ? 'This user has no permission; the file belongs to Mastodon and holds its passwords.'
    : code === 'ELOOP'
      ? 'Its symlinks go round in a circle.'
      : `The system says ${code}.`
  return new Problem(
    {
      code: 'env-file-unreadable',
      what: `${path} can't be read.`,
      why,
      next: ofRights ? lackOfRights(path, another) : `Put that right, ${another}.`,
      exit: 2,
    },
    { cause },
  )
}

function folderMissing(path: string): Problem {
  return new Problem({
    code: 'env-file-folder-missing',
    what: `The folder ${dirname(path)} does not exist.`,
    why: `So there is no ${path}, and none can be made there.`,
    next: 'Check the path for typing errors and give it again with --mastodon-env.',
    exit: 2,
  })
}

function isFolder(path: string): Problem {
  return new Problem({
    code: 'env-file-is-folder',
    what: `${path} is a folder, not a file.`,
    why: 'Mastodon keeps its settings in a file, mostly named .env.production.',
    next: `Give the file itself: --mastodon-env ${join(path, '.env.production')}`,
    exit: 2,
  })
}

function notText(path: string): Problem {
  return new Problem({
    code: 'env-file-not-text',
    what: `${path} is no env file.`,
    why: 'It is not a plain text file, or larger than 256 KiB (a file saved as UTF-16 counts as not plain).',
    next: 'Give the path of .env.production with --mastodon-env.',
    exit: 2,
  })
}

/** The doctor's reader of env files; it never writes. */
export const envReader: EnvReader = {
  statements: (text) => readStatements(text),
  backups: ({ realPath }) => listBackups(realPath),
  changedAt: ({ realPath }) =>
    stat(realPath).then(
      ({ mtime }) => mtime,
      () => undefined,
    ),
}

type Settings = Map<string, EffectiveSetting>
/**
 * Bare metal: what systemd passes on wins; then Rails' dotenv loads `files` in their order and
 * never overwrites. `$NAME` is filled in from what is known by then; a `$(command)` stays.
 */
export function railsSettings(
  given: Settings,
  files: readonly Pick<EnvFileOnDisk, 'path' | 'text'>[],
): Settings {
  const settings = new Map(given)
  for (const { path, text } of files) {
    const known = Object.fromEntries([...settings].map(([key, { value }]) => [key, value]))
    const fresh = readStatements(text, known).filter(({ active, key }) => active && !(key in known))
    for (const { key, value } of fresh) settings.set(key, { value, from: path })
  }
  return settings
}

/**
 * What a unit passes on: `Environment=`, then its files, a later one winning; at last
 * `UnsetEnvironment=` takes out `NAME`, or `NAME=value` where it has just that value.
 */
export function unitSettings(
  name: string,
  environment: ReadonlyMap<string, string>,
  files: readonly EnvFileOnDisk[],
  unset: readonly string[],
): Settings {
  const from = `systemd unit ${name}`
  const settings: Settings = new Map()
  for (const [key, value] of environment) settings.set(key, { value, from })
  for (const { path, text } of files) {
    for (const [key, value] of readEnvironmentFile(text)) settings.set(key, { value, from: path })
  }
  for (const entry of unset) {
    const [, key = '', value] = /^([^=]*)(?:=([\s\S]*))?$/.exec(entry) ?? []
    if (value === undefined || settings.get(key)?.value === value) settings.delete(key)
  }
  return settings
}
