import { access, realpath } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { Problem } from '../../core/problem.ts'
import { lackOfRights } from '../../core/rights.ts'
import {
  type Candidate,
  type ChangedFile,
  type CountLimits,
  type Disk,
  diskWith,
  railsEnvFiles,
} from './candidate.ts'
import { docker } from './compose/installation.ts'
import { type Ask, askCompose } from './compose/judge.ts'
import { findCompose } from './compose/mastodon-services.ts'
import { declaredBy } from './declared.ts'
import { railsSettings, unitSettings } from './env-read.ts'
import { codeOfReading, countMedia, mediaBelow, mediaOf, refuseMediaDir } from './media-folder.ts'
import { type EnvFileOnDisk, type Installation, versionFromSource } from './port.ts'
import { environmentFilesBelow, findUnits, type MastodonUnit } from './units.ts'

/** Of storage, or of what every env file of Mastodon holds: units have files for other things, too. */
const HANDED = /^(S3|AWS)_|^(SECRET_KEY_BASE|LOCAL_DOMAIN)$/

/**
 * Mastodon run from its source folder. Settings that systemd passes on win over the env files; those
 * of the web unit count for the whole. `root` is put before the absolute paths that units name.
 */
async function bareMetal(
  dir: string,
  { own, elsewhere }: Units,
  root: string,
  disk: Disk,
): Promise<Candidate> {
  const [files, source] = await Promise.all([
    disk.existing(railsEnvFiles.map((name) => join(dir, name))),
    disk.text(join(dir, 'lib/mastodon/version.rb')),
  ])
  const read = await Promise.all(
    own.map(async (unit) => {
      const given = await disk.existing(environmentFilesBelow(root, unit))
      const passedOn = unitSettings(unit.name, unit.environment, given, unit.unset)
      const envFiles = [...given.toReversed(), ...files]
      const isHanded = [...passedOn.keys()].some((name) => HANDED.test(name))
      return { unit, settings: railsSettings(passedOn, files), envFiles, isHanded }
    }),
  )
  const leading = read.find(({ unit }) => unit.part === 'web') ?? read[0]
  const { settings, envFiles } = leading ?? {
    settings: railsSettings(new Map(), files),
    envFiles: files,
  }
  const usual = join(dir, '.env.production')
  const names = (part: string) => own.filter((unit) => unit.part === part).map(({ name }) => name)
  return {
    kind: 'systemd',
    dir,
    composeFile: undefined,
    version: versionFromSource(source ?? '', (name) => settings.get(name)?.value),
    units: { web: names('web'), sidekiq: names('sidekiq') },
    unitFiles: own.flatMap(({ files }) => files),
    neighbours: neighboursOf(elsewhere),
    services: read.map((one) => ({
      name: one.unit.name,
      role: one.unit.part,
      settings: one.settings,
      envFiles: one.envFiles.map(({ path }) => path),
      ...(one.isHanded && { isHanded: true as const }),
    })),
    usualEnvFile: files.find(({ path }) => path === usual) ?? (await disk.envFile(usual)),
    envFiles,
    settings,
    media: mediaOf(dir, settings),
  }
}

/** The units that run Mastodon of one folder, and those that run another one. */
interface Units {
  readonly own: readonly MastodonUnit[]
  readonly elsewhere: readonly MastodonUnit[]
}

function neighboursOf(units: readonly MastodonUnit[]): string[] {
  return [...new Set(units.flatMap(({ workingDirectory }) => workingDirectory ?? []))]
}

export interface Search {
  readonly cwd: string
  /** What --mastodon-dir says: only this folder is looked at. */
  readonly mastodonDir?: string | undefined
  /** What --mastodon-env says: the settings go here. */
  readonly envFile?: string | undefined
  /** What --media-dir says: the media lies here, whatever Mastodon's settings say. */
  readonly mediaDir?: string | undefined
  /** Put before every absolute path that is looked at. */
  readonly root?: string
  /** How far media is counted; `localMedia` tells unless told. */
  readonly countMedia?: CountLimits
  /** Variables of this shell, which compose fills into its file. */
  readonly environment: Readonly<Record<string, string | undefined>>
  /** Asks docker compose, where it is; without it the compose files are read by our own reader. */
  readonly ask?: Ask | undefined
  /** A file as it would be; what it changes is seen in the settings. Compose is not asked then. */
  readonly changed?: ChangedFile | undefined
}

const USUAL_DIRS = [
  '/home/mastodon/live',
  '/opt/mastodon',
  '/var/www/mastodon/live',
  '/srv/mastodon',
]

