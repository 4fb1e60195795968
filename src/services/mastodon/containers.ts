import { readFile } from 'node:fs/promises'
import { basename, join, resolve } from 'node:path'
import { type Candidate, existing, railsEnvFiles } from './candidate.ts'
import type { Compose } from './compose.ts'
import type { ComposeService } from './compose-service.ts'
import { composeSettings, railsSettings } from './effective-settings.ts'
import { readEnvFile } from './env-read.ts'
import { mediaRoot } from './local-media.ts'
import { versionFromImage, versionFromSource } from './version.ts'

/** Mastodon's folder inside the image: since 4.3, and before (kept as a link). */
const CONTAINER_DIRS = ['/opt/mastodon', '/mastodon']

/**
 * Mastodon run by Docker Compose. The image holds no env files, so what counts is `environment:`,
 * then `env_file:`, then env files that are mounted into Mastodon's folder.
 */
export async function docker(
  dir: string,
  { file: composeFile, service, services }: Compose,
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
