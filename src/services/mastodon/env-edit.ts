import { Problem } from '../../core/problem.ts'
import { readStatements, type Statement } from './env-text.ts'

export interface EnvChanges {
  /** Values by key; only those that `isPlainValue` takes. */
  readonly set: ReadonlyMap<string, string>
  /** Keys that must not be active any more: commented out. */
  readonly retire?: readonly string[]
  /**
   * Lines to append when none of the keys is active yet; holds an assignment for some of `set`. It
   * begins with a comment: dotenv would join a last line such as `export` with an assignment.
   */
  readonly block?: string
}

interface Patch {
  readonly start: number
  readonly end: number
  readonly text: string
}

/**
 * The text of an env file with `set` in force: the last active assignment of a key is replaced in
 * place, earlier ones are commented out, commented ones stay comments, missing keys are added. All
 * else stays byte for byte, and a second edit changes nothing. Problems: `env-value-unsafe`, and
 * `env-file-tangled` where Mastodon would read something else than what was written.
 */
export function editEnvFile(text: string, changes: EnvChanges): string {
  for (const [key, value] of changes.set) checkPlain(key, value)
  const result = withChanges(text, changes)
  const statements = readStatements(result).filter(({ active }) => active)
  const last = new Map(statements.map((statement) => [statement.key, statement]))
  for (const [key, value] of changes.set) {
    const { plain, value: found } = last.get(key) ?? {}
    if (!plain || found !== value) throw tangled(key, 'set')
  }
  return result
}

function withChanges(text: string, changes: EnvChanges): string {
  const active = readStatements(text).filter((statement) => statement.active)
  const last = new Map(active.map((statement) => [statement.key, statement]))
  const retired = new Set(changes.retire)
  const lineEnd = usualLineEnd(text)
  const patches: Patch[] = []
  let anchor: Statement | undefined
  for (const statement of active) {
    const value = changes.set.get(statement.key)
    if (value === undefined && !retired.has(statement.key)) continue
    if (value === undefined || last.get(statement.key) !== statement) {
      patches.push(commentedOut(text, statement))
      continue
    }
    anchor = statement
    if (!statement.plain || statement.value !== value) {
      patches.push(replaced(text, statement, value, lineEnd))
    }
  }
  const missing = [...changes.set].filter(([key]) => !last.has(key))
  if (missing.length === 0) return apply(text, patches)
  if (anchor === undefined) {
    return append(apply(text, patches), newLines(changes.set, changes.block), lineEnd)
  }
  const added = missing.map(([key, value]) => `${lineEnd}${key}=${value}`).join('')
  return apply(text, [...patches, { start: anchor.end, end: anchor.end, text: added }])
}

/** The signs of a value that every reader of an env file takes alike. */
export const PLAIN_SIGNS = 'letters, digits and . _ : / , @ % + = -'

/** Whether a value has these signs alone, so that it can be written. */
export function isPlainValue(value: string): boolean {
  return /^[A-Za-z0-9._:/,@%+=-]*$/.test(value)
}

function checkPlain(key: string, value: string): void {
  if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(key)) throw new Error(`${key} is no variable name.`)
  if (isPlainValue(value)) return
  throw new Problem({
    code: 'env-value-unsafe',
    what: `The value for ${key} can't be written to the env file.`,
    why: `It has a character that Mastodon, systemd, Docker and the shell read differently (allowed: ${PLAIN_SIGNS}).`,
    next: `Choose a value for ${key} without that character, then run this again.`,
    exit: 2,
  })
}

function commentedOut(text: string, { start, end }: Statement): Patch {
  const lines = text.slice(start, end).replace(/(^|\r\n|\r|\n)/g, '$1# ')
  return { start, end, text: lines }
}

