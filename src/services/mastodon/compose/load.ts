import { dirname, join, resolve } from 'node:path'
import { readEnvLines } from './env-lines.ts'
import { interpolate, type LookUp } from './interpolate.ts'
import {
  asSequence,
  type Dict,
  drop,
  isDict,
  mergeService,
  uniqueLists,
  volumeParts,
} from './merge.ts'

/** Where a project is loaded from, and who is told what can't be. */
export interface Loading {
  /** Undefined where there is no such file, or no right to read it. */
  readonly read: (path: string) => Promise<string | undefined>
  readonly lookUp: LookUp
  /** `~` of volumes. */
  readonly home: string | undefined
  /** Why compose itself would refuse the project. */
  readonly refuse: (reason: string) => void
  /** What only compose can read, in words. */
  readonly unread: (what: string) => void
  /** Every file that was read. */
  readonly seen: (path: string) => void
}

/** The `services` of some files, a later one on top, all paths in them absolute. */
export async function loadServices(
  files: readonly string[],
  folder: string,
  loading: Loading,
  above: readonly string[] = [],
): Promise<Dict> {
  let services: Dict = {}
  for (const file of files) {
    const text = await loading.read(file)
    if (text === undefined) {
      loading.refuse(`${file} is not there, or can't be read`)
      continue
    }
    loading.seen(file)
    for (const { content, dropped } of await parse(file, text)) {
      const filled = fill(content, file, loading)
      const included = await loadIncluded(filled.include, folder, loading, [...above, file])
      drop(services, dropped)
      const own = await withExtended(dictOf(filled.services), file, loading)
      services = mergeAll(services, mergeAll(included, own, loading), loading)
    }
  }
  return withPaths(withPassedOn(services, loading), folder, loading)
}

/** The YAML parser is loaded for it: most servers have no such file. */
async function parse(file: string, text: string) {
  const { parseCompose } = await import('./yaml.ts')
  return parseCompose(file, text)
}

function fill(content: Dict, file: string, { lookUp, refuse }: Loading): Dict {
  const filled = (value: unknown, path: string): unknown => {
    if (typeof value === 'string') {
      return interpolate(value, lookUp, (why) => refuse(`${file}: ${path}: ${why}`))
    }
    if (Array.isArray(value)) return value.map((one, index) => filled(one, `${path}[${index}]`))
    if (!isDict(value)) return value
    return Object.fromEntries(
      Object.entries(value).map(([key, one]) => [
        key,
        filled(one, path === '' ? key : `${path}.${key}`),
      ]),
    )
  }
  return filled(content, '') as Dict
}

function mergeAll(base: Dict, over: Dict, { refuse }: Loading): Dict {
  const merged: Dict = { ...base }
  for (const [name, service] of Object.entries(over)) {
    const told = (reason: string) => refuse(`services.${name}: ${reason}`)
    merged[name] = mergeService(dictOf(base[name]), dictOf(service), told)
  }
  return merged
}

async function loadIncluded(
  include: unknown,
  folder: string,
  loading: Loading,
  above: readonly string[],
): Promise<Dict> {
  let services: Dict = {}
  for (const entry of asSequence(include)) {
    const {
      path,
      project_directory: place,
      env_file: envFile,
    } = isDict(entry) ? entry : { path: entry }
    const paths = asSequence(path).map(String)
    const remote = paths.find(isRemote)
    if (remote !== undefined || paths.length === 0) {
      loading.unread(`include: ${remote ?? 'without a path'}`)
      continue
    }
    const files = paths.map((one) => resolve(folder, one))
    const [main = ''] = files
    if (above.includes(main)) {
      loading.refuse(`${main} includes itself`)
      continue
    }
    const home = typeof place === 'string' ? resolve(folder, place) : dirname(main)
    const envFiles =
      envFile === undefined || envFile === null
        ? [join(home, '.env')]
        : asSequence(envFile).map((one) => resolve(folder, String(one)))
    const lookUp = await withEnvFiles(envFiles, loading)
    const found = await loadServices(files, home, { ...loading, lookUp }, above)
    services = mergeAll(services, found, loading)
  }
  return services
}

