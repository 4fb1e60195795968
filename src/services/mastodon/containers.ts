import { opendir, readFile, realpath } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import type { Command } from '../process/port.ts'
import { type Compose, type ComposeService, composeCommand } from './compose.ts'
import { composeSettings, railsSettings, readEnvFile } from './env-read.ts'
import {
  type EffectiveSetting,
  type EnvFileOnDisk,
  type Installation,
  type LocalMedia,
  type RunningProcess,
  versionFromImage,
  versionFromSource,
} from './port.ts'

/** A Mastodon found in one folder, before its env file is chosen and its media counted. */
export interface Candidate
  extends Pick<
    Installation,
    'kind' | 'dir' | 'composeFile' | 'version' | 'units' | 'envFiles' | 'services' | 'composeNames'
  > {
  /** Where the settings go when nothing says otherwise; may not exist yet. */
  readonly usualEnvFile: EnvFileOnDisk
  readonly settings: ReadonlyMap<string, EffectiveSetting>
  /** Folder of local media on this machine; `hidden`: somewhere this tool can't look. */
  readonly media: { readonly root: string } | 'none' | 'hidden'
}

/** What Rails' dotenv loads in production, the winning file first. */
export const railsEnvFiles = ['.env.production.local', '.env.local', '.env.production', '.env']

/** Those of the files that exist; a missing one is no fault, one that can't be read is. */
export async function existing(paths: readonly string[]): Promise<EnvFileOnDisk[]> {
  const files = await Promise.all(
    paths.map((path) =>
      readEnvFile(path).catch((error: unknown) => {
        if (isFolderMissing(error)) return undefined
        throw error
      }),
    ),
  )
  return files.filter((file) => file?.exists === true) as EnvFileOnDisk[]
}

function isFolderMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'env-file-folder-missing'
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
  return error instanceof Error && 'code' in error && error.code === 'ENOENT'
}

/** Mastodon's folder inside the image: since 4.3, and before (kept as a link). */
const CONTAINER_DIRS = ['/opt/mastodon', '/mastodon']

/**
 * Mastodon run by Docker Compose. The image holds no env files, so what counts is `environment:`,
 * then `env_file:`, then env files that are mounted into Mastodon's folder.
 */
export async function docker(
  dir: string,
  { file: composeFile, service, services, names }: Compose,
  environment: Variables,
): Promise<Candidate> {
  const { envFiles, settings, named } = await reading(dir, composeFile, service, environment)
  const usual = named.find((path) => basename(path) === '.env.production') ?? named.at(-1)
  const source = await readFile(join(dir, 'lib/mastodon/version.rb'), 'utf8').catch(() => '')
  const composed = services.map(async ({ name, role, ...own }) => {
    const read = await reading(dir, composeFile, own, environment)
    return { name, role, settings: read.settings, envFiles: read.envFiles.map(({ path }) => path) }
  })
  return {
    kind: 'docker',
    dir,
    composeFile,
    version: versionFromImage(service.image ?? '') ?? versionFromSource(source),
    units: { web: [], sidekiq: [] },
    services: await Promise.all(composed),
    composeNames: names,
    usualEnvFile: await readEnvFile(usual ?? join(dir, '.env.production')),
    envFiles,
    settings,
    media: mediaOf(dir, service.volumes, settings.get('PAPERCLIP_ROOT_PATH')?.value),
  }
}

type Variables = Readonly<Record<string, string | undefined>>

/** What one service reads; `named` are all env files that the compose file names for it. */
async function reading(
  dir: string,
  composeFile: string,
  service: ComposeService,
  environment: Variables,
) {
  const listed = service.envFiles.map(({ path, raw }) => ({ path: resolve(dir, path), raw }))
  const found = await existing(listed.map(({ path }) => path))
  const files = listed.flatMap(({ path, raw }) => {
    const file = found.find((one) => one.path === path)
    return file === undefined ? [] : [{ file, raw }]
  })
  const passedOn = composeSettings(files, service.environment, composeFile, environment)
  const mounted = await existing(mountedEnvFiles(dir, service.volumes))
  const inOrder = [...files.map(({ file }) => file).toReversed(), ...mounted]
  return {
    settings: railsSettings(passedOn, mounted),
    envFiles: inOrder.filter((file, index) => inOrder.indexOf(file) === index),
    named: [...listed.map(({ path }) => path), ...mounted.map(({ path }) => path)],
  }
}