/** Keeps the indentation; an inline comment moves to a line of its own above. */
function replaced(text: string, statement: Statement, value: string, lineEnd: string): Patch {
  const { start, end, key, comment, commentApart } = statement
  const indent = /^[ \t]*/.exec(text.slice(start, end))?.[0] ?? ''
  // Before v254 systemd took the line below a comment that ends in a backslash as its continuation.
  const above = commentApart ? comment?.replace(/[\\\s]+$/, '') : undefined
  const commentLine = above === undefined ? '' : `${indent}${above}${lineEnd}`
  return { start, end, text: `${commentLine}${indent}${key}=${value}` }
}

/** The comment above lines that have no block of their own. */
export const ADDED = '# Added by mastodon-r2'

function newLines(set: ReadonlyMap<string, string>, block = ADDED): string[] {
  const lines = block.split(/\r\n|\n/)
  while (lines.at(-1) === '') lines.pop()
  const inBlock = new Map(readStatements(block).map(({ key, value }) => [key, value]))
  for (const [key, value] of inBlock) {
    if (set.get(key) !== value) throw new Error(`The block says something else about ${key}.`)
  }
  const rest = [...set].filter(([key]) => !inBlock.has(key))
  return [...lines, ...rest.map(([key, value]) => `${key}=${value}`)]
}

function append(text: string, lines: readonly string[], lineEnd: string): string {
  const before = text.replace(/^\uFEFF/, '')
  const closed = before === '' || /[\r\n]$/.test(before) ? '' : lineEnd
  const blank = before === '' || /(?:^|\r\n|\n|\r)(?:\r\n|\n|\r)$/.test(before) ? '' : lineEnd
  return `${text}${closed}${blank}${lines.join(lineEnd)}${lineEnd}`
}

function usualLineEnd(text: string): string {
  const all = text.match(/\n/g)?.length ?? 0
  const windows = text.match(/\r\n/g)?.length ?? 0
  return windows * 2 > all ? '\r\n' : '\n'
}

/** Of two that meet, the one that begins first holds. */
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

function tangled(key: string, wanted: 'set' | 'put back'): Problem {
  return new Problem({
    code: 'env-file-tangled',
    what: `${key} can't be ${wanted}: Mastodon would read it together with the lines around it.`,
    why: 'The env file has a line that is neither a comment nor KEY=value, such as a quote that stands alone.',
    next: `Remove the stray line next to ${key} (or to the other S3_ lines), then run this again.`,
    exit: 2,
  })
}

const MASK = '****'
const SECRET_LIKE = /SECRET|PASS|PRIVATE|TOKEN|SALT|OTP|CREDENTIAL|_KEY$|_KEY_BASE$|DATABASE_URL/

/**
 * What changes between two texts of an env file, line by line: `- KEY=value`, `+ KEY=value`. Values
 * of `secretNames` and of names that look like secrets are masked, as is every line that is
 * neither assignment nor comment (it may be a piece of a key), and long words in comments.
 */
export function diffEnvFile(
  before: string,
  after: string,
  secretNames: readonly string[],
): string[] {
  const secrets = new Set(secretNames)
  const old = numbered(before)
  const fresh = numbered(after)
  const removed = surplus(old, fresh)
  const added = surplus(fresh, old)
  const result: string[] = []
  for (let i = 0, j = 0; i < old.length || j < fresh.length; ) {
    const oldLine = old[i]
    const newLine = fresh[j]
    if (oldLine !== undefined && removed.has(i)) {
      result.push(`- ${masked(oldLine, secrets)}`)
      i += 1
    } else if (newLine !== undefined && added.has(j)) {
      result.push(`+ ${masked(newLine, secrets)}`)
      j += 1
    } else {
      i += 1
      j += 1
    }
  }
  return result
}

interface Line {
  readonly text: string
  /** The assignment that begins on this line. */
  readonly statement: Statement | undefined
}

