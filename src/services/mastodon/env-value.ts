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
export function envValue(raw: string, lookUp: (name: string) => string | undefined): EnvValue {
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
