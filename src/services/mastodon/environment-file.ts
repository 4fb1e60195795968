/**
 * What systemd passes on from an `EnvironmentFile=`: no `$` expansion, no inline comments, lines
 * with a bad name (such as `export A=b`) are skipped, the last of two counts. Rules of
 * src/basic/env-file.c in systemd; a comment ends with its line, as it does since v254.
 */
export function readEnvironmentFile(text: string): Map<string, string> {
  const values = new Map<string, string>()
  let at = 0
  while (at < text.length) {
    const line = /[ \t\r\n]*(?:[#;][^\r\n]*|([^=\r\n]*)(=)?)/y
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
  const kept = /^(?:\\[\s\S]|[ \t]*[^ \t\\])*/.exec(run)?.[0] ?? ''
  return kept.replace(/\\([\s\S])/g, (_, char: string) => (/[\r\n]/.test(char) ? '' : char))
}
