import { Problem } from '../../core/problem.ts'
import { readStatements, type Statement } from './env-text.ts'

/** What an edit wrote into an env file, to be taken back. */
export interface WrittenLines {
  /** Settings that were written: they get the lines of before, or go. */
  readonly names: readonly string[]
  /** Settings that were commented out: uncommented where `before` has them active. */
  readonly retired: readonly string[]
  /** Comment lines that were written beside the settings. */
  readonly marks: readonly string[]
}

interface Patch {
  readonly start: number
  readonly end: number
  readonly text: string
}

/** The line end of an empty line that ends a text. */
const LAST_BLANK = /(?<=^|\n|\r(?!\n))(?:\r\n|\n|\r)$/

/**
 * The text of an env file with some settings as they are in `before`, line by line; everything else
 * stays as it is. Problem: `env-file-tangled` where Mastodon would read something else.
 */
export function restoreLines(text: string, before: string, written: WrittenLines): string {
  const now = activeIn(text)
  const then = activeIn(before)
  const patches: Patch[] = marksIn(text, before, written.marks)
  const missing: string[] = []
  for (const name of [...written.names, ...written.retired]) {
    const old = (then.get(name) ?? []).map((statement) => linesOf(before, statement))
    const wanted = old.at(-1)
    const present = now.get(name) ?? []
    const last = present.at(-1)
    if (wanted === undefined) {
      if (!written.names.includes(name)) continue
      patches.push(...present.map((statement) => wholeLine(text, statement)))
      continue
    }
    const uncommented = old.flatMap((lines, index) =>
      last && index === old.length - 1 ? [] : uncomment(text, lines),
    )
    patches.push(...uncommented)
    if (last) patches.push(replaced(text, before, last, wanted))
    else if (uncommented.length === 0 && written.names.includes(name)) missing.push(wanted)
  }
  const result = append(apply(text, patches), missing, lineEndOf(text))
  verify(result, then, written.names)
  return result
}

function activeIn(text: string): Map<string, Statement[]> {
  const found = new Map<string, Statement[]>()
  for (const statement of readStatements(text)) {
    if (!statement.active) continue
    found.set(statement.key, [...(found.get(statement.key) ?? []), statement])
  }
  return found
}

function linesOf(text: string, { start, end }: Statement): string {
  return text.slice(start, end)
}

/** The comment of the old line stands above the new one: an edit moves it there. */
function replaced(text: string, before: string, now: Statement, wanted: string): Patch {
  const above = /([^\r\n]*)(?:\r\n|\n|\r)$/.exec(text.slice(0, now.start))
  const comment = above?.[1]?.trim() ?? ''
  const moved = comment.startsWith('#') && wanted.includes(comment) && !has(before, comment)
  return {
    start: moved ? now.start - (above?.[0].length ?? 0) : now.start,
    end: now.end,
    text: wanted,
  }
}

function has(text: string, line: string): boolean {
  return text.split(/\r\n|\n|\r/).some((other) => other.trim() === line)
}

function uncomment(text: string, lines: string): Patch[] {
  const commented = lines.replace(/(^|\r\n|\r|\n)/g, '$1# ')
  for (let at = text.indexOf(commented); at >= 0; at = text.indexOf(commented, at + 1)) {
    const end = at + commented.length
    const isWhole =
      /(^|[\r\n\uFEFF])$/.test(text.slice(0, at)) && /^([\r\n]|$)/.test(text.slice(end))
    if (isWhole) return [{ start: at, end, text: lines }]
  }
  return []
}

function wholeLine(text: string, { start, end }: { start: number; end: number }): Patch {
  const [lineEnd = ''] = /^(\r\n|\n|\r)?/.exec(text.slice(end)) ?? []
  return { start, end: end + lineEnd.length, text: '' }
}

/** With the first of them goes the empty line that an edit puts before them where there is none. */
function marksIn(text: string, before: string, marks: readonly string[]): Patch[] {
  let isFirst = !LAST_BLANK.test(before)
  return marks.flatMap((mark) => {
    const at = text.indexOf(mark)
    const end = at + mark.length
    const stands = at === 0 || /[\r\n\uFEFF]$/.test(text.slice(0, at))
    if (at < 0 || !stands || !/^([\r\n]|$)/.test(text.slice(end)) || has(before, mark)) return []
    const blank = LAST_BLANK.exec(text.slice(0, at))?.[0] ?? ''
    const start = isFirst ? at - blank.length : at
    isFirst = false
    return [{ ...wholeLine(text, { start: at, end }), start }]
  })
}

function lineEndOf(text: string): string {
  return /\r?\n/.exec(text)?.[0] ?? '\n'
}

function append(text: string, lines: readonly string[], lineEnd: string): string {
  if (lines.length === 0) return text
  const closed = text === '' || /[\r\n]$/.test(text) ? '' : lineEnd
  return `${text}${closed}${lines.join(lineEnd)}${lineEnd}`
}

function apply(text: string, patches: readonly Patch[]): string {
  let result = ''
  let done = 0
  for (const { start, end, text: piece } of patches.toSorted((a, b) => a.start - b.start)) {
    if (start < done) continue
    result += text.slice(done, start) + piece
    done = end
  }
  return result + text.slice(done)
}

function verify(result: string, then: Map<string, Statement[]>, names: readonly string[]): void {
  const now = activeIn(result)
  for (const name of names) {
    if (now.get(name)?.at(-1)?.value !== then.get(name)?.at(-1)?.value) throw tangled(name)
  }
}

function tangled(name: string): Problem {
  return new Problem({
    code: 'env-file-tangled',
    what: `${name} can't be put back: Mastodon would read it together with the lines around it.`,
    why: 'The env file has a line that is neither a comment nor KEY=value, such as a quote that stands alone.',
    next: `Remove the stray line next to ${name}, then run this again.`,
    exit: 2,
  })
}
