import { styleText } from 'node:util'
import * as clack from '@clack/prompts'
import { Cancelled } from '../core/problem.ts'
import { inAscii } from './ascii.ts'
import { checkLines, faultLines } from './check-lines.ts'
import { hyperlink } from './hyperlinks.ts'
import { filtered } from './plain.ts'
import type { Line, Render, Ui } from './port.ts'
import { StatusLine } from './status-line.ts'
import { closingLines, outcomeLine, planLines, problemLines, settingLines, wrap } from './words.ts'

/**
 * Standard input for questions. When the terminal is gone, leaving raw mode fails (EIO), and readline
 * would end the process for it before anything could be tidied up.
 */
export function keyboard(stdin: NodeJS.ReadStream): NodeJS.ReadStream {
  return new Proxy(stdin, {
    get(target, name) {
      if (name === 'setRawMode') {
        return (on: boolean) => (target.readableEnded ? target : target.setRawMode(on))
      }
      const value = Reflect.get(target, name, target)
      return typeof value === 'function' ? value.bind(target) : value
    },
  })
}

// biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
const COLOUR = /\u001B\[[\d;]*m/g

/** The same terminal with colours left out. */
function withoutColour(stream: NodeJS.WriteStream): NodeJS.WriteStream {
  return filtered(stream, (text) => text.replace(COLOUR, ''))
}

export interface ClackOptions {
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  readonly colour: boolean
  readonly quiet: boolean
  /** false: ASCII alone; true unless told. */
  readonly unicode?: boolean
  /** Addresses are sent as links that a click opens; false unless told. */
  readonly links?: boolean
  /** Takes away what was typed by now. */
  readonly forgetTyped?: () => Promise<void>
  /** From then on what is typed while nothing is asked is not shown; a question shows what it takes. */
  readonly hushKeyboard?: () => void
  /** Ends a question that is open as if the person had cancelled it. */
  readonly interrupted?: AbortSignal
  /** Told of no place unless there is one. */
  readonly render?: Render
}

type Style = Parameters<typeof styleText>[0]

const STYLES: Record<Line['tone'], Style> = {
  ready: 'green',
  change: 'cyan',
  public: 'yellow',
  destructive: 'red',
  fault: 'red',
  warning: 'yellow',
  note: 'blue',
  skipped: 'gray',
  plain: 'white',
}

const SIGNS: Record<Line['tone'], readonly [unicode: string, ascii: string]> = {
  ready: ['✔', 'ok'],
  change: ['+', '+'],
  public: ['+', '+'],
  destructive: ['-', '-'],
  fault: ['✖', 'x'],
  warning: ['▲', '!'],
  note: ['•', '*'],
  skipped: ['·', '.'],
  plain: [' ', ' '],
}

/** The voice for a person at a terminal. */
export function clackUi({ stdin, stdout, stderr, colour, quiet, ...options }: ClackOptions): Ui {
  const render = options.render ?? String
  const unicode = clack.unicode && options.unicode !== false
  const screen = unicode ? stdout : inAscii(stdout)
  const output = colour ? screen : withoutColour(screen)
  const signal = options.interrupted === undefined ? {} : { signal: options.interrupted }
  const common = { input: keyboard(stdin), output, ...signal }
  const paint = (style: Style, text: string) => (colour ? styleText(style, text) : text)
  const status = new StatusLine(output, unicode)
  let isHushed = false
  // Another program does it, which takes as long as all that is read before a first question.
  const hush = () => {
    if (!isHushed) options.hushKeyboard?.()
    isHushed = true
  }
  /** A question alone: what the terminal was before it comes back behind it. */
  const asking = async <T>(ask: () => Promise<T>) => {
    const answer = await ask()
    hush()
    return answer
  }
  const width = () => Math.max((stdout.columns || 80) - 4, 30)
  const print = (lines: readonly string[], symbol?: string) => {
    status.hide()
    const options = symbol === undefined ? {} : { symbol }
    clack.log.message(lines.join('\n'), { ...options, output, spacing: 0 })
  }
  const signed = ({ tone, text, goes }: Line) => {
    const sign = goes ? '-' : SIGNS[tone][unicode ? 0 : 1]
    const [first = '', ...rest] = wrap(text, width() - 2, '  ')
    return [`${paint(STYLES[tone], sign)} ${first}`, ...rest]
  }
  return {
    canAsk: true,
    intro: (title) => {
      if (!quiet) clack.intro(paint('inverse', ` ${title} `), { output })
    },
    say: (text) => {
      if (quiet) return
      status.hide()
      clack.log.step(wrap(render(text), width()).join('\n'), { output })
    },
    warn(text) {
      status.hide()
      clack.log.warn(wrap(render(text), width()).join('\n'), { output, spacing: 0 })
    },
    note(title, lines) {
      status.hide()
      const text = lines
        .map(render)
        .flatMap((line) => wrap(line, width(), /^[-+] /.test(line) ? '  ' : ''))
        .join('\n')
      const named = wrap(title, width()).map((line) => paint('bold', line))
      clack.log.info([...named, text].join('\n'), { output, spacing: 1 })
    },
    link(url) {
      status.hide()
      // Without a bar: what the terminal itself breaks is copied as one.
      output.write(`${options.links ? hyperlink(url) : url}\n`)
    },
    busy(text) {
      hush()
      status.set(text, text)
      return () => {
        status.cover(undefined)
        status.remove(text)
      }
    },
    progress(line) {
      hush()
      status.cover(line)
    },
    async ask({ message, hint, initial, masked, fault }) {
      status.hide()
      // clack sets a bar before the first line alone.
      const under = `\n${paint('gray', unicode ? '│' : '|')}  `
      const validate = (typed: string | undefined) => {
        const found = fault(typed ?? '')
        return found === undefined ? undefined : wrap(found, width()).join('\n   ')
      }
      const hints = hint === undefined ? [] : wrap(hint, width())
      const full = [...wrap(message, width()), ...hints.map((line) => paint('dim', line))]
      const asked = { ...common, message: full.join(under), validate }
      const answer = await asking(() =>
        masked ? clack.password(asked) : clack.text({ ...asked, initialValue: initial ?? '' }),
      )
      return unlessCancelled(answer)
    },
    async choose({ message, options, initial, isTable }) {
      status.hide()
      // A hint is a part of its label: clack shows it at the marked one alone, and breaks it anywhere.
      const labelled = options.map(({ value, label, hint }) => {
        const lines = isTable
          ? tableRow(label, hint ?? '', width() - SELECT)
          : wrap(hint === undefined ? label : `${label}: ${hint}`, width() - SELECT)
        return { value, label: lines.join('\n  ') }
      })
      return unlessCancelled(
        await asking(() =>
          clack.select<string>({
            ...common,
            message: wrap(message, width()).join('\n'),
            options: labelled,
            ...(initial !== undefined && { initialValue: initial }),
          }),
        ),
      )
    },
    async agree(message, safe) {
      status.hide()
      // What was typed while this worked is no yes.
      await options.forgetTyped?.()
      return unlessCancelled(
        await asking(() =>
          clack.confirm({
            ...common,
            message: wrap(message, width()).join('\n'),
            initialValue: safe !== 'no',
          }),
        ),
      )
    },
    showPlan(plan, settings, title) {
      if (quiet) return
      const chosen = settingLines(settings).flatMap((line) => wrap(line, width(), '    '))
      status.hide()
      const named = wrap(title, width()).map((line) => paint('bold', line))
      clack.log.step(named.join('\n'), { output })
      if (chosen.length > 0) print(chosen.map((line) => paint('dim', line)))
      print(['', ...planLines(plan, render).flatMap(signed)])
    },
    showChecks(checked, shown) {
      const lines = quiet ? faultLines(checked, render) : checkLines(checked, shown, render)
      for (const { details, ...line } of lines) {
        const under = details.flatMap((text) => wrap(text, width() - 2).map((part) => `  ${part}`))
        print([...signed(line), ...under])
      }
    },
    started(id, title) {
      hush()
      status.set(id, title)
    },
    told: (id, title, state) => status.set(id, `${title}: ${state}`),
    ended(outcome) {
      status.cover(undefined)
      status.remove(outcome.id)
      const bad = outcome.status === 'failed' || outcome.status === 'blocked'
      if (bad || !quiet) print(signed(outcomeLine(outcome, render)))
    },
    block: (text) => stdout.write(text),
    call(line) {
      status.hide()
      stderr.write(`${paint('dim', line)}\n`)
    },
    finish(report, closing) {
      status.clear()
      if (quiet && closing.isRoutine) return
      if (report.problem) {
        const lines = problemLines(report.problem).flatMap((line) => wrap(line, width()))
        clack.log.error(lines.join('\n'), { output })
      }
      const [, ...lines] = closingLines(closing, width(), render)
      const isSaid = closing.headline === report.problem?.what
      clack.outro(isSaid ? '' : wrap(closing.headline, width()).join('\n   '), { output })
      for (const line of lines) output.write(`${line}\n`)
    },
  }
}

/** Columns that clack's select keeps free: it counts the colours of its bar among them. */
const SELECT = 12
/** A column that is narrower stands below its label. */
const NOTE = 20

function tableRow(label: string, note: string, columns: number): string[] {
  const beside = columns - label.length - 2
  if (beside < NOTE)
    return [label.trimEnd(), ...wrap(note, columns - 6).map((line) => `      ${line}`)]
  const [first = '', ...rest] = wrap(note, beside)
  return [`${label}  ${first}`, ...rest.map((line) => `${' '.repeat(label.length + 2)}${line}`)]
}

function unlessCancelled<T>(answer: T | typeof clack.CANCEL_SYMBOL): T {
  if (clack.isCancel(answer)) throw new Cancelled()
  return answer as T
}