function numbered(text: string): Line[] {
  const statements = new Map(readStatements(text).map((statement) => [statement.line, statement]))
  const lines = text.replace(/^\uFEFF/, '').split(/\r\n|\r|\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines.map((line, index) => ({ text: line, statement: statements.get(index + 1) }))
}

/** Indexes of the lines that `lines` has more often than `others`; edits never change the order. */
function surplus(lines: readonly Line[], others: readonly Line[]): Set<number> {
  const balance = new Map<string, number>()
  for (const { text } of lines) balance.set(text, (balance.get(text) ?? 0) + 1)
  for (const { text } of others) balance.set(text, (balance.get(text) ?? 0) - 1)
  const indexes = new Set<number>()
  for (const [index, { text }] of lines.entries()) {
    const left = balance.get(text) ?? 0
    if (left <= 0) continue
    balance.set(text, left - 1)
    indexes.add(index)
  }
  return indexes
}

function masked({ text, statement }: Line, secrets: ReadonlySet<string>): string {
  if (statement === undefined) return /^\s*(#|$)/.test(text) ? quiet(text.trim()) : MASK
  const { key, raw, comment } = statement
  const mark = statement.active ? '' : '# '
  const secret = secrets.has(key) || SECRET_LIKE.test(key)
  const shown = secret ? (raw === '' ? '' : MASK) : /[\r\n]/.test(raw) ? MASK : raw
  // A # inside a secret looks like a comment to dotenv: what follows is never shown.
  const note = comment === undefined || secret ? '' : ` ${quiet(comment)}`
  return `${mark}${key}=${shown}${note}`
}

function quiet(comment: string): string {
  return comment.replace(/[A-Za-z0-9+/=_-]{16,}/g, MASK)
}

/** What an edit wrote into an env file, to be taken back. */
export interface WrittenLines {
  /** Settings that were written: they get the lines of before, or go. */
  readonly names: readonly string[]
  /** Settings that were commented out: uncommented where `before` has them active. */
  readonly retired: readonly string[]
  /** Comment lines that were written beside the settings. */
  readonly marks: readonly string[]
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
    if (last) patches.push(putBack(text, before, last, wanted))
    else if (uncommented.length === 0 && written.names.includes(name)) missing.push(wanted)
  }
  const result = appendRestored(apply(text, patches), missing, usualLineEnd(text))
  verifyRestored(result, then, written.names)
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
function putBack(text: string, before: string, now: Statement, wanted: string): Patch {
  const above = /([^\r\n]*)(?:\r\n|\n|\r)$/.exec(text.slice(0, now.start))
  const comment = above?.[1]?.trim() ?? ''
  const moved = comment.startsWith('#') && wanted.includes(comment) && !hasLine(before, comment)
  return {
    start: moved ? now.start - (above?.[0].length ?? 0) : now.start,
    end: now.end,
    text: wanted,
  }
}

function hasLine(text: string, line: string): boolean {
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

/** With them goes the empty line that an edit puts before a block where there is none. */
function marksIn(text: string, before: string, marks: readonly string[]): Patch[] {
  let hasOwnBlank = !LAST_BLANK.test(before)
  return marks.flatMap((mark) => {
    const at = text.indexOf(mark)
    const end = at + mark.length
    const stands = at === 0 || /[\r\n\uFEFF]$/.test(text.slice(0, at))
    if (at < 0 || !stands || !/^([\r\n]|$)/.test(text.slice(end)) || hasLine(before, mark))
      return []
    const blank = LAST_BLANK.exec(text.slice(0, at))?.[0] ?? ''
    const start = hasOwnBlank ? at - blank.length : at
    hasOwnBlank = true
    return [{ ...wholeLine(text, { start: at, end }), start }]
  })
}

function appendRestored(text: string, lines: readonly string[], lineEnd: string): string {
  if (lines.length === 0) return text
  const closed = text === '' || /[\r\n]$/.test(text) ? '' : lineEnd
  return `${text}${closed}${lines.join(lineEnd)}${lineEnd}`
}

function verifyRestored(
  result: string,
  then: Map<string, Statement[]>,
  names: readonly string[],
): void {
  const now = activeIn(result)
  for (const name of names) {
    if (now.get(name)?.at(-1)?.value !== then.get(name)?.at(-1)?.value)
      throw tangled(name, 'put back')
  }
}
