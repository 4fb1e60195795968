import { interpolate, type LookUp, type Refuse } from './interpolate.ts'

/** White space within a line, and with the line end (isSpace and unicode.IsSpace in Go). */
const BLANKS = /^[\t\v\f\r \u0085\u00a0]+/
const SPACE =
  '\\t\\n\\v\\f\\r \\u0085\\u00a0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000'
const SPACES = new RegExp(`^[${SPACE}]+`)
const TRAILING = new RegExp(`[${SPACE}]+$`)

/**
 * What compose's own dotenv reads from an env file: not what Ruby reads. A `#` needs a blank before
 * it, a bare name is passed on from `lookUp`, what stands behind a closing quote is read as the next
 * line, and `$NAME` is looked up outside before it is among the lines above (dotenv/parser.go of
 * compose-go). Reading ends where compose refuses the file.
 */
export function readEnvLines(text: string, lookUp: LookUp, refuse: Refuse): Map<string, string> {
  const values = new Map<string, string>()
  const known: LookUp = (name) => lookUp(name) ?? values.get(name)
  const whole = text.replace(/^\uFEFF/, '')
  let rest = statementStart(whole)
  while (rest !== '') {
    const name = readName(rest)
    if (name === undefined || name.key.includes(' ')) {
      refuse(`line ${lineOf(whole, rest)} is no KEY=value`)
      return values
    }
    if (name.isBare) {
      const passed = lookUp(name.key)
      if (passed !== undefined) values.set(name.key, passed)
      rest = statementStart(name.rest)
      continue
    }
    const value = readValue(name.rest, known, refuse)
    if (value === undefined) {
      refuse(`a quote that begins on line ${lineOf(whole, rest)} is not closed`)
      return values
    }
    values.set(name.key, value.text)
    rest = statementStart(value.rest)
  }
  return values
}

/** `format: raw`: everything behind the first `=`. */
export function rawLines(text: string): Map<string, string> {
  const values = new Map<string, string>()
  for (const line of text.split(/\r?\n/)) {
    const [, key, value] = /^\s*([^#=\s][^=]*)=(.*)$/.exec(line) ?? []
    if (key !== undefined) values.set(key, value ?? '')
  }
  return values
}

function lineOf(whole: string, rest: string): number {
  return whole.slice(0, whole.length - rest.length).split('\n').length
}

function statementStart(text: string): string {
  let rest = text.replace(SPACES, '')
  while (rest.startsWith('#')) {
    const end = rest.indexOf('\n')
    rest = end < 0 ? '' : rest.slice(end).replace(SPACES, '')
  }
  return rest
}

function readName(text: string) {
  // Go's \s knows the blanks of ASCII alone, and no vertical tab.
  const rest = /^export[\t\n\f\r ]/.test(text)
    ? text.slice('export'.length).replace(BLANKS, '')
    : text
  const [name, mark] =
    /^(?:[\p{L}\p{N}_.\-[\]\t\v\f\r \u0085\u00a0])*(?:([=:\n])|$)/u.exec(rest) ?? []
  if (name === undefined) return undefined
  const key = mark === undefined ? '' : name.slice(0, -1).replace(TRAILING, '')
  const behind = mark === undefined ? rest : rest.slice(name.length)
  return { key, isBare: mark === '\n', rest: behind.replace(BLANKS, '') }
}

interface Value {
  readonly text: string
  readonly rest: string
}

function readValue(text: string, lookUp: LookUp, refuse: Refuse): Value | undefined {
  const quote = text[0]
  if (quote !== '"' && quote !== "'") {
    const [line = ''] = /^[^\n]*/.exec(text) ?? []
    const [bare = ''] = line.split(' #')
    const value = interpolate(bare.replace(TRAILING, ''), lookUp, refuse)
    return { text: value, rest: text.slice(line.length + 1) }
  }
  let inside = ''
  let isEscaped = false
  for (let at = 1; at < text.length; at += 1) {
    const char = text[at] ?? ''
    if (char === quote && !isEscaped) {
      const value = quote === '"' ? interpolate(unescaped(inside), lookUp, refuse) : inside
      return { text: value, rest: text.slice(at + 1) }
    }
    if (char === '\\' && !isEscaped) {
      isEscaped = true
      continue
    }
    inside += isEscaped && char !== quote ? `\\${char}` : char
    isEscaped = false
  }
  return undefined
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '"': '"',
  '\\': '\\',
  // The interpolation that follows makes one of it.
  $: '$$',
}

/** In double quotes; what Go can't decode stays. */
function unescaped(text: string): string {
  return text.replace(/\\(?:([abcfnrtv$"\\])|0(\d{0,3}))/g, (pair, char?: string, digits = '') => {
    if (char !== undefined) return ESCAPES[char] ?? pair
    const isByte = /^[0-3][0-7]{2}$/.test(digits)
    return isByte ? String.fromCharCode(Number.parseInt(digits, 8)) : `\\${digits}`
  })
}
