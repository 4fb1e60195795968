import type { Checked } from '../plan/verdict.ts'
import type { ChecksShown, Line, Render, Tone } from './port.ts'

export interface CheckLine extends Line {
  /** Why it matters and what to type next; commands start with two spaces. */
  readonly details: readonly string[]
}

const TONES: Record<Checked['verdict']['severity'], Tone> = {
  fault: 'fault',
  warning: 'warning',
  note: 'note',
  ok: 'ready',
  skipped: 'skipped',
}

/** Verdicts as lines, in the order they come in: the worst first. */
export function checkLines(
  checked: readonly Checked[],
  { verbose }: ChecksShown,
  render: Render,
): CheckLine[] {
  if (verbose) return checked.map((one) => full(one, true, render))
  const bad = checked.filter(({ verdict }) => 'matters' in verdict)
  return [
    ...bad.map((one) => full(one, false, render)),
    ...fine(checked),
    ...skipped(checked, render),
  ]
}

/** What a cron mail should hold, and nothing when all is well. */
export function faultLines(checked: readonly Checked[], render: Render): CheckLine[] {
  const faults = checked.filter(({ verdict }) => verdict.severity === 'fault')
  return faults.map((one) => full(one, false, render))
}

function full({ about, title, verdict }: Checked, verbose: boolean, render: Render): CheckLine {
  const saw = render(verdict.saw)
  const named = saw.startsWith(title) ? saw : `${title}: ${saw}`
  const text = `${about}: ${named}`
  const explained = 'matters' in verdict && (verdict.severity !== 'note' || verbose)
  const details = explained
    ? [`Why: ${render(verdict.matters)}`, `Next: ${render(verdict.next)}`]
    : []
  return { tone: TONES[verdict.severity], text, details: details.flatMap((it) => it.split('\n')) }
}

function fine(checked: readonly Checked[]): CheckLine[] {
  return folded(checked, 'ok', ({ about }) => about).map(([about, those]) => ({
    tone: 'ready',
    text: `${about}: ${titles(those)}`,
    details: [],
  }))
}

function skipped(checked: readonly Checked[], render: Render): CheckLine[] {
  const reason = ({ about, verdict }: Checked) => `${about}: ${render(verdict.saw)}`
  return folded(checked, 'skipped', reason).map(([text, those]) => ({
    tone: 'skipped',
    text: `${text} (${titles(those)})`,
    details: [],
  }))
}

/** Those of one severity by a word, in the order in which the words first come. */
function folded(
  checked: readonly Checked[],
  severity: Checked['verdict']['severity'],
  word: (one: Checked) => string,
): [string, Checked[]][] {
  const groups = new Map<string, Checked[]>()
  for (const one of checked) {
    if (one.verdict.severity !== severity) continue
    groups.set(word(one), [...(groups.get(word(one)) ?? []), one])
  }
  return [...groups]
}

/** More than this many are counted, so that the line stays one. */
const NAMED = 8

function titles(checked: readonly Checked[]): string {
  const names = [...new Set(checked.map(({ title }) => title))]
  if (names.length <= NAMED) return names.join(', ')
  return `${names.slice(0, 3).join(', ')} and ${names.length - 3} more`
}