function isRemote(path: string): boolean {
  return /^(https?|oci|ssh|git):|^git@|\.git(#|$)/.test(path)
}

/** What is looked up outside first, then in these files, a later one winning. */
export async function withEnvFiles(
  files: readonly string[],
  { lookUp, read, refuse, seen }: Pick<Loading, 'lookUp' | 'read' | 'refuse' | 'seen'>,
): Promise<LookUp> {
  const values = new Map<string, string>()
  for (const file of files) {
    const text = await read(file)
    if (text === undefined) continue
    seen(file)
    const outside: LookUp = (name) => lookUp(name) ?? values.get(name)
    const own = readEnvLines(text, outside, (why) => refuse(`${file}: ${why}`))
    for (const [key, value] of own) values.set(key, value)
  }
  return (name) => lookUp(name) ?? values.get(name)
}

async function withExtended(services: Dict, file: string, loading: Loading): Promise<Dict> {
  const found: Dict = {}
  for (const name of Object.keys(services)) {
    found[name] = await extended(name, services, file, loading, [])
  }
  return found
}

/** One service with all that it `extends`. */
async function extended(
  name: string,
  services: Dict,
  file: string,
  loading: Loading,
  above: readonly string[],
): Promise<Dict> {
  const { extends: from, ...service } = uniqueLists(dictOf(services[name]))
  if (from === undefined || from === null) return service
  const { service: base, file: elsewhere } = isDict(from)
    ? from
    : { service: from, file: undefined }
  const id = `${file} ${name}`
  if (typeof base !== 'string' || above.includes(id)) {
    loading.refuse(`services.${name}.extends goes round in a circle, or names no service`)
    return service
  }
  const told = (reason: string) => loading.refuse(`services.${name}: ${reason}`)
  if (typeof elsewhere !== 'string') {
    if (!(base in services)) told(`extends ${base}, which is not in ${file}`)
    const below = await extended(base, services, file, loading, [...above, id])
    return mergeService(below, service, told)
  }
  if (isRemote(elsewhere)) {
    loading.unread(`services.${name}.extends: ${elsewhere}`)
    return service
  }
  const path = resolve(dirname(file), elsewhere)
  const others = await servicesOf(path, loading)
  if (others === undefined || !(base in others)) {
    told(`extends ${base} of ${path}, which is not there`)
    return service
  }
  const below = await extended(base, others, path, loading, [...above, id])
  const [placed] = Object.values(withPaths({ [base]: below }, dirname(path), loading))
  return mergeService(dictOf(placed), service, told)
}

async function servicesOf(path: string, loading: Loading): Promise<Dict | undefined> {
  const text = await loading.read(path)
  if (text === undefined) return undefined
  loading.seen(path)
  let services: Dict = {}
  for (const { content, dropped } of await parse(path, text)) {
    drop(services, dropped)
    services = mergeAll(services, dictOf(fill(content, path, loading).services), loading)
  }
  return services
}

/** Names without a value are passed on from the environment of the file that holds them. */
function withPassedOn(services: Dict, { lookUp }: Loading): Dict {
  return mapped(services, (service) => {
    const environment = asSequence(service.environment).map((entry) => {
      const line = String(entry)
      const value = line.includes('=') ? undefined : lookUp(line)
      return value === undefined ? line : `${line}=${value}`
    })
    return { ...service, environment }
  })
}

function withPaths(services: Dict, folder: string, { home }: Loading): Dict {
  const placed = (path: unknown) => {
    const text = String(path)
    return /^~(\/|$)/.test(text) && home !== undefined
      ? join(home, text.slice(1))
      : resolve(folder, text)
  }
  return mapped(services, (service) => ({
    ...service,
    ...(service.env_file !== undefined && {
      env_file: asSequence(service.env_file).map((entry) =>
        isDict(entry)
          ? { ...entry, path: resolve(folder, String(entry.path)) }
          : resolve(folder, String(entry)),
      ),
    }),
    ...(service.volumes !== undefined && {
      volumes: asSequence(service.volumes).map((entry) => {
        const [source, target] = isDict(entry)
          ? [String(entry.source ?? ''), String(entry.target ?? '')]
          : volumeParts(String(entry))
        const isPath =
          isDict(entry) && entry.type !== undefined ? entry.type === 'bind' : /^[./~]/.test(source)
        return { source: isPath ? placed(source) : source, target }
      }),
    }),
  }))
}

function mapped(services: Dict, change: (service: Dict) => Dict): Dict {
  return Object.fromEntries(
    Object.entries(services).map(([name, service]) => [name, change(dictOf(service))]),
  )
}

function dictOf(value: unknown): Dict {
  return isDict(value) ? value : {}
}