/** The first of these that a file sets tells where the storage settings live. */
const STORAGE_KEYS = [
  'S3_BUCKET',
  'S3_ENABLED',
  'AWS_ACCESS_KEY_ID',
  'S3_ENDPOINT',
  'S3_ALIAS_HOST',
]

/**
 * Finds Mastodon by reading files; nothing is run but `docker compose config`. Looked at: the given folder, or else the env
 * file's folder, the working directory, the usual folders, and those that systemd units name.
 * Nothing found is kind `none`. Problems (exit 2): `mastodon-dir-…`, `media-dir-…`, `env-file-…`,
 * `compose-file-broken`.
 */
export async function findMastodon(search: Search): Promise<Installation> {
  const { cwd, root = '/', mediaDir } = search
  if (mediaDir !== undefined) await refuseMediaDir(resolve(cwd, mediaDir))
  const disk = diskWith(search.changed)
  const units = await findUnits(root)
  const dirs = await folders(search, units)
  const given =
    search.envFile === undefined ? undefined : await disk.envFile(resolve(cwd, search.envFile))
  const forbidden: string[] = []
  for (const dir of dirs) {
    if (await isForbidden(dir)) {
      forbidden.push(dir)
      continue
    }
    const candidate = await lookAt(dir, units, search, disk)
    if (candidate === undefined) continue
    if (given === undefined) return finish(candidate, search)
    const isMeant = search.mastodonDir !== undefined || isHere(dir, candidate, search)
    if (reads(candidate, given) || isMeant) return finish(candidate, search, given)
  }
  if (given !== undefined) {
    const alone = loose(given, search.mastodonDir && dirs[0])
    const media = await mediaBelow(alone.dir ?? dirname(given.path), alone)
    return finish({ ...alone, media: seen(media, alone) }, search, given)
  }
  const [unreadable] = forbidden
  if (unreadable !== undefined) throw unreadableFolder(unreadable)
  if (search.mastodonDir !== undefined) throw noMastodon(dirs[0] ?? cwd)
  return finish(loose(await disk.envFile(join(cwd, '.env.production')), undefined), search)
}

async function folders({ cwd, mastodonDir, envFile, root = '/' }: Search, units: MastodonUnit[]) {
  if (mastodonDir !== undefined) {
    const dir = resolve(cwd, mastodonDir)
    await refuseNonFolder(dir)
    return [dir]
  }
  const ofUnits = units.flatMap(({ workingDirectory }) => workingDirectory ?? [])
  const ofFile = envFile === undefined ? [] : [dirname(resolve(cwd, envFile))]
  const absolute = [...USUAL_DIRS, ...ofUnits].map((dir) => join(root, dir))
  return [...new Set([...ofFile, cwd, ...absolute])]
}

async function lookAt(
  dir: string,
  units: readonly MastodonUnit[],
  { root = '/', mastodonDir, environment, ask, changed }: Search,
  disk: Disk,
): Promise<Candidate | undefined> {
  const realDir = await realpath(dir).catch(() => dir)
  const inDir = await Promise.all(
    units.map(async ({ workingDirectory }) => {
      if (workingDirectory === undefined) return true
      const path = join(root, workingDirectory)
      return (await realpath(path).catch(() => path)) === realDir
    }),
  )
  const sorted: Units = {
    own: units.filter((_, index) => inDir[index]),
    elsewhere: units.filter((_, index) => !inDir[index]),
  }
  const [hasSource, ...built] = await Promise.all(
    ['lib/mastodon/version.rb', 'vendor/bundle', 'public/packs'].map((name) =>
      exists(join(dir, name)),
    ),
  )
  if (hasSource && sorted.own.length > 0) return bareMetal(dir, sorted, root, disk)
  // The source holds a compose file, too: what was built here tells who uses it.
  if (hasSource && built.includes(true)) return bareMetal(dir, sorted, root, disk)
  const compose = await findCompose(dir, environment, (path) => disk.text(path))
  if (compose !== undefined) {
    const isAsked = ask !== undefined && changed === undefined
    const judgement = isAsked ? await askCompose(dir, compose.project, ask) : undefined
    const found = await docker(dir, compose, disk, judgement)
    if (found !== undefined) return found
    if (mastodonDir !== undefined) throw unreadCompose(compose.project)
  }
  if (hasSource) return bareMetal(dir, sorted, root, disk)
  const files = await disk.existing(railsEnvFiles.map((name) => join(dir, name)))
  const file = files.find(({ path }) => path.endsWith('/.env.production'))
  if (file === undefined) return undefined
  const settings = railsSettings(new Map(), files)
  const media = await mediaBelow(dir, { settings })
  return { ...loose(file, dir), envFiles: files, settings, media }
}