type Volumes = Compose['service']['volumes']

function mountedEnvFiles(dir: string, volumes: Volumes): string[] {
  return railsEnvFiles.flatMap((name) =>
    volumes
      .filter(({ target }) => CONTAINER_DIRS.some((folder) => target === `${folder}/${name}`))
      .map(({ source }) => resolve(dir, source)),
  )
}

/** The folder on this machine that is mounted where Mastodon keeps its media. */
function mediaOf(dir: string, volumes: Volumes, rootPath: string | undefined): Candidate['media'] {
  const wanted = CONTAINER_DIRS.map((folder) => mediaRoot(folder, rootPath))
  const holding = volumes
    .map(({ source, target }) => ({ source, target: target.replace(/\/+$/, '') }))
    .filter(({ target }) => wanted.some((path) => `${path}/`.startsWith(`${target}/`)))
    .toSorted((a, b) => b.target.length - a.target.length)[0]
  if (holding === undefined) return 'none'
  // A name instead of a path is a volume in Docker's own store.
  if (!/^[./~]/.test(holding.source)) return 'hidden'
  const path = wanted.find((one) => `${one}/`.startsWith(`${holding.target}/`)) ?? holding.target
  return { root: join(resolve(dir, holding.source), path.slice(holding.target.length)) }
}

/** Runs a program that only looks; its failure is a result or a thrown Problem. */
export type Ask = (
  command: Command,
  cwd: string | undefined,
) => Promise<{ readonly exitCode: number | undefined; readonly stdout: string }>

/** Nothing of the environment is asked for: the keys stand in it. */
const FORMAT =
  '{"name":{{json .Name}},"created":{{json .Created}},"command":{{json .Config.Cmd}},"labels":{{json .Config.Labels}}}'

/**
 * Mastodon's containers of the compose project in `dir`. A container keeps the environment that it
 * was created with, so its creation counts, not its start. Undefined when Docker does not answer.
 */
export async function runningContainers(
  { dir, composeNames }: Pick<Installation, 'dir' | 'composeNames'>,
  ask: Ask,
): Promise<RunningProcess[] | undefined> {
  try {
    const ids = await lines(ask, composeCommand(['ps', '--quiet'], { composeNames }), dir)
    if (ids === undefined) return undefined
    if (ids.length === 0) return []
    const args = ['inspect', '--type=container', '--format', FORMAT, ...ids]
    const texts = await lines(ask, { program: 'docker', args, env: {} }, dir)
    return texts?.flatMap((text) => described(JSON.parse(text)) ?? [])
  } catch {
    return undefined
  }
}

async function lines(ask: Ask, command: Command, dir: string | undefined) {
  const { exitCode, stdout } = await ask(command, dir)
  if (exitCode !== 0) return undefined
  return stdout.split('\n').filter((line) => line.trim() !== '')
}

interface Inspected {
  readonly name: string
  readonly created: string
  readonly command: readonly string[] | null
  readonly labels: Readonly<Record<string, string>> | null
}

function described({ name, created, command, labels }: Inspected): RunningProcess | undefined {
  const service = labels?.['com.docker.compose.service'] ?? ''
  const role = roleOf(`${(command ?? []).join(' ')}`) ?? roleOf(service)
  if (role === undefined) return undefined
  return { role, name: `container ${name.replace(/^\//, '')}`, startedAt: new Date(created) }
}

function roleOf(words: string): RunningProcess['role'] | undefined {
  if (/sidekiq/.test(words)) return 'sidekiq'
  if (/streaming/.test(words)) return 'streaming'
  return /puma|rails s|\bweb\b/.test(words) ? 'web' : undefined
}
