import { asSequence, type Dict, isDict } from './merge.ts'

/** A service of a compose project, its short and long forms brought into one. */
export interface ComposeService {
  readonly name: string
  readonly image: string | undefined
  readonly builds: boolean
  readonly command: string
  /** `undefined`: named without a value, and nothing gives it one: the container has none. */
  readonly environment: ReadonlyMap<string, string | undefined>
  /** A later file wins; absolute paths. */
  readonly envFiles: readonly {
    readonly path: string
    readonly raw: boolean
    readonly required: boolean
  }[]
  readonly volumes: readonly { readonly source: string; readonly target: string }[]
}

/** What has another form than compose allows is left out. */
export function serviceOf(name: string, service: Dict): ComposeService {
  const text = (value: unknown) => (isScalar(value) ? String(value) : undefined)
  return {
    name,
    image: text(service.image),
    builds: service.build !== undefined && service.build !== null,
    command: asSequence(service.command).map(text).join(' '),
    environment: new Map(
      asSequence(service.environment).map((entry) => {
        const line = text(entry) ?? ''
        const equals = line.indexOf('=')
        return equals < 0 ? [line, undefined] : [line.slice(0, equals), line.slice(equals + 1)]
      }),
    ),
    envFiles: asSequence(service.env_file).flatMap((entry) => {
      const long = isDict(entry) ? entry : { path: entry }
      const path = text(long.path)
      if (path === undefined) return []
      const required = !/^(false|f|0)$/i.test(text(long.required) ?? '')
      return [{ path, raw: long.format === 'raw', required }]
    }),
    volumes: asSequence(service.volumes).flatMap((entry) =>
      isDict(entry) ? [{ source: String(entry.source), target: String(entry.target) }] : [],
    ),
  }
}

function isScalar(value: unknown): value is string | number | boolean | bigint {
  return ['string', 'number', 'boolean', 'bigint'].includes(typeof value)
}
