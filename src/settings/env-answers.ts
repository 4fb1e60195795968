import { parse } from 'dotenv'

/** One line of a dotenv file. */
export interface EnvLine {
  readonly name: string
  readonly text: string
}

/**
 * The lines of a dotenv file: `NAME=value`, with or without quotes or `export` before it; blank
 * lines and comments are left out. No setting has more than one line, so each is read alone, and
 * what the library would pass over in silence is refused by its number; it may hold a secret.
 */
export function envLines(text: string, refused: (line: number) => Error): readonly EnvLine[] {
  const thrown = (line: number): never => {
    throw refused(line)
  }
  return text
    .replace(/^\uFEFF/, '')
    .split(/\r?\n/)
    .flatMap((line, at) => (/^\s*(#|$)/.test(line) ? [] : [envLine(line) ?? thrown(at + 1)]))
}

function envLine(line: string): EnvLine | undefined {
  const [found, ...more] = Object.entries(parse(line))
  const [, given = ''] = /^\s*(?:export\s+)?[\w.-]+\s*=\s*(.*)$/.exec(line) ?? []
  const isOpen = found !== undefined && /^["'`]/.test(given) && found[1] === given.trim()
  if (found === undefined || more.length > 0 || isOpen || !/^[^:=]*=/.test(line)) {
    return undefined
  }
  return { name: found[0], text: found[1] }
}
