import { bytesOf, count, counted, duration } from '../../core/amounts.ts'
import { dollars, prices } from '../../plan/prices.ts'
import type { Amount, LeftOut, MediaSurvey } from '../../plan/report-schema.ts'

const leftOutWords: Readonly<Record<LeftOut, string>> = {
  cache: 'cache/',
  skipped: 'skipped',
  private: 'private',
  suspended: 'suspended users',
  unfinished: 'being stored',
  name: 'names that R2 refuses',
}

const oddities: Readonly<Record<string, string>> = {
  loop: 'Links in a circle, not followed',
  'dangling-link': 'Links that lead nowhere',
  'outside-link': 'Links out of the media folder, followed',
  foreign: "Out of the media folder and another user's, so not copied",
  unreadable: 'Not readable, so not copied',
  'not-a-file': 'Neither file nor folder',
  'name-not-utf8': 'Names that are not UTF-8, so not copied',
  hidden: 'Hidden, so not copied',
  vanished: 'Gone while this looked',
}

/** What an oddity of a walk means, for a list. */
function oddityWords(kind: string): string {
  return oddities[kind] ?? kind
}

/** A key as one word in ASCII, however odd it is. */
export function shownKey(key: string): string {
  if (/^[\x21-\x7e]+$/.test(key)) return key
  return JSON.stringify(key).replace(
    /[\x7f-\uffff]/g,
    (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

const HOUR_MS = 3_600_000
/** From here on there is room for how something is fetched again; below `NARROW` for bars no more. */
const [WIDE, NARROW] = [104, 50]
const NAMED = 3
const [TITLE, OBJECTS, SIZE, BAR] = [24, 9, 11, 8]

/** A survey for the screen: ASCII, every line indented by two and no longer than `width` unless a key is. */
export function surveyLines(survey: MediaSurvey, width: number): string[] {
  const room = width - 2
  const { total, oddities } = survey
  if (total.objects === 0 && oddities.length === 0) return ['  There are no files.']
  return [
    ...table(survey, width),
    ...[...costLines(survey), ...careLines(survey)].flatMap((text) => fold(text, room)),
  ].map((line) => `  ${line}`)
}

function table(survey: MediaSurvey, width: number): string[] {
  const { classes, total, again, leftOut, copied } = survey
  const layout = width >= WIDE ? wide : width >= NARROW ? barred : narrow
  const reasons = Object.entries(leftOut) as [keyof typeof leftOutWords, Amount][]
  const mark = layout === wide ? '' : ' *'
  const rows = classes.map((row) => {
    const title = row.again === null ? row.title : `${row.title}${mark}`
    const share = total.bytes === 0 ? 0 : row.bytes / total.bytes
    return layout({ title, ...amounts(row), bar: barOf(share), last: row.again ?? 'no' })
  })
  const sum = (title: string, amount: Amount, last = '') =>
    layout({ title, ...amounts(amount), bar: last, last: '' })
  const head = layout({
    title: 'class',
    objects: 'files',
    size: 'size',
    bar: 'share'.padEnd(BAR),
    last: 'can be fetched again',
  })
  const ruler = '-'.repeat(Math.max(...[head, ...rows].map(({ length }) => length)))
  return [
    head,
    ruler,
    ...rows,
    ruler,
    sum('in all', total),
    sum(`${mark === '' ? '' : '* '}can be fetched again`, again),
    ...reasons.map(([reason, left]) => sum(`- ${leftOutWords[reason]}`, left, 'left out')),
    sum('to be copied', copied),
  ]
}

interface Row {
  readonly title: string
  readonly objects: string
  readonly size: string
  readonly bar: string
  readonly last: string
}

type Layout = (row: Row) => string

const wide: Layout = (row) =>
  `${barred({ ...row, bar: row.bar.padEnd(BAR) })}  ${row.last}`.trimEnd()

const barred: Layout = ({ title, objects, size, bar }) => {
  const row = `${title.padEnd(TITLE)}${objects.padStart(OBJECTS)}${size.padStart(SIZE)}  ${bar}`
  return row.trimEnd()
}

const narrow: Layout = ({ title, size }) => `${title.padEnd(TITLE)}${size.padStart(SIZE)}`

function amounts({ objects, bytes }: Amount): Pick<Row, 'objects' | 'size'> {
  return { objects: count(objects), size: bytesOf(bytes) }
}

/** The share of the size; what there is at all is seen. */
function barOf(share: number): string {
  const full = share > 0 ? Math.max(Math.round(share * BAR), 1) : 0
  return '#'.repeat(full).padEnd(BAR, '.')
}

function costLines({ copied, costs, pace, onlyLocal }: MediaSurvey): string[] {
  if (copied.objects === 0) return ['Nothing is to be copied.']
  const { classA, gbMonths, classADollars, storageDollars, firstMonthDollars, hours } = costs
  const rate = `${count(Math.round(pace.objectsPerSecond))} files or ${bytesOf(pace.bytesPerSecond)}`
  const known =
    pace.latencyMs === null
      ? 'assumed'
      : `a request takes ${count(Math.round(pace.latencyMs))} ms from here, the line is assumed`
  const free = `${prices.free.gbMonths} GB and 1 million requests a month are free in an account`
  return [
    `Time: ${about(hours)}, at ${rate} a second (${known}).`,
    `Requests: ${count(classA)} of Class A, one comparison included.`,
    `First month: ${dollars(firstMonthDollars)}, of it ${dollars(classADollars)} for requests and ${dollars(storageDollars)} for ${gbMonths.toFixed(1)} GB. ${free}; that is taken off.`,
    `Later: ${dollars(storageDollars)} a month for what is there now.`,
    ...(onlyLocal ? [savings(onlyLocal)] : []),
  ]
}

function savings({ saves }: NonNullable<MediaSurvey['onlyLocal']>): string {
  const less = `${counted(saves.objects, 'file')} and ${bytesOf(saves.bytes)} less`
  const worth = `${dollars(saves.firstMonthDollars)} and ${about(saves.hours)} saved`
  return `Without cache/ (--only-local): ${less}; ${worth}. Clear it first: stage cleanup.`
}

function careLines(survey: MediaSurvey): string[] {
  const { suspended, oddNames, oddities } = survey
  const lines = oddities.map(({ kind, count: number, examples }) => {
    return `${oddityWords(kind)}: ${count(number)}${named(examples, number)}`
  })
  if (suspended.objects > 0) {
    const files = `${counted(suspended.objects, 'file')}, ${bytesOf(suspended.bytes)}`
    lines.unshift(`Suspended users: ${files}${named(suspended.examples, suspended.objects)}`)
  }
  if (oddNames.objects > 0) {
    const { objects, examples } = oddNames
    lines.push(`Odd names, uploaded without rclone: ${count(objects)}${named(examples, objects)}`)
  }
  return lines
}

function named(examples: readonly string[], number: number): string {
  const shown = examples.slice(0, NAMED).map(shownKey).join(', ')
  return shown === '' ? '' : ` (${shown}${number > NAMED ? ', ...' : ''})`
}

function about(hours: number): string {
  return `about ${duration(hours * HOUR_MS)}`
}

/** Breaks at spaces; lines that go on are indented. */
function fold(text: string, width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = `  ${word}`
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
