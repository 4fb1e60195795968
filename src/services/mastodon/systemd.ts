import { readdir, readFile, realpath } from 'node:fs/promises'
import { join } from 'node:path'

/** The directives of a unit's [Service] section, drop-ins applied. */
export interface SystemdUnit {
  readonly workingDirectory: string | undefined
  readonly execStart: string
  /** From `Environment=`. */
  readonly environment: ReadonlyMap<string, string>
  /** From `EnvironmentFile=`, without the `-` of optional ones; a later file wins. */
  readonly environmentFiles: readonly string[]
  /** From `UnsetEnvironment=`. */
  readonly unset: readonly string[]
}

/**
 * Reads unit text: the unit file first, then its drop-ins in their order. An empty assignment
 * clears the list (systemd.exec(5), systemd.unit(5)). `instance` fills in `%i`.
 */
export function readSystemdUnit(texts: readonly string[], instance = ''): SystemdUnit {
  let workingDirectory: string | undefined
  let execStart = ''
  let environment = new Map<string, string>()
  let environmentFiles: string[] = []
  let unset: string[] = []
  for (const [name, written] of texts.flatMap(serviceDirectives)) {
    const value = written.replace(/%[%iI]/g, (mark) => (mark === '%%' ? '%' : instance))
    if (name === 'WorkingDirectory') workingDirectory = value.replace(/^-/, '') || undefined
    if (name === 'ExecStart') execStart = value
    if (name === 'EnvironmentFile') {
      environmentFiles = value === '' ? [] : [...environmentFiles, value.replace(/^-/, '')]
    }
    if (name === 'UnsetEnvironment') unset = value === '' ? [] : [...unset, ...words(value)]
    if (name === 'Environment') {
      if (value === '') environment = new Map()
      for (const word of words(value)) {
        const equals = word.indexOf('=')
        if (equals > 0) environment.set(word.slice(0, equals), word.slice(equals + 1))
      }
    }
  }
  return { workingDirectory, execStart, environment, environmentFiles, unset }
}

function serviceDirectives(text: string): [string, string][] {
  let section = ''
  const found: [string, string][] = []
  for (const line of text.replace(/\\\r?\n/g, ' ').split(/\r?\n/)) {
    const header = /^\s*\[([^\]]*)\]/.exec(line)
    if (header !== null) section = header[1] ?? ''
    const directive = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (section === 'Service' && directive !== null) {
      found.push([directive[1] ?? '', directive[2] ?? ''])
    }
  }
  return found
}

/** Splits at blanks; `"…"` and `'…'` keep theirs, a backslash quotes the next character. */
function words(value: string): string[] {
  const pieces = value.match(/(?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+/g) ?? []
  return pieces.map((piece) =>
    piece.replace(
      /"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|\\(.)/g,
      (_, double?: string, single?: string, char?: string) =>
        (double ?? single ?? char ?? '').replace(/\\(.)/g, '$1'),
    ),
  )
}

/** A Mastodon service as systemd would run it. */
export interface MastodonUnit extends SystemdUnit {
  /** e.g. `mastodon-sidekiq@default.service`. */
  readonly name: string
  readonly part: 'web' | 'sidekiq'
}

/** Where systemd looks, the winning folder first (systemd.unit(5)). */
const FOLDERS = [
  '/etc/systemd/system',
  '/run/systemd/system',
  '/usr/local/lib/systemd/system',
  '/usr/lib/systemd/system',
  '/lib/systemd/system',
]

// YunoHost names the second installation mastodon__2.
const NAME = /^mastodon(?:__\d+)?-(web|sidekiq)[^/]*\.service$/

/** Mastodon's web and sidekiq units on this machine, from their files; templates by instance. */
export async function findUnits(root: string): Promise<MastodonUnit[]> {
  const folders = FOLDERS.map((folder) => join(root, folder))
  const names = new Set<string>()
  for (const folder of folders) {
    for (const entry of await list(folder)) {
      if (NAME.test(entry)) names.add(entry)
      if (!/\.(wants|requires|upholds)$/.test(entry)) continue
      for (const wanted of await list(join(folder, entry))) {
        if (NAME.test(wanted)) names.add(wanted)
      }
    }
  }
  const units = await Promise.all([...names].sort().map((name) => loadUnit(folders, name)))
  return units.filter((unit) => unit !== undefined)
}

async function loadUnit(folders: string[], name: string): Promise<MastodonUnit | undefined> {
  const part = NAME.exec(name)?.[1] === 'web' ? 'web' : 'sidekiq'
  const [, prefix, instance] = /^([^@]*)@(.*)\.service$/.exec(name) ?? []
  if (instance === '') return undefined
  const template = prefix === undefined ? [] : [`${prefix}@.service`]
  const fragment = await first(folders, [name, ...template])
  // Linked to /dev/null, or empty: masked, it never runs.
  if (fragment === undefined || fragment === '') return undefined
  const texts = [fragment, ...(await dropIns(folders, [name, ...template]))]
  const unit = readSystemdUnit(texts, instance)
  return /\bdocker\b|\bpodman\b/.test(unit.execStart) ? undefined : { name, part, ...unit }
}

async function first(folders: string[], names: string[]): Promise<string | undefined> {
  for (const name of names) {
    for (const folder of folders) {
      const path = join(folder, name)
      if ((await realpath(path).catch(() => '')) === '/dev/null') return ''
      const text = await readFile(path, 'utf8').catch(() => undefined)
      if (text !== undefined) return text
    }
  }
  return undefined
}

/** By file name, whichever folder they are in; a more special folder hides the same file name. */
async function dropIns(folders: string[], names: string[]): Promise<string[]> {
  const special = names.flatMap((name) => [name, ...dashPrefixes(name)])
  const found = new Map<string, string>()
  for (const name of [...special, 'service']) {
    for (const folder of folders) {
      for (const file of await list(join(folder, `${name}.d`))) {
        const path = join(folder, `${name}.d`, file)
        if (file.endsWith('.conf') && !found.has(file)) found.set(file, path)
      }
    }
  }
  const paths = [...found].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, path]) => path)
  return Promise.all(paths.map((path) => readFile(path, 'utf8').catch(() => '')))
}