/** Who stands in Mastodon's folder, or names a file of it, means this Mastodon: is it read there? */
function isHere(dir: string, { kind }: Candidate, { cwd, envFile = '' }: Search): boolean {
  return kind !== 'none' && (dir === cwd || dir === dirname(resolve(cwd, envFile)))
}

function reads(candidate: Candidate, given: EnvFileOnDisk): boolean {
  const { envFiles, usualEnvFile, services = [], compose } = candidate
  const files = [...envFiles, usualEnvFile].map(({ realPath }) => realPath)
  const ofServices = services.flatMap((service) => service.envFiles)
  const named = [...ofServices, ...(compose?.variableFiles ?? [])]
  return [...files, ...named].some((path) => path === given.realPath || path === given.path)
}

/** An env file with no Mastodon around it. */
function loose(file: EnvFileOnDisk, dir: string | undefined): Candidate {
  const envFiles = file.exists ? [file] : []
  return {
    kind: 'none',
    dir,
    composeFile: undefined,
    version: undefined,
    units: { web: [], sidekiq: [] },
    usualEnvFile: file,
    envFiles,
    settings: railsSettings(new Map(), envFiles),
    media: 'none',
  }
}

/** Every server that runs has a SECRET_KEY_BASE (Mastodon docs, admin/config): its media is somewhere. */
function seen(media: Candidate['media'], { settings }: Candidate): Candidate['media'] {
  const isOfServer = (settings.get('SECRET_KEY_BASE')?.value ?? '') !== ''
  return media === 'none' && isOfServer ? 'unseen' : media
}

async function finish(
  candidate: Candidate,
  { cwd, countMedia: limits, mediaDir, root = '/', environment }: Search,
  given?: EnvFileOnDisk,
): Promise<Installation> {
  const { usualEnvFile, media, ...found } = candidate
  const isRead = given === undefined || reads(candidate, given)
  const envFiles = isRead ? found.envFiles : loose(given, undefined).envFiles
  const settings = isRead ? found.settings : loose(given, undefined).settings
  const holder = STORAGE_KEYS.map((key) => settings.get(key)?.from)
    .map((from) => envFiles.find(({ path }) => path === from))
    .find((file) => file !== undefined)
  const known = envFiles.find(({ realPath }) => realPath === given?.realPath)
  const envFile = known ?? given ?? holder ?? usualEnvFile
  const isNamed = given !== undefined
  return {
    ...found,
    envFile,
    declared: await declaredBy({ kind: found.kind, envFile, isNamed, root, environment }),
    envFiles,
    settings,
    localDomain: settings.get('LOCAL_DOMAIN')?.value || undefined,
    webDomain: settings.get('WEB_DOMAIN')?.value || undefined,
    media: await countMedia(
      mediaDir === undefined ? media : { root: resolve(cwd, mediaDir) },
      limits,
    ),
  }
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  )
}

async function isForbidden(dir: string): Promise<boolean> {
  return (await codeOfReading(dir)) === 'EACCES'
}

async function refuseNonFolder(dir: string): Promise<void> {
  const code = await codeOfReading(dir)
  if (code === undefined || code === 'EACCES') return
  throw new Problem({
    code: 'mastodon-dir-missing',
    what: code === 'ENOTDIR' ? `${dir} is not a folder.` : `The folder ${dir} does not exist.`,
    why: 'Mastodon is looked for in the folder that --mastodon-dir names, and nowhere else.',
    next: 'Check the path for typing errors, or leave --mastodon-dir out to search the usual places.',
    exit: 2,
  })
}

function unreadCompose({ file, unread }: { file: string; unread: readonly string[] }): Problem {
  return new Problem({
    code: 'compose-file-unread',
    what: `${file} names none of Mastodon's services itself.`,
    why: `They may stand in what only docker compose can read: ${unread.join('; ')}.`,
    next: 'Run this where docker compose is installed, or name the settings file with --mastodon-env.',
    exit: 2,
  })
}

function unreadableFolder(dir: string): Problem {
  return new Problem({
    code: 'mastodon-dir-unreadable',
    what: `The folder ${dir} can't be read.`,
    why: 'This user has no permission to look into it.',
    next: lackOfRights(dir, 'or name the settings file with --mastodon-env'),
    exit: 2,
  })
}

function noMastodon(dir: string): Problem {
  return new Problem({
    code: 'mastodon-dir-empty',
    what: `There is no Mastodon in ${dir}.`,
    why: 'It has neither lib/mastodon/version.rb, nor a compose file with a Mastodon image, nor .env.production.',
    next: 'Give the folder that holds .env.production or docker-compose.yml with --mastodon-dir.',
    exit: 2,
  })
}
