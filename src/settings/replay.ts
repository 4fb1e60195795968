import { type FlagValue, ToType } from '../core/to-type.ts'
import type { Resolved } from './resolve.ts'
import type { Catalog } from './setting.ts'

/** Values that the next run finds by itself, where this one found them. */
const FOUND = new Set(['default', 'sandbox', 'the token'])

/** Settings of how a run talks, not of what it does. */
const LEFT_OUT = new Set([
  'dryRun',
  'json',
  'quiet',
  'verbose',
  'timings',
  'noColor',
  'logFile',
  'answers',
  'yes',
])

export interface Replayed {
  /** Settings that this run did not ask for, and that its line would be refused for. */
  readonly without?: readonly string[]
}

/**
 * The line that repeats a run unattended. A secret becomes its variable, which the person has to set;
 * its value never appears.
 */
export function replay(
  command: string,
  catalog: Catalog,
  entries: readonly [string, Resolved][],
  how: Replayed = {},
): ToType {
  const { flags, secrets } = repeated(command, catalog, entries, how)
  return new ToType(command, { ...flags, yes: true }, secrets)
}

/** The same line, for a person who is asked before anything changes. */
export function repeated(
  command: string,
  catalog: Catalog,
  entries: readonly [string, Resolved][],
  { without = [] }: Replayed = {},
): ToType {
  const used = entries.filter(([name]) => !without.includes(name))
  const flags = used.flatMap(([name, { text, source }]): [string, FlagValue][] => {
    const setting = catalog[name]
    if (!setting || LEFT_OUT.has(name) || FOUND.has(source) || setting.secret) return []
    if (setting.value === undefined) return [[name, true]]
    return [[name, Array.isArray(text) ? text : String(text)]]
  })
  const secrets = used.flatMap(([name, { source }]) => {
    const { secret, env } = catalog[name] ?? {}
    return secret && env !== undefined && !FOUND.has(source) ? [env] : []
  })
  return new ToType(command, Object.fromEntries(flags), secrets)
}
