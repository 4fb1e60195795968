import { readStatements, type Statement } from './env-text.ts'

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
