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
 * clears the list (systemd.exec(5), systemd.unit(5)). `name` fills in `%i` and its like.
 */
export function readSystemdUnit(texts: readonly string[], name = ''): SystemdUnit {
  let workingDirectory: string | undefined
  let execStart = ''
  let environment = new Map<string, string>()
  let environmentFiles: string[] = []
  let unset: string[] = []
  const fillIn = specifiersOf(name)
  for (const [directive, written] of texts.flatMap(serviceDirectives)) {
    const value = fillIn(written)
    if (directive === 'WorkingDirectory') workingDirectory = value.replace(/^-/, '') || undefined
    if (directive === 'ExecStart') execStart = value
    if (directive === 'EnvironmentFile') {
      const path = value.replace(/^-/, '')
      if (value === '') environmentFiles = []
      else if (isAbsolute(path)) environmentFiles = [...environmentFiles, path]
    }
    if (directive === 'UnsetEnvironment') {
      unset = value === '' ? [] : [...unset, ...words(written).map(fillIn)]
    }
    if (directive === 'Environment') {
      if (value === '') environment = new Map()
      for (const word of words(written)) {
        const [, key, text = ''] = /^([A-Za-z_][A-Za-z0-9_]*)=([\s\S]*)$/.exec(fillIn(word)) ?? []
        if (key !== undefined) environment.set(key, text)
      }
    }
  }
  return { workingDirectory, execStart, environment, environmentFiles, unset }
}

/** systemd passes over paths that it would have to look up: relative ones and those with `..`. */
function isAbsolute(path: string): boolean {
  return path.startsWith('/') && !path.split('/').includes('..')
}

/** Comments may stand between the lines of one directive: they are no part of it. */
function serviceDirectives(text: string): [string, string][] {
  let section = ''
  const found: [string, string][] = []
  const lines = text.split(/\r?\n/).filter((line) => !/^\s*[#;]/.test(line))
  for (const line of lines.join('\n').replace(/\\\n/g, ' ').split('\n')) {
    const header = /^\s*\[([^\]]*)\]/.exec(line)
    if (header !== null) section = header[1] ?? ''
    const directive = /^\s*([A-Za-z]+)\s*=\s*(.*?)\s*$/.exec(line)
    if (section === 'Service' && directive !== null) {
      found.push([directive[1] ?? '', directive[2] ?? ''])
    }
  }
  return found
}

/**
 * Fills in the specifiers of systemd.unit(5) that follow from the unit's name or are the same on
 * every system; any other stays as it is.
 */
function specifiersOf(name: string): (text: string) => string {
  const full = name.replace(/\.service$/, '')
  const [, prefix = full, instance = ''] = /^([^@]*)@(.*)$/.exec(full) ?? []
  const last = prefix.slice(prefix.lastIndexOf('-') + 1)
  const values: Readonly<Record<string, string>> = {
    ...{ '%': '%', n: name, N: full, p: prefix, P: unescapedName(prefix), j: last },
    ...{ J: unescapedName(last), i: instance, I: unescapedName(instance) },
    ...{ E: '/etc', S: '/var/lib', C: '/var/cache', L: '/var/log', t: '/run' },
    ...{ h: '/root', u: 'root', U: '0', g: 'root', G: '0', T: '/tmp', V: '/var/tmp' },
  }
  return (text) => text.replace(/%([%A-Za-z])/g, (mark, letter: string) => values[letter] ?? mark)
}

/** A dash in a unit's name stands for a slash, `\x2d` for a dash. */
function unescapedName(text: string): string {
  return text
    .replaceAll('-', '/')
    .replace(/\\x([0-9a-f]{2})/gi, (_, hex: string) => String.fromCodePoint(parseInt(hex, 16)))
}

const LETTERS: Readonly<Record<string, string>> = {
  ...{ a: '\x07', b: '\b', f: '\f', n: '\n', r: '\r', t: '\t', v: '\v', s: ' ' },
  ...{ '\\': '\\', '"': '"', "'": "'" },
}
const ESCAPE = /\\(?:x([\da-fA-F]{2})|u([\da-fA-F]{4})|U([\da-fA-F]{8})|([0-3][0-7]{2})|(.))/g

/**
 * Splits at blanks; `"…"` and `'…'` keep theirs, and C's escapes count in all three. systemd passes
 * over the rest of a line from the word on in which a quote stays open or an escape is none.
 */
function words(value: string): string[] {
  const word = /\s*((?:"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|\\.|[^\s"'\\])+)(?=\s|$)/y
  const found: string[] = []
  for (let match = word.exec(value); match !== null; match = word.exec(value)) {
    const text = decoded(match[1] ?? '')
    if (text === undefined) break
    found.push(text)
  }
  return found
}

/** Without its quotes and escapes; undefined when one of these is none. */
function decoded(word: string): string | undefined {
  let sound = true
  const text = word.replace(/"((?:\\.|[^"\\])*)"|'((?:\\.|[^'\\])*)'|(\\.)+/g, (...found) => {
    const [whole, double, single] = found as [string, string | undefined, string | undefined]
    return double ?? single ?? whole
  })
  const plain = text.replace(ESCAPE, (...found) => {
    const [, hex, short, long, octal, letter = ''] = found as (string | undefined)[]
    const digits = hex ?? short ?? long
    const code = digits === undefined ? parseInt(octal ?? '', 8) : parseInt(digits, 16)
    const sign = Number.isNaN(code) ? LETTERS[letter] : signOf(code)
    sound &&= sign !== undefined
    return sign ?? ''
  })
  return sound ? plain : undefined
}

