import { dirname, join, resolve } from 'node:path'
import type { LookUp } from './interpolate.ts'
import { type Loading, loadServices, withEnvFiles } from './load.ts'
import { isDict } from './merge.ts'
import { type ComposeService, serviceOf } from './service.ts'

/** What a folder's compose files say, by the rules of compose; nothing is run. */
export interface ComposeProject {
  /** Where the project lives: paths of its files start there. */
  readonly folder: string
  /** The main file. */
  readonly file: string
  /** Every file that was read: compose files and what they include, `.env`. */
  readonly files: readonly string[]
  /** The files that give `${NAME}` its values, a later one winning; they need not exist. */
  readonly variableFiles: readonly string[]
  readonly lookUp: LookUp
  /** Variables of the shell that the files ask for; those of this program are not given. */
  readonly shell: readonly string[]
  readonly services: readonly ComposeService[]
  /** Why compose itself would refuse it. */
  readonly refused: readonly string[]
  /** What only compose can read. */
  readonly unread: readonly string[]
}

/** In compose's own order of preference (cli/options.go of compose-go; docker-compose 2.26.1). */
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']
const OVERRIDES = [
  'compose.override.yml',
  'compose.override.yaml',
  'docker-compose.override.yml',
  'docker-compose.override.yaml',
]

/** Opens Cloudflare, and is nothing that a container of Mastodon's is given by a run of ours. */
const OURS = /^(CLOUDFLARE|MASTODON_R2)_/

type Variables = Readonly<Record<string, string | undefined>>
type Read = Loading['read']

/**
 * The compose project of a folder; undefined where it has none. Variables come from `environment`,
 * then from `.env`. Problem: `compose-file-broken` (exit 2).
 */
export async function loadProject(
  dir: string,
  environment: Variables,
  read: Read,
): Promise<ComposeProject | undefined> {
  const refused: string[] = []
  const unread: string[] = []
  const files = new Set<string>()
  const loading = {
    read,
    home: environment.HOME,
    refuse: (reason: string) => void refused.push(reason),
    unread: (what: string) => void unread.push(what),
    seen: (path: string) => void files.add(path),
  }
  const asked = new Set<string>()
  const shell: LookUp = (name) => {
    if (environment[name] !== undefined && !OURS.test(name)) asked.add(name)
    return environment[name]
  }
  const given = listed(environment.COMPOSE_ENV_FILES, ',').map((path) => resolve(dir, path))
  const isOff = /^(1|t|true)$/i.test(environment.COMPOSE_DISABLE_ENV_FILE ?? '')
  const first = given.length > 0 ? given : isOff ? [] : [join(dir, '.env')]
  const here = await withEnvFiles(first, { ...loading, lookUp: shell })
  const separator = here('COMPOSE_PATH_SEPARATOR') || ':'
  const named = listed(here('COMPOSE_FILE'), separator).map((path) => resolve(dir, path))
  const composeFiles = named.length > 0 ? named : await usualFiles(dir, read)
  const [file] = composeFiles
  if (file === undefined) return undefined
  const folder = dirname(file)
  // A project that lives elsewhere has an .env of its own, behind the one here.
  const variableFiles =
    first.length === 1 && given.length === 0
      ? [...new Set([join(folder, '.env'), ...first])]
      : first
  const lookUp =
    folder === dir ? here : await withEnvFiles([join(folder, '.env')], { ...loading, lookUp: here })
  const services = await loadServices(composeFiles, folder, { ...loading, lookUp })
  return {
    folder,
    file,
    files: [...files],
    variableFiles,
    lookUp,
    shell: [...asked],
    services: Object.entries(services).map(([name, service]) =>
      serviceOf(name, isDict(service) ? service : {}),
    ),
    refused,
    unread,
  }
}

function listed(value: string | undefined, separator: string): string[] {
  return (value ?? '').split(separator).filter((entry) => entry !== '')
}

async function usualFiles(dir: string, read: Read): Promise<string[]> {
  const firstOf = async (names: readonly string[]) => {
    const paths = names.map((name) => join(dir, name))
    const texts = await Promise.all(paths.map(read))
    return paths.filter((_, nth) => texts[nth] !== undefined).slice(0, 1)
  }
  const main = await firstOf(NAMES)
  return main.length === 0 ? [] : [...main, ...(await firstOf(OVERRIDES))]
}
