import { Problem } from '../core/problem.ts'
import type { Outcome } from '../plan/apply.ts'
import { checkLines, faultLines } from './check-lines.ts'
import { columnsOf, lineQuestions, type Person } from './line-questions.ts'
import type { Line, Render, Ui } from './port.ts'
import { closingLines, outcomeLine, planLines, problemLines, settingLines, wrap } from './words.ts'

/** What takes text: a stream, or a log. */
export type Sink = { write(text: string): unknown }

export interface PlainOptions {
  /** Where words go: standard output, or standard error beside a JSON report or a printed block. */
  readonly words: Sink
  readonly stdout: Sink
  readonly stderr: Sink
  readonly quiet: boolean
  /** Told of no place unless there is one. */
  readonly render?: Render
  /** Who is asked; nobody unless told. */
  readonly person?: Person
}

const SIGNS: Record<Line['tone'], string> = {
  ready: 'ok      ',
  change: 'change  ',
  public: 'change  ',
  destructive: 'DELETE  ',
  fault: 'FAULT   ',
  warning: 'WARNING ',
  note: 'note    ',
  skipped: 'skipped ',
  plain: '        ',
}

const GOES = 'remove  '
const WAIT = 'wait    '

/** Milliseconds between lines about a long work: a log of a day's copying stays readable. */
const PROGRESS_MS = 30_000

/** Milliseconds after which a person is told what is waited for. */
const PATIENCE_MS = 2_000

/** Wide enough for any line of a log: those are not broken. */
const UNBROKEN = 100_000

/**
 * Lines for logs and pipes: ASCII, no colour, nobody to ask; or for a terminal that takes no more, or
 * whose lines are read aloud, with questions.
 */
export function plainUi({ words, stdout, stderr, quiet, person, ...options }: PlainOptions): Ui {
  const render = options.render ?? String
  const columns = (most: number) => (person ? columnsOf(person.words) : most)
  const write = (line: string) => words.write(`${line}\n`)
  const chat = (line: string) => {
    if (!quiet) write(line)
  }
  let progressAt = Date.now()
  const states = new Map<string, string>()
  const after = (sign: string, text: string, indent = '') => {
    const under = `${indent}${SIGNS.plain}`
    const [first = '', ...rest] = wrap(text, columns(UNBROKEN) - under.length)
    return [`${indent}${sign}${first}`, ...rest.map((line) => `${under}${line}`)]
  }
  const signed = ({ tone, text, goes }: Line, indent?: string) =>
    after(goes && tone !== 'destructive' ? GOES : SIGNS[tone], text, indent)
  const wait = (text: string) => after(WAIT, text).forEach(chat)
  const indented = (line: string) =>
    wrap(line, columns(UNBROKEN) - 2).map((part) => `  ${part}`.trimEnd())
  return {
    canAsk: person !== undefined,
    intro: chat,
    say: (text) => wrap(render(text), columns(100)).forEach(chat),
    warn: (text) => wrap(`warning: ${render(text)}`, columns(UNBROKEN)).forEach(write),
    note: (title, lines) =>
      [`${title}:`, ...lines.flatMap((line) => indented(render(line)))].forEach(chat),
    link: (url) => chat(`  ${url}`),
    busy(text) {
      if (!person) return () => undefined
      const late = setTimeout(() => wait(text), PATIENCE_MS).unref()
      return () => clearTimeout(late)
    },
    progress(line) {
      if (line === undefined || Date.now() - progressAt < PROGRESS_MS) return
      progressAt = Date.now()
      wait(line)
    },
    ...(person ? lineQuestions(person) : { ask: nobody, choose: nobody, agree: async () => false }),
    showPlan(plan, settings, title) {
      const chosen = settingLines(settings).flatMap(indented)
      const planned = planLines(plan, render).flatMap((line) => signed(line, '  '))
      for (const line of [`${title}:`, ...chosen, ...planned]) chat(line)
    },
    showChecks(checked, shown) {
      const lines = quiet ? faultLines(checked, render) : checkLines(checked, shown, render)
      for (const { tone, text, details } of lines) {
        const [first = '', ...rest] = [text, ...details].flatMap((line) =>
          wrap(line, columns(100) - 8),
        )
        write(`${SIGNS[tone]}${first}`)
        for (const line of rest) write(`${SIGNS.plain}${line}`)
      }
    },
    started: () => undefined,
    told(id, title, state) {
      if (states.get(id) === state) return
      states.set(id, state)
      wait(`${title}: ${state}`)
    },
    ended(outcome: Outcome) {
      const isBad = outcome.status === 'failed' || outcome.status === 'blocked'
      signed(outcomeLine(outcome, render)).forEach(isBad ? write : chat)
    },
    block: (text) => stdout.write(text),
    call: (line) => stderr.write(`${line}\n`),
    finish(report, closing) {
      if (quiet && closing.isRoutine) return
      const told = report.problem ? problemLines(report.problem) : []
      const isSaid = report.problem && closing.headline === report.problem.what
      for (const text of isSaid ? told : [...told, closing.headline]) {
        wrap(text, columns(UNBROKEN)).forEach(write)
      }
      closingLines(closing, columns(100), render).forEach(write)
    },
  }
}

async function nobody(): Promise<never> {
  throw new Problem({
    code: 'nobody-to-ask',
    what: 'A question came up, and there is nobody to ask.',
    why: 'This run has no terminal.',
    next: 'Run it in a terminal, or give every setting as a flag.',
    exit: 2,
  })
}

/** The same terminal, with every text changed on its way; moving the cursor still works. */
export function filtered(
  stream: NodeJS.WriteStream,
  change: (text: string) => string,
): NodeJS.WriteStream {
  return new Proxy(stream, {
    get(target, name) {
      if (name === 'write') {
        return (chunk: unknown, ...rest: never[]) =>
          target.write(typeof chunk === 'string' ? change(chunk) : (chunk as never), ...rest)
      }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}
