import { readStatements } from './env-text.ts'
import { readEnvironmentFile } from './environment-file.ts'
import type { EffectiveSetting, EnvFileOnDisk } from './port.ts'

type Settings = Map<string, EffectiveSetting>
const ESCAPES: Variables = { '\\n': '\n', '\\r': '\r', '\\t': '\t' }

type Variables = Readonly<Record<string, string | undefined>>

/**
 * Bare metal: what systemd passes on wins; then Rails' dotenv loads `files` in their order and
 * never overwrites. `$NAME` is filled in from what is known by then; a `$(command)` stays.
 */
export function railsSettings(given: Settings, files: readonly EnvFileOnDisk[]): Settings {
  const settings = new Map(given)
  for (const { path, text } of files) {
    const known = Object.fromEntries([...settings].map(([key, { value }]) => [key, value]))
    const fresh = readStatements(text, known).filter(({ active, key }) => active && !(key in known))
    for (const { key, value } of fresh) settings.set(key, { value, from: path })
  }
  return settings
}

/** What a unit passes on: `Environment=`, then its files, a later one winning. */
export function unitSettings(
  name: string,
  environment: ReadonlyMap<string, string>,
  files: readonly EnvFileOnDisk[],
  unset: readonly string[],
): Settings {
  const from = `systemd unit ${name}`
  const settings: Settings = new Map()
  for (const [key, value] of environment) settings.set(key, { value, from })
  for (const { path, text } of files) {
    for (const [key, value] of readEnvironmentFile(text)) settings.set(key, { value, from: path })
  }
  for (const entry of unset) settings.delete(entry.replace(/=.*/, ''))
  return settings
}

/** Docker: the `env_file` list, a later file winning; then the compose file's `environment:`. */
export function composeSettings(
  files: readonly { readonly file: EnvFileOnDisk; readonly raw: boolean }[],
  environment: ReadonlyMap<string, string | undefined>,
  composeFile: string,
  shell: Variables,
): Settings {
  const settings: Settings = new Map()
  for (const { file, raw } of files) {
    const values = raw ? rawLines(file.text) : composeLines(file.text, shell)
    for (const [key, value] of values) settings.set(key, { value, from: file.path })
  }
  for (const [key, written] of environment) {
    const value = written ?? shell[key]
    if (value === undefined) settings.delete(key)
    else settings.set(key, { value, from: composeFile })
  }
  return settings
}

/**
 * Compose's dotenv differs from Ruby's: a `#` needs a blank before it, a bare name is inherited,
 * a backslash is one outside quotes and `\n` a new line inside double ones.
 */
function composeLines(text: string, shell: Variables): [string, string][] {
  return readStatements(text, shell).flatMap((statement): [string, string][] => {
    const { active, key, value, raw, comment, commentApart, start, end, quoting } = statement
    if (!active) return []
    if (!/[=:]/.test(text.slice(start, end))) {
      const inherited = shell[key]
      return inherited === undefined ? [] : [[key, inherited]]
    }
    const bare = quoting === 'none' && !statement.expands ? raw : value
    const whole =
      quoting === 'double' ? bare.replace(/\\[nrt]/g, (pair) => ESCAPES[pair] ?? pair) : bare
    return [[key, whole + (commentApart ? '' : (comment ?? ''))]]
  })
}

/** `format: raw`: everything behind the first `=`. */
function rawLines(text: string): [string, string][] {
  return text.split(/\r?\n/).flatMap((line): [string, string][] => {
    const match = /^\s*([^#=\s][^=]*)=(.*)$/.exec(line)
    return match === null ? [] : [[match[1] ?? '', match[2] ?? '']]
  })
}
