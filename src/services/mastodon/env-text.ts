import { envValue } from './env-value.ts'

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