/** `mastodon-web.service` also takes drop-ins of `mastodon-.service`. */
function dashPrefixes(name: string): string[] {
  const stem = name.replace(/(@.*)?\.service$/, '')
  const parts = stem.split('-').slice(0, -1)
  return parts.map((_, index) => `${parts.slice(0, parts.length - index).join('-')}-.service`)
}

function list(folder: string): Promise<string[]> {
  return readdir(folder).catch(() => [])
}

/**
 * What systemd passes on from an `EnvironmentFile=`: no `$` expansion, no inline comments, lines
 * with a bad name (such as `export A=b`) are skipped, the last of two counts. Rules of
 * src/basic/env-file.c in systemd; a comment ends with its line, as it does since v254.
 */
export function readEnvironmentFile(text: string): Map<string, string> {
  const values = new Map<string, string>()
  let at = 0
  while (at < text.length) {
    const line = /[ \t\r\n]*(?:[#;][^\r\n]*|(=?[^=\r\n]*)(=)?)/y
    line.lastIndex = at
    const [whole = '', name = '', equals] = line.exec(text) ?? []
    at += Math.max(whole.length, 1)
    if (equals === undefined) continue
    const value = readValue(text, at)
    at = value.end
    const key = name.replace(/[ \t]+$/, '')
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) values.set(key, value.text)
  }
  return values
}

interface Value {
  readonly text: string
  readonly end: number
}

/** Quoted pieces may follow one another; once a bare character came, quotes are characters. */
function readValue(text: string, start: number): Value {
  let result = ''
  let at = start
  for (;;) {
    while (text[at] === ' ' || text[at] === '\t') at += 1
    const char = text[at]
    if (char === "'" || char === '"') {
      const piece = readQuoted(text, at + 1, char)
      result += piece.text
      at = piece.end
      continue
    }
    const bare = /(?:\\[\s\S]|[^\\\r\n])*\\?/y
    bare.lastIndex = at
    const [run = ''] = bare.exec(text) ?? []
    return { text: result + unescapedBare(run), end: at + run.length }
  }
}

function readQuoted(text: string, start: number, quote: "'" | '"'): Value {
  const inside = quote === "'" ? /[^']*/y : /(?:\\[\s\S]|[^"\\])*/y
  inside.lastIndex = start
  const [run = ''] = inside.exec(text) ?? []
  const end = start + run.length + 1
  if (quote === "'") return { text: run, end }
  const decoded = run.replace(/\\([\s\S])/g, (pair, char: string) =>
    char === '\n' ? '' : '"\\`$'.includes(char) ? char : pair,
  )
  return { text: decoded, end }
}

/** Trailing blanks go unless escaped; an escaped line end joins the lines. */
function unescapedBare(run: string): string {
  const kept = /^(?:[ \t]*(?:\\[\s\S]|[^ \t\\]))*/.exec(run)?.[0] ?? ''
  return kept.replace(/\\([\s\S])/g, (_, char: string) => (/[\r\n]/.test(char) ? '' : char))
}
