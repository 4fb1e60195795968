import type { Resolved } from './resolve.ts'
import type { Catalog } from './setting.ts'

/** Values that the next run finds by itself, where this one found them. */
const FOUND = new Set(['default', 'sandbox', 'the token'])

/** Settings of how a run talks, not of what it does. */
const LEFT_OUT = new Set(['dryRun', 'json', 'quiet', 'verbose', 'noColor', 'answers', 'yes'])

/**
 * The command line that repeats a run unattended. A secret becomes its variable, which the person
 * has to set; its value never appears.
 */
export function replay(
  command: string,
  catalog: Catalog,
  entries: readonly [string, Resolved][],
): string {
  const words = entries.flatMap(([name, { text, source }]) => {
    const setting = catalog[name]
    if (!setting || LEFT_OUT.has(name) || FOUND.has(source) || setting.secret) return []
    if (setting.value === undefined) return [setting.flag]
    const values = Array.isArray(text) ? text : [String(text)]
    return values.flatMap((value) => [setting.flag, shellWord(value)])
  })
  const secrets = entries.flatMap(([name, { source }]) => {
    const { secret, env } = catalog[name] ?? {}
    return secret && env !== undefined && !FOUND.has(source) ? [`${env}="$${env}" `] : []
  })
  return `${secrets.join('')}npx mastodon-r2 ${command} ${[...words, '--yes'].join(' ')}`
}

/** Quoted for a POSIX shell only where it has to be. */
export function shellWord(word: string): string {
  if (/^[A-Za-z0-9_./:@%+=,-]+$/.test(word)) return word
  return `'${word.replaceAll("'", `'\\''`)}'`
}
