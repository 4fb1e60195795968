const QUOTED = /^(['"])([\s\S]*)\1$/
const COMMAND = /(\\)?\$(?=\([^()])/g
const VARIABLE = /(\\)?\$(?!\()\{?([A-Z0-9_]+)?\}?/gi

export interface EnvValue {
  /** What Mastodon gets. A `$(command)` is left as it is written: it is never run here. */
  readonly text: string
  readonly quoting: 'none' | 'single' | 'double'
  /** Holds `$NAME` or `${NAME}`, which Ruby fills in and systemd doesn't. */
  readonly expands: boolean
  /** Holds `$(command)`, which Ruby runs. */
  readonly runs: boolean
}

/**
 * Decodes what stands behind `KEY=`, by the rules of Ruby's dotenv 3.2 (lib/dotenv/parser.rb,
 * substitutions/*.rb), which is what Mastodon loads. `lookUp` gives the value of a variable.
 */
function envValue(raw: string, lookUp: (name: string) => string | undefined): EnvValue {
  const [, quote, inner] = QUOTED.exec(raw) ?? []
  if (quote === "'") {
    return { text: inner ?? '', quoting: 'single', expands: false, runs: false }
  }
  let expands = false
  let runs = false
  const text = unescaped(inner ?? raw, quote === '"')
    .replace(COMMAND, (_, backslash: string | undefined) => {
      if (backslash === undefined) runs = true
      return '$'
    })
    .replace(VARIABLE, (whole: string, backslash: string | undefined, name: string | undefined) => {
      if (backslash !== undefined) return whole.slice(1)
      if (name === undefined) return whole
      expands = true
      return lookUp(name) ?? ''
    })
  return { text, quoting: quote === '"' ? 'double' : 'none', expands, runs }
}

/** In double quotes `\n` and `\r` stay two characters each; any other backslash but `\$` goes. */
function unescaped(text: string, inDoubleQuotes: boolean): string {
  const kept = inDoubleQuotes ? text.replace(/\\([nr])/g, '\\\\$1') : text
  return kept.replace(/\\([^$])/g, '$1')
}

export interface Statement {
  readonly key: string
  /** As Mastodon's dotenv reads it, see envValue. */
  readonly value: string
  /** As written: with quotes, without blanks around it and without the inline comment. */
  readonly raw: string
  /** Offset of the first character of its line. */
  readonly start: number
  /** Offset behind its last character; the line end is not part of it. */
  readonly end: number
  /** Number of its first line, from 1. */
  readonly line: number
  /** false for a commented-out `# KEY=value`. */
  readonly active: boolean
  /** Written as `KEY=value` and nothing else on the line, which every reader takes alike. */
  readonly plain: boolean
  readonly quoting: 'none' | 'single' | 'double'
  readonly exported: boolean
  /** `# …` behind the value. */
  readonly comment: string | undefined
  /** Whether a blank or nothing stands before the comment; other readers need one. */
  readonly commentApart: boolean
  readonly expands: boolean
  readonly runs: boolean
}

// The grammar of Ruby's dotenv 3.2 (LINE in lib/dotenv/parser.rb), which reads \r like \n.
const S = '(?:\\r\\n|[ \\t\\f\\v\\n]|\\r(?!\\n))'
const ASSIGNMENT = [
  `(?<export>export${S}+)?(?<key>[A-Za-z0-9_.]+)`,
  `(?<separator>(?:${S}*=${S}*?|:${S}+?)`,
  `(?<raw>${S}*'(?:\\\\'|[^'])*'|${S}*"(?:\\\\"|[^"])*"|[^#\\r\\n]+)?)?`,
  '[ \\t\\f\\v]*(?<comment>#[^\\r\\n]*)?(?=[\\r\\n]|$)',
].join('')
const ACTIVE = new RegExp(`(?<=^\\uFEFF?|[\\r\\n])${S}*${ASSIGNMENT}`, 'dg')
const COMMENTED =
  /(?<=^\uFEFF?|[\r\n])[ \t]*#[# \t]*((?:export[ \t]+)?[A-Za-z0-9_.]+[ \t]*=[^\r\n]*)/dg
const BLANKS_AROUND = /^[ \t\f\v\r\n]+|[ \t\f\v\r\n]+$/g
const ONE = new RegExp(`^${ASSIGNMENT}`, 'd')

/**
 * Every assignment of an env file, active and commented out, in the order of the file. `$NAME` is
 * looked up in `environment` and then among the assignments above, as Mastodon does it.
 */
export function readStatements(
  text: string,
  environment: Readonly<Record<string, string | undefined>> = {},
): Statement[] {
  const known = new Map<string, string>()
  const lookUp = (name: string) => environment[name] ?? known.get(name)
  const active = [...text.matchAll(ACTIVE)].flatMap((match) => {
    const statement = toStatement(text, match, 0, true, lookUp)
    if (statement === undefined) return []
    known.set(statement.key, statement.value)
    return [statement]
  })
  const commented = [...text.matchAll(COMMENTED)].flatMap((match) => {
    const offset = match.indices?.[1]?.[0] ?? 0
    if (active.some(({ start, end }) => start <= offset && offset < end)) return []
    const one = ONE.exec(match[1] ?? '')
    const statement = one === null ? undefined : toStatement(text, one, offset, false, lookUp)
    return statement === undefined ? [] : [statement]
  })
  return [...active, ...commented].sort((a, b) => a.start - b.start)
}

function toStatement(
  text: string,
  match: RegExpExecArray,
  offset: number,
  active: boolean,
  lookUp: (name: string) => string | undefined,
): Statement | undefined {
  const { groups = {}, indices } = match
  const { key, comment } = groups
  const span = indices?.groups
  const exported = groups.export !== undefined
  if (key === undefined) return undefined
  const raw = (groups.raw ?? '').replace(BLANKS_AROUND, '')
  const first = offset + (span?.export?.[0] ?? span?.key?.[0] ?? 0)
  const start = lineStart(text, first)
  const end = offset + (indices?.[0]?.[1] ?? 0)
  const { text: decoded, quoting, expands, runs } = envValue(raw.replace(/\r\n?/g, '\n'), lookUp)
  // `export KEY` and `export KEY=` keep what is known; dotenv raises when nothing is.
  const value = exported && groups.raw === undefined ? (lookUp(key) ?? '') : decoded
  const before = comment === undefined ? '' : text[end - comment.length - 1]
  return {
    key,
    value,
    raw,
    start,
    end,
    line: text.slice(0, start).split(/\r\n|\r|\n/).length,
    active,
    plain: active && raw === value && text.slice(first, end) === `${key}=${value}`,
    quoting,
    exported,
    comment,
    commentApart: raw === '' || /^\s$/.test(before ?? ''),
    expands,
    runs,
  }
}

function lineStart(text: string, offset: number): number {
  const newline = Math.max(text.lastIndexOf('\n', offset - 1), text.lastIndexOf('\r', offset - 1))
  const start = offset === 0 ? 0 : newline + 1
  return start === 0 && text.startsWith('\uFEFF') ? 1 : start
}

const UTF8_OR_STRAY_BYTE =
  /[^\x80-\xff]+|[\xc2-\xdf][\x80-\xbf]|\xe0[\xa0-\xbf][\x80-\xbf]|[\xe1-\xec\xee\xef][\x80-\xbf]{2}|\xed[\x80-\x9f][\x80-\xbf]|\xf0[\x90-\xbf][\x80-\xbf]{2}|[\xf1-\xf3][\x80-\xbf]{3}|\xf4[\x80-\x8f][\x80-\xbf]{2}|([\x80-\xff])/g

const ESCAPED_BYTES = /((?<![\ud800-\udbff])[\udc80-\udcff]+)/

/**
 * File bytes as text and back without loss: UTF-8, and each byte that isn't UTF-8 becomes one lone
 * surrogate U+DC80…U+DCFF (the scheme of Python's PEP 383). A byte order mark stays in the text.
 */
export const fileText = {
  decode(bytes: Uint8Array): string {
    const latin1 = Buffer.from(bytes).toString('latin1')
    return latin1.replace(UTF8_OR_STRAY_BYTE, (run: string, stray: string | undefined) =>
      stray === undefined
        ? Buffer.from(run, 'latin1').toString('utf8')
        : String.fromCharCode(0xdc00 + stray.charCodeAt(0)),
    )
  },

  encode(text: string): Buffer {
    const parts = text.split(ESCAPED_BYTES).map((part, index) => {
      if (index % 2 === 0) return Buffer.from(part, 'utf8')
      return Buffer.from(Array.from(part, (char) => char.charCodeAt(0) - 0xdc00))
    })
    return Buffer.concat(parts)
  },
}

/** Number of the first line with a byte that is not UTF-8, of text that `fileText` has read. */
export function strayLine(text: string): number | undefined {
  const at = text.search(/\p{Surrogate}/u)
  return at < 0 ? undefined : text.slice(0, at).split('\n').length
}
