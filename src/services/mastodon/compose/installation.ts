import { basename, join, resolve } from 'node:path'
import { type Candidate, type Disk, mediaRoot, railsEnvFiles } from '../candidate.ts'
import { railsSettings } from '../env-read.ts'
import { type EffectiveSetting, versionFromImage, versionFromSource } from '../port.ts'
import type { Judgement } from './judge.ts'
import type { Compose, MastodonService } from './mastodon-services.ts'
import { mastodonServices } from './mastodon-services.ts'
import { serviceSettings } from './settings.ts'

/** Mastodon's folder inside the image: since 4.3, and before (kept as a link). */
const CONTAINER_DIRS = ['/opt/mastodon', '/mastodon']
/** linuxserver's image keeps what is to stay below /config (docs.linuxserver.io). */
const LINUXSERVER = { image: /linuxserver\/mastodon/, media: '/config/mastodon/public/system' }

/**
 * Mastodon run by Docker Compose. The image holds no env files, so what counts is `environment:`,
 * then `env_file:`, then env files that are mounted into Mastodon's folder. Where compose itself was
 * asked, its answer counts; the files then tell where each value comes from. Undefined where none of
 * the services is Mastodon's.
 */
export async function docker(
  dir: string,
  compose: Compose,
  disk: Disk,
  judgement: Judgement | undefined,
): Promise<Candidate | undefined> {
  const { project } = compose
  const judged = judgement?.is === 'read' ? judgement.services : undefined
  const services = judged === undefined ? compose.services : placed(judged, compose)
  const read = await Promise.all(
    services.map(async (service) => ({
      service,
      ...(await reading(compose, service, disk, judged !== undefined)),
    })),
  )
  const web = read.find(({ service }) => service.role === 'web') ?? read[0]
  if (web === undefined) return undefined
  const usual =
    web.named.find((path) => basename(path) === '.env.production') ??
    web.named.at(-1) ??
    project.variableFiles.find(() => passesStorage(web.service))
  const source = (await disk.text(join(dir, 'lib/mastodon/version.rb'))) ?? ''
  const ownRefusals = [...project.refused, ...read.flatMap(({ refused }) => refused)]
  return {
    kind: 'docker',
    dir,
    composeFile: project.file,
    compose: {
      files: [project.file, ...project.files.filter((file) => file !== project.file)],
      variableFiles: project.variableFiles,
      refused: judgement?.is === 'refused' ? [judgement.reason] : judged ? [] : ownRefusals,
      unread: judged === undefined ? unreadOf(compose, read) : [],
    },
    composeNames: project.shell,
    version: versionFromImage(web.service.image ?? '') ?? versionFromSource(source),
    units: { web: [], sidekiq: [] },
    services: read.map(({ service: { name, role }, settings, envFiles }) => ({
      name,
      role,
      settings,
      envFiles: envFiles.map(({ path }) => path),
    })),
    usualEnvFile: await disk.envFile(usual ?? join(dir, '.env.production')),
    envFiles: web.envFiles,
    settings: web.settings,
    media: mediaOf(web.service, web.settings.get('PAPERCLIP_ROOT_PATH')?.value),
  }
}

/** The services as compose has them, with the env files that the compose files name. */
function placed(judged: readonly Omit<MastodonService, 'role'>[], { project }: Compose) {
  const named = judged.map((service) => ({
    ...service,
    envFiles: project.services.find(({ name }) => name === service.name)?.envFiles ?? [],
  }))
  return mastodonServices(named)
}

type Reading = Awaited<ReturnType<typeof reading>>

