import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import { type ComposeService, composeService, mergeServices } from './compose-service.ts'
import { readStatements } from './env-text.ts'
import { interpolate } from './interpolate.ts'
import type { ComposeFile } from './parse-compose.ts'

export interface Compose {
  /** The main file; an override file beside it is merged in. */
  readonly file: string
  /** The service that runs Mastodon's web part. */
  readonly service: ComposeService
  /** Every service that runs the web part or Sidekiq, in the order of the file. */
  readonly services: readonly MastodonService[]
}

export interface MastodonService extends ComposeService {
  readonly name: string
  readonly role: 'web' | 'sidekiq'
}

/** In compose's own order of preference. */
const NAMES = ['compose.yaml', 'compose.yml', 'docker-compose.yml', 'docker-compose.yaml']

type Variables = Readonly<Record<string, string | undefined>>

/**
 * The compose file of a folder when one of its services runs Mastodon. Variables come from
 * `environment`, then from the folder's `.env`. Problem: `compose-file-broken` (exit 2).
 */
export async function findCompose(
  dir: string,
  environment: Variables,
): Promise<Compose | undefined> {
  const files = await Promise.all(NAMES.map((name) => read(join(dir, name))))
  const index = files.findIndex((text) => text !== undefined)
  const file = join(dir, NAMES[index] ?? '')
  const text = files[index]
  if (text === undefined || !/mastodon|glitch-soc|hometown/i.test(text)) return undefined
  const dotenv = (await read(join(dir, '.env'))) ?? ''
  const values = readStatements(dotenv, environment).filter(({ active }) => active)
  const variables = {
    ...Object.fromEntries(values.map(({ key, value }) => [key, value])),
    ...environment,
  }
  const override = file.replace(/(\.ya?ml)$/, '.override$1')
  const services = await loadServices(file, text, variables)
  const overrides = await loadServices(override, (await read(override)) ?? '', variables)
  for (const [name, service] of overrides) {
    const base = services.get(name)
    services.set(name, base === undefined ? service : mergeServices(base, service))
  }
  const own = mastodonServices(services)
  const service = webService(own)
  return service === undefined ? undefined : { file, service, services: withRoles(own, service) }
}

async function loadServices(
  file: string,
  text: string,
  variables: Variables,
): Promise<Map<string, ComposeService>> {
  const fill = (value: string) => interpolate(value, variables)
  const found = new Map<string, ComposeService>()
  const { services } = await parse(file, text)
  for (const [name, yaml] of Object.entries(services ?? {})) {
    found.set(name, await extended(composeService(yaml, fill), file, text, fill))
  }
  return found
}

/** One service with what it `extends`, at most ten deep. */
async function extended(
  service: ComposeService,
  file: string,
  text: string,
  fill: (value: string) => string,
  depth = 0,
): Promise<ComposeService> {
  if (service.extends === undefined || depth >= 10) return service
  const { file: otherFile, service: name } = service.extends
  const baseFile = otherFile === undefined ? file : resolve(dirname(file), otherFile)
  const baseText = otherFile === undefined ? text : ((await read(baseFile)) ?? '')
  const { [name]: yaml } = (await parse(baseFile, baseText)).services ?? {}
  if (yaml === undefined) return service
  const base = await extended(composeService(yaml, fill), baseFile, baseText, fill, depth + 1)
  const folder = dirname(baseFile)
  const envFiles = base.envFiles.map((entry) => ({ ...entry, path: resolve(folder, entry.path) }))
  return mergeServices({ ...base, envFiles }, service)
}

/** The YAML parser is loaded for it: most servers have no such file. */
async function parse(file: string, text: string): Promise<ComposeFile> {
  const { parseCompose } = await import('./parse-compose.ts')
  return parseCompose(file, text)
}

type Named = readonly [name: string, service: ComposeService]

function mastodonServices(services: ReadonlyMap<string, ComposeService>): Named[] {
  return [...services].filter(([name, { image = '', builds }]) => {
    if (/streaming/.test(image) || name === 'streaming') return false
    return /mastodon|glitch-soc|hometown/i.test(image) || (builds && /^(web|sidekiq)$/.test(name))
  })
}

/** A service that neither serves the web nor works off jobs (such as a migration) has no part. */
function withRoles(own: readonly Named[], web: ComposeService): MastodonService[] {
  return own.flatMap(([name, service]): MastodonService[] => {
    const isSidekiq =
      service.command === '' ? /sidekiq/.test(name) : /sidekiq/.test(service.command)
    if (isSidekiq) return [{ ...service, name, role: 'sidekiq' }]
    return service === web ? [{ ...service, name, role: 'web' }] : []
  })
}

/** The service called web, or the one that starts Puma, or any that runs Mastodon itself. */
function webService(own: readonly Named[]): ComposeService | undefined {
  const best =
    own.find(([name]) => name === 'web') ??
    own.find(([, { command }]) => /puma|rails s/.test(command)) ??
    own[0]
  return best?.[1]
}

function read(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined)
}
