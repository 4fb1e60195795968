import type { Problem } from '../core/problem.ts'
import { readerOf, renderedLine, renderText, type Text } from '../core/to-type.ts'
import type { Host } from '../host.ts'
import type { Report, ReportStep } from '../plan/report.ts'
import type { Plan, PlanItem } from '../plan/survey.ts'
import type { Closing, Line, Render, Tone } from './port.ts'
import { tame } from './tamed.ts'

/**
 * Breaks text at spaces so that no line is longer than `columns`, unless one word is. Lines that
 * start with two spaces are commands to copy: they stay whole, and so does one inside a sentence.
 */
export function wrap(text: string, columns: number, indent = ''): string[] {
  return text
    .split('\n')
    .flatMap((line) => (line.startsWith('  ') ? [line] : fold(line, columns, indent)))
}

/** The blank of an amount, such as `10 GB`. */
const AMOUNT = /(?<=\d) (?=(?:bytes?|[KMGT]B|ms|s|min|h|d|%)(?![A-Za-z]))/g

/** Words; a line to type is one, and so is an amount. */
function wordsOf(text: string): string[] {
  const whole = '\u0000'
  return text
    .replace(renderedLine, (line) => line.replaceAll(' ', whole))
    .replace(AMOUNT, whole)
    .split(' ')
    .map((word) => word.replaceAll(whole, ' '))
}

function fold(text: string, columns: number, indent: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of wordsOf(text)) {
    if (line !== '' && line.length + 1 + word.length > columns) {
      lines.push(line)
      line = indent + word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

export function planLines(plan: Plan, render: Render): Line[] {
  return plan.items.flatMap(({ title, finding }) => findingLines(title, finding, render))
}

function findingLines(title: string, finding: PlanItem['finding'], render: Render): Line[] {
  switch (finding.is) {
    case 'ready':
      return [{ tone: 'ready', text: `${title}: ${render(finding.note)}` }]
    case 'waiting':
      return [{ tone: 'change', text: `${title}: ${finding.will}` }]
    case 'later':
      return [{ tone: 'skipped', text: `${title}: ${render(finding.note)}` }]
    case 'blocked':
      return [{ tone: 'fault', text: `${title}: ${finding.problem.what}` }]
    case 'change':
      return finding.changes.map(({ what, risk, goes }) => ({
        ...(goes && { goes }),
        tone: risk === 'safe' ? ('change' as const) : risk,
        text: `${title}: ${what}${risk === 'public' ? ' [public]' : ''}`,
      }))
  }
}

const STATUS_TONES: Record<ReportStep['status'], Tone> = {
  ready: 'ready',
  changed: 'ready',
  'would-change': 'change',
  failed: 'fault',
  blocked: 'fault',
  skipped: 'skipped',
}

export function outcomeLine(
  { title, note, status }: Pick<ReportStep, 'title' | 'status'> & { readonly note: Text },
  render: Render,
): Line {
  return { tone: STATUS_TONES[status], text: `${title}: ${render(note)}` }
}

/** The settings of a run with the source of each, as `name  value (source)`. */
export function settingLines(settings: Report['settings']): string[] {
  const names = Object.keys(settings)
  const width = Math.max(0, ...names.map((name) => name.length))
  return names.map((name) => {
    const { value, source } = settings[name] as Report['settings'][string]
    const text = Array.isArray(value) ? value.join(', ') : String(value)
    return `${name.padEnd(width)}  ${text} (${source})`
  })
}

export function problemLines({
  what,
  why,
  next,
}: Pick<NonNullable<Report['problem']>, 'what' | 'why' | 'next'>): string[] {
  return [what, `Why: ${why}`, `Next: ${next}`]
}

/** A Problem for standard error, where no voice was chosen yet. */
export function bareProblem(
  { what, why, next }: Problem,
  host: Pick<Host, 'userId' | 'program'>,
): string {
  const render = (text: Text) => tame(renderText(text, readerOf(host)))
  return `${problemLines({ what: tame(what), why: render(why), next: render(next) }).join('\n')}\n`
}

/** The closing words as wrapped lines with an empty line between sections; commands stay whole. */
export function closingLines({ sections }: Closing, columns: number, render: Render): string[] {
  return sections.flatMap(({ title, lines }) => [
    '',
    ...wrap(`${title}:`, columns),
    ...lines
      .map(render)
      .flatMap((line) =>
        line.startsWith('  ') ? [line] : wrap(line, columns - 2).map((part) => `  ${part}`),
      ),
  ])
}
