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
export function composeService(
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
export function mergeServices(base: ComposeService, over: ComposeService): ComposeService {
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
