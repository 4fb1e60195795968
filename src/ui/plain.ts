import { Problem } from '../core/problem.ts'
import type { Outcome } from '../plan/apply.ts'
import { checkLines, faultLines } from './check-lines.ts'
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

/** Milliseconds between lines about a long work: a log of a day's copying stays readable. */
const PROGRESS_MS = 30_000

/** Lines for logs and pipes: ASCII, no colour, nobody to ask. */
export function plainUi({ words, stdout, stderr, quiet, ...options }: PlainOptions): Ui {
  const render = options.render ?? String
  const write = (line: string) => words.write(`${line}\n`)
  const chat = (line: string) => {
    if (!quiet) write(line)
  }
  let progressAt = Date.now()
  const states = new Map<string, string>()
  const signed = ({ tone, text, goes }: Line) =>
    `${goes && tone !== 'destructive' ? GOES : SIGNS[tone]}${text}`
  return {
    canAsk: false,
    intro: chat,
    say: (text) => wrap(render(text), 100).forEach(chat),
    warn: (text) => write(`warning: ${render(text)}`),
    note: (title, lines) =>
      [`${title}:`, ...lines.map((line) => `  ${render(line)}`.trimEnd())].forEach(chat),
    link: (url) => chat(`  ${url}`),
    busy: () => () => undefined,
    progress(line) {
      if (line === undefined || Date.now() - progressAt < PROGRESS_MS) return
      progressAt = Date.now()
      chat(`wait    ${line}`)
    },
    ask: nobody,
    choose: nobody,
    agree: async () => false,
    showPlan(plan, settings, title) {
      for (const line of [`${title}:`, ...settingLines(settings).map((line) => `  ${line}`)]) {
        chat(line)
      }
      for (const line of planLines(plan, render)) chat(`  ${signed(line)}`)
    },
    showChecks(checked, shown) {
      const lines = quiet ? faultLines(checked, render) : checkLines(checked, shown, render)
      for (const { tone, text, details } of lines) {
        const [first = '', ...rest] = [text, ...details].flatMap((line) => wrap(line, 92))
        write(`${SIGNS[tone]}${first}`)
        for (const line of rest) write(`${SIGNS.plain}${line}`)
      }
    },
    started: () => undefined,
    told(id, title, state) {
      if (states.get(id) === state) return
      states.set(id, state)
      chat(`wait    ${title}: ${state}`)
    },
    ended(outcome: Outcome) {
      const line = signed(outcomeLine(outcome, render))
      if (outcome.status === 'failed' || outcome.status === 'blocked') write(line)
      else chat(line)
    },
    block: (text) => stdout.write(text),
    call: (line) => stderr.write(`${line}\n`),
    finish(report, closing) {
      if (report.problem) problemLines(report.problem).forEach(write)
      if (!report.problem || closing.headline !== report.problem.what) write(closing.headline)
      closingLines(closing, 100, render).forEach(write)
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
