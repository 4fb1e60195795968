import { bytesOf, count, counted } from '../../core/amounts.ts'
import type { Comparison, LeftOut } from '../../plan/report-schema.ts'

/** Keys that are shown of each kind; the report has more. */
const SHOWN = 5
/** Columns between two cells. */
const GAP = 2

const reasons: Record<LeftOut, string> = {
  cache: 'media of other servers',
  skipped: '--skip',
  private: 'private',
  suspended: 'suspended users',
  unfinished: 'being stored',
  name: 'names that R2 refuses',
}

/** What is counted, in columns where they fit. */
interface Row {
  readonly label: string
  readonly files: number
  readonly bytes?: number
}

/**
 * A comparison for the screen, ASCII, no line wider than `columns` unless one label is. Lines of keys
 * begin with two spaces.
 */
export function comparisonLines(comparison: Comparison, columns: number): string[] {
  const { same, missing, sizeDiffers, contentDiffers, unreadable } = comparison
  const { extra, uploaded, deletedSince, leftOut, oddities } = comparison
  const key = (text: string) => `  ${shortened(text, columns - 2)}`
  const some = (label: string, tally: Comparison['missing']) =>
    tally.objects === 0 ? [] : [row(label, tally), ...tally.examples.slice(0, SHOWN).map(key)]
  const few = (label: string, tally: Comparison['same']) =>
    tally.objects === 0 ? [] : [row(label, tally)]
  const rows: (Row | string)[] = [
    row('The same on both sides', same),
    ...(missing.objects === 0 ? [row('Missing in the bucket', missing)] : []),
    ...some('Missing in the bucket', missing),
    ...some('Another size in the bucket', sizeDiffers),
    ...some('Another content in the bucket', contentDiffers),
    ...some('Not readable at the source', unreadable),
    ...some('Copied, then deleted at the source', extra),
    ...few('In the bucket only, not from here', uploaded),
    ...few('Deleted by Mastodon since the switch', deletedSince),
    ...Object.entries(leftOut).map(([reason, files]) => ({
      label: `Left out: ${reasons[reason as LeftOut] ?? reason}`,
      files,
    })),
    ...(oddities === 0 ? [] : [{ label: 'Not plain files', files: oddities }]),
  ]
  return [
    ...tableOf(rows, columns),
    ...contentLines(comparison),
    ...headerLines(comparison, columns),
  ]
}

function row(label: string, { objects, bytes }: Comparison['same']): Row {
  return { label, files: objects, bytes }
}

/** A screen without room for columns has a sentence each. */
function tableOf(rows: readonly (Row | string)[], columns: number): string[] {
  const head = ['', 'Files', 'Size'] as const
  const cells = rows.map((row) => (typeof row === 'string' ? row : cellsOf(row)))
  const all = [head, ...cells.filter((one) => typeof one !== 'string')]
  const widest = (at: 0 | 1 | 2) => Math.max(...all.map((one) => one[at].length))
  const [label, files, size] = [widest(0), widest(1) + GAP, widest(2) + GAP]
  if (label + files + size > columns) return rows.map((row) => sentenceOf(row))
  return [head, ...cells].map((one) => {
    if (typeof one === 'string') return one
    return `${one[0].padEnd(label)}${one[1].padStart(files)}${one[2].padStart(size)}`.trimEnd()
  })
}

function cellsOf({ label, files, bytes }: Row): readonly [string, string, string] {
  return [label, count(files), bytes === undefined ? '' : bytesOf(bytes)]
}

function sentenceOf(row: Row | string): string {
  if (typeof row === 'string') return row
  const size = row.bytes === undefined ? '' : `, ${bytesOf(row.bytes)}`
  return `${row.label}: ${counted(row.files, 'file')}${size}`
}

function contentLines({ contents }: Comparison): string[] {
  if (!contents) return []
  const { compared, notComparable } = contents
  const lines = [`Contents (MD5) compared: ${counted(compared, 'file')}.`]
  if (notComparable > 0) {
    lines.push(`Sizes only: ${counted(notComparable, 'file')}, uploaded in unknown parts.`)
  }
  return lines
}

function headerLines({ headers }: Comparison, columns: number): string[] {
  if (!headers) return []
  const { sampled, wrong } = headers
  const of = `Headers of ${counted(sampled, 'object')}, a sample`
  if (wrong.objects === 0) return [`${of}: as Mastodon sets them.`]
  return [
    `${of}: ${count(wrong.objects)} differ${wrong.objects === 1 ? 's' : ''}.`,
    ...wrong.examples
      .slice(0, SHOWN)
      .flatMap(({ key, header, is, expected }) => [
        `  ${shortened(key, columns - 2)}`,
        `  ${shortened(`${header}: ${is ?? 'none'}`, columns - 2)}`,
        `  ${shortened(`expected: ${expected}`, columns - 2)}`,
      ]),
  ]
}

/** ASCII without control characters; the middle goes where there is no room. */
function shortened(text: string, width: number): string {
  const plain = text.replaceAll(/[^ -~]/gu, (sign) => `\\u{${sign.codePointAt(0)?.toString(16)}}`)
  if (plain.length <= width) return plain
  const tail = Math.floor((width - 3) / 2)
  return `${plain.slice(0, width - 3 - tail)}...${plain.slice(-tail)}`
}
