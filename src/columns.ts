import type { Host } from './host.ts'

/** Columns where nothing tells how wide the screen is: a pipe, a file. */
const USUAL = 80
/** Narrower screens scroll sideways. */
const LEAST = 30
const INDENT = 2
const GAP = 2

/** Columns of the screen; without one, those that COLUMNS names. */
export function screenWidth({ stdout, environment }: Pick<Host, 'stdout' | 'environment'>): number {
  const told = stdout.isTTY ? stdout.columns : Number(environment.COLUMNS)
  return Number.isSafeInteger(told) && told > 0 ? Math.max(told, LEAST) : USUAL
}

/** Lines of at most `width` columns. A word that is longer is parted behind a sign, or stands out. */
export function fold(text: string, width: number): string[] {
  const lines = ['']
  for (const word of text.split(' ').flatMap((word) => parted(word, width))) {
    const line = lines.at(-1) ?? ''
    const joined = line === '' || word.glued ? `${line}${word.text}` : `${line} ${word.text}`
    if (line === '' || joined.length <= width) lines[lines.length - 1] = joined
    else lines.push(word.text)
  }
  return lines
}

interface Part {
  readonly text: string
  /** Goes on from the part before it, without a blank. */
  readonly glued: boolean
}

function parted(word: string, width: number): Part[] {
  const parts = word.length <= width ? [word] : word.split(/(?<=[/:])(?!\/)|(?<=[,|])/)
  return parts.map((text, at) => ({ text, glued: at > 0 }))
}

/** Words as they are typed: what a shell would take for more than itself has a backslash. */
export function typed(words: readonly string[]): string {
  return words.map((word) => word.replaceAll(/[^\w@%+=:,./-]/gu, '\\$&')).join(' ')
}

/** A line to type: what does not fit goes on behind a backslash, so that it can be copied. */
export function foldCommand(line: string, width: number): string[] {
  const lines = ['']
  for (const word of line.split(' ')) {
    const last = lines.at(-1) ?? ''
    if (last === '') lines[lines.length - 1] = word
    else if (`${last} ${word} \\`.length <= width) lines[lines.length - 1] = `${last} ${word}`
    else lines.push(`  ${word}`)
  }
  return lines.map((text, at) => (at < lines.length - 1 ? `${text} \\` : text))
}

/** What is explained, and its explanation. */
export type Row = readonly [head: string, text: string]

/**
 * How wide the left column of these rows is: as the longest head that leaves the text three fifths
 * of the screen. 0 where too few of them do, as on a narrow screen.
 */
export function leftColumn(rows: readonly Row[], width: number): number {
  const most = Math.floor(width * 0.4)
  const lengths = rows.map(([head]) => INDENT + head.length + GAP)
  const fitting = lengths.filter((length) => length <= most)
  return fitting.length * 2 < rows.length ? 0 : Math.max(...fitting)
}

/** Rows as lines; a head too long for its column, or every one where `left` is 0, has its text below. */
export function columns(rows: readonly Row[], width: number, left: number): string[] {
  const at = left === 0 ? 2 * INDENT : left
  return rows.flatMap(([head, text]) => {
    const [first = '', ...rest] = fold(text, width - at).map((line) => `${' '.repeat(at)}${line}`)
    const own = `${' '.repeat(INDENT)}${head}`
    if (left === 0 || own.length + GAP > left) return [...headLines(own, width), first, ...rest]
    return [`${own}${first.slice(own.length)}`, ...rest]
  })
}

function headLines(own: string, width: number): string[] {
  return own.length <= width ? [own] : fold(own.trim(), width - INDENT).map((line) => `  ${line}`)
}