/** What one service is given; `named` are all env files that the compose file names for it. */
async function reading(
  { project }: Compose,
  service: MastodonService,
  disk: Disk,
  isJudged: boolean,
) {
  const own = project.services.find(({ name }) => name === service.name) ?? service
  const text = (path: string) => disk.text(path)
  const [newer, older] = await Promise.all([
    serviceSettings(project, own, text),
    serviceSettings(project, own, text, { filesFirst: true }),
  ])
  const written = newer.settings
  const passedOn = isJudged ? withOrigin(service.environment, written, project.file) : written
  const given = await withVariableFile(passedOn, project.file, project.variableFiles, disk)
  const listed = service.envFiles.map(({ path }) => path)
  const mounted = await disk.existing(mountedEnvFiles(service))
  const files = await disk.existing(listed)
  const variables = await disk.existing(
    project.variableFiles.filter((path) => [...given.values()].some(({ from }) => from === path)),
  )
  const inOrder = [...variables, ...files.toReversed(), ...mounted]
  const differing = [...newer.settings].filter(
    ([key, { value }]) => older.settings.get(key)?.value !== value,
  )
  return {
    settings: railsSettings(given, mounted),
    envFiles: inOrder.filter(
      (file, index) => inOrder.findIndex(({ path }) => path === file.path) === index,
    ),
    named: [...listed, ...mounted.map(({ path }) => path)],
    refused: newer.refused,
    differing: differing.map(([key]) => key),
  }
}

/** Compose tells values, not where they stand. */
function withOrigin(
  environment: MastodonService['environment'],
  written: ReadonlyMap<string, EffectiveSetting>,
  file: string,
): Map<string, EffectiveSetting> {
  const settings = new Map<string, EffectiveSetting>()
  for (const [key, value] of environment) {
    if (value === undefined) continue
    const own = written.get(key)
    settings.set(key, { value, from: own?.value === value ? own.from : file })
  }
  return settings
}

/** A value that `environment:` takes from a variable of the same name stands in `.env`. */
async function withVariableFile(
  settings: ReadonlyMap<string, EffectiveSetting>,
  composeFile: string,
  variableFiles: readonly string[],
  disk: Disk,
): Promise<Map<string, EffectiveSetting>> {
  const given = new Map(settings)
  for (const file of await disk.existing(variableFiles)) {
    const values = railsSettings(new Map(), [file])
    for (const [key, { value }] of values) {
      const now = settings.get(key)
      if (now?.from === composeFile && now.value === value && value !== '') {
        given.set(key, { value, from: file.path })
      }
    }
  }
  return given
}

/** Newer and older versions of compose look up `${NAME}` in env files in another order. */
function unreadOf(
  { project }: Compose,
  read: readonly (Reading & { readonly service: MastodonService })[],
) {
  const ambiguous = read
    .filter(({ differing }) => differing.length > 0)
    .map(
      ({ service, differing }) =>
        `services.${service.name}: ${differing.join(', ')}, which versions of compose read differently`,
    )
  return [...project.unread, ...ambiguous]
}

function passesStorage({ environment }: MastodonService): boolean {
  return [...environment.keys()].some((name) => /^(S3|AWS)_/.test(name))
}

function mountedEnvFiles({ volumes }: MastodonService): string[] {
  return railsEnvFiles.flatMap((name) =>
    volumes
      .filter(({ target }) => CONTAINER_DIRS.some((folder) => target === `${folder}/${name}`))
      .map(({ source }) => source),
  )
}

/** The folder on this machine that is mounted where Mastodon keeps its media. */
function mediaOf(service: MastodonService, rootPath: string | undefined): Candidate['media'] {
  const isLinuxserver = LINUXSERVER.image.test(service.image ?? '')
  const wanted = isLinuxserver
    ? [LINUXSERVER.media]
    : CONTAINER_DIRS.map((folder) => mediaRoot(folder, rootPath))
  const holding = service.volumes
    .map(({ source, target }) => ({ source, target: target.replace(/\/+$/, '') }))
    .filter(({ target }) => wanted.some((path) => `${path}/`.startsWith(`${target}/`)))
    .toSorted((a, b) => b.target.length - a.target.length)[0]
  const [path = ''] = wanted
  if (holding === undefined) return { hidden: { path, service: service.name, volume: undefined } }
  // A name instead of a path is a volume in Docker's own store; no name, one that goes with time.
  if (!holding.source.startsWith('/')) {
    const volume = holding.source === '' ? undefined : holding.source
    return { hidden: { path, service: service.name, volume } }
  }
  const inside = wanted.find((one) => `${one}/`.startsWith(`${holding.target}/`)) ?? holding.target
  return { root: join(resolve(holding.source), inside.slice(holding.target.length)) }
}
