import { readFile } from 'node:fs/promises'
import { dirname, join, resolve } from 'node:path'
import type { Command } from '../process/port.ts'
import { readStatements } from './env-text.ts'
import type { ComposeFile } from './parse-compose.ts'

/** A service of a compose file, its short and long forms brought into one. */
export interface ComposeService {
  readonly image: string | undefined
  readonly builds: boolean
  readonly command: string
  /** `undefined`: passed on from the shell that runs compose. */
  readonly environment: ReadonlyMap<string, string | undefined>
  /** A later file wins. */
  readonly envFiles: readonly { readonly path: string; readonly raw: boolean }[]
  readonly volumes: readonly { readonly source: string; readonly target: string }[]
  readonly extends: { readonly file: string | undefined; readonly service: string } | undefined
}

/** Takes a service out of parsed YAML; what has another form than compose allows is left out. */
function composeService(
  yaml: unknown,
  fill: (text: string) => string = (text) => text,
): ComposeService {
  const service = record(yaml)
  const text = (value: unknown) => (isScalar(value) ? fill(String(value)) : undefined)
  const inherits = service.extends
  const from = text(inherits) ?? text(record(inherits).service)
  return {
    image: text(service.image),
    builds: service.build !== undefined,
    command: [service.command].flat().map(text).join(' '),
    environment: environmentOf(service.environment, text),
    envFiles: list(service.env_file).flatMap((entry) => {
      const path = text(entry) ?? text(record(entry).path)
      return path === undefined ? [] : [{ path, raw: record(entry).format === 'raw' }]
    }),
    volumes: list(service.volumes).flatMap((entry) => {
      const long = record(entry)
      const [source, target] = text(entry)?.split(':') ?? [text(long.source), text(long.target)]
      return source === undefined || target === undefined ? [] : [{ source, target }]
    }),
    extends: from === undefined ? undefined : { file: text(record(inherits).file), service: from },
  }
}

/** `over` on top of `base`, as compose merges override files and `extends`. */
function mergeServices(base: ComposeService, over: ComposeService): ComposeService {
  const targets = new Set(over.volumes.map(({ target }) => target))
  return {
    image: over.image ?? base.image,
    builds: over.builds || base.builds,
    command: over.command || base.command,
    environment: new Map([...base.environment, ...over.environment]),
    envFiles: [...base.envFiles, ...over.envFiles],
    volumes: [...base.volumes.filter(({ target }) => !targets.has(target)), ...over.volumes],
    extends: over.extends,
  }
}

function environmentOf(
  yaml: unknown,
  text: (value: unknown) => string | undefined,
): Map<string, string | undefined> {
  if (!Array.isArray(yaml)) {
    return new Map(Object.entries(record(yaml)).map(([key, value]) => [key, text(value)]))
  }
  return new Map(
    yaml.map((entry) => {
      const line = text(entry) ?? ''
      const equals = line.indexOf('=')
      return equals < 0 ? [line, undefined] : [line.slice(0, equals), line.slice(equals + 1)]
    }),
  )
}

function record(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? (value as Record<string, unknown>)
    : {}
}

function list(value: unknown): unknown[] {
  return value === undefined || value === null ? [] : [value].flat()
}

function isScalar(value: unknown): value is string | number | boolean {
  return ['string', 'number', 'boolean'].includes(typeof value)
}

const REFERENCE = /\$(?:(\$)|([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?:(:?[-+?])([^{}]*))?\})/g

/**
 * Compose's `$NAME`, `${NAME}`, `${NAME:-default}`, `${NAME-default}`, `${NAME:+other}` and `$$`
 * (docs.docker.com/reference/compose-file/interpolation). A missing name is empty.
 */
export function interpolate(
  text: string,
  values: Readonly<Record<string, string | undefined>>,
): string {
  return text.replace(
    REFERENCE,
    (_, dollar?: string, bare?: string, braced?: string, operator = '', operand = '') => {
      if (dollar !== undefined) return '$'
      const value = values[bare ?? braced ?? '']
      const isSet = operator.startsWith(':')
        ? value !== undefined && value !== ''
        : value !== undefined
      if (operator.endsWith('-')) return isSet ? (value ?? '') : operand
      if (operator.endsWith('+')) return isSet ? operand : ''
      return value ?? ''
    },
  )
}

export interface Compose {
  /** The main file; an override file beside it is merged in. */
  readonly file: string
  /** The service that runs Mastodon's web part. */
  readonly service: ComposeService
  /** Every service that runs the web part or Sidekiq, in the order of the file. */
  readonly services: readonly MastodonService[]
  /** Variables of the shell that the files ask for, by name; those of this program are not given. */
  readonly names: readonly string[]
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
  const overText = (await read(override)) ?? ''
  const services = await loadServices(file, text, variables)
  const overrides = await loadServices(override, overText, variables)
  for (const [name, service] of overrides) {
    const base = services.get(name)
    services.set(name, base === undefined ? service : mergeServices(base, service))
  }
  const own = mastodonServices(services)
  const service = webService(own)
  if (service === undefined) return undefined
  const names = asked([text, overText, dotenv], [...services.values()])
  return { file, service, services: withRoles(own, service), names }
}

/** Opens Cloudflare, and is nothing that a container of Mastodon's is given by a run of ours. */
const OURS = /^(CLOUDFLARE|MASTODON_R2)_/

/** What compose fills into the files, and what `environment:` passes on from the shell. */
function asked(texts: readonly string[], services: readonly ComposeService[]): string[] {
  const filled = texts.flatMap((text) =>
    [...text.matchAll(/\$\{?([A-Za-z_]\w*)/g)].map(([, name = '']) => name),
  )
  const passed = services.flatMap(({ environment }) =>
    [...environment].flatMap(([name, value]) => (value === undefined ? [name] : [])),
  )
  return [...new Set([...filled, ...passed])].filter((name) => name !== '' && !OURS.test(name))
}

/** `docker compose <args>` with the variables that its files ask for. */
export function composeCommand(
  args: readonly string[],
  { composeNames = [] }: { readonly composeNames?: readonly string[] | undefined } = {},
): Command {
  return { program: 'docker', args: ['compose', ...args], env: {}, inherits: composeNames }
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