function signOf(code: number): string | undefined {
  return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : undefined
}

/**
 * What systemd passes on from an `EnvironmentFile=`: no `$` expansion, no inline comments, lines
 * with a bad name (such as `export A=b`) are skipped, the last of two counts. Nothing at all where a
 * name or a value is not UTF-8. Rules of src/basic/env-file.c in systemd; a comment ends with its line,
 * as it does since v254.
 */
export function readEnvironmentFile(text: string): Map<string, string> {
  const found = [...assignments(text)]
  if (found.some(isNoText)) return new Map()
  const named = found.filter(({ name }) => /^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
  return new Map(named.map(({ name, value }) => [name, value]))
}

/** Number of the line for which systemd refuses the whole file; undefined where it takes it. */
export function refusedLine(text: string): number | undefined {
  const refused = [...assignments(text)].find(isNoText)
  return refused && text.slice(0, refused.start).split('\n').length
}

interface Assignment {
  readonly name: string
  readonly value: string
  /** Offset of the name. */
  readonly start: number
}

/** Lone surrogates stand for bytes that are not UTF-8 (`fileText`). */
function isNoText({ name, value }: Assignment): boolean {
  return /\p{Surrogate}|\p{Noncharacter_Code_Point}/u.test(name + value)
}

function* assignments(text: string): Generator<Assignment> {
  let at = 0
  while (at < text.length) {
    const line = /[ \t\r\n]*(?:[#;][^\r\n]*|(=?[^=\r\n]*)(=)?)/y
    line.lastIndex = at
    const [whole = '', name = '', equals] = line.exec(text) ?? []
    at += Math.max(whole.length, 1)
    if (equals === undefined) continue
    const start = at - 1 - name.length
    const value = readValue(text, at)
    at = value.end
    yield { name: name.replace(/[ \t]+$/, ''), value: value.text, start }
  }
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

/** Trailing blanks go unless escaped, or a backslash ends the file; an escaped line end joins the lines. */
function unescapedBare(run: string): string {
  const kept = /^(?:[ \t]*(?:\\[\s\S]|[^ \t\\]))*(?:[ \t]*(?=\\$))?/.exec(run)?.[0] ?? ''
  return kept.replace(/\\([\s\S])/g, (_, char: string) => (/[\r\n]/.test(char) ? '' : char))
}
