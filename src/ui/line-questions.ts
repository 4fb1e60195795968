import { StringDecoder } from 'node:string_decoder'
import { Cancelled } from '../core/problem.ts'
import type { Choice, Question, Ui } from './port.ts'
import { wrap } from './words.ts'

/**
 * Whether a terminal is written to in lines alone, without a cursor that moves: it can't do more
 * (terminfo's `dumb`), or a screen reader reads it (ACCESSIBLE, as other programs know it).
 */
export function writesLines(environment: Readonly<Record<string, string | undefined>>): boolean {
  const { TERM, ACCESSIBLE = '' } = environment
  return TERM === 'dumb' || !/^(|0|false|no|off)$/i.test(ACCESSIBLE.trim())
}

/** Somebody who reads lines and types some. */
export interface Person {
  readonly stdin: NodeJS.ReadStream
  readonly words: NodeJS.WriteStream
  /** Ends a question that is open as if the person had cancelled it. */
  readonly interrupted?: AbortSignal
}

type Taken<T> = { readonly answer: T } | { readonly fault: string }

/** Longer lines are hard to read, however wide the terminal. */
const WIDEST = 100

/** The width to write to a terminal in; a program that tells none gets 80 columns. */
export function columnsOf({ columns }: Pick<NodeJS.WriteStream, 'columns'>): number {
  return Math.min(Math.max(columns || 80, 30), WIDEST)
}

/** Questions with numbered answers. Each throws Cancelled after Ctrl-C, Ctrl-D or an interrupt. */
export function lineQuestions(person: Person): Pick<Ui, 'ask' | 'choose' | 'agree'> {
  const { words } = person
  const tell = (...texts: readonly string[]) => {
    for (const line of texts.flatMap((text) => wrap(text, columnsOf(words)))) {
      words.write(`${line}\n`)
    }
  }
  const until = async <T>(take: (typed: string) => Taken<T>, isMasked = false) => {
    for (;;) {
      words.write('> ')
      const taken = take(await readLine(person, isMasked))
      if ('answer' in taken) return taken.answer
      tell(taken.fault)
    }
  }
  return {
    ask({ message, hint, initial = '', masked = false, fault }: Question) {
      tell('', message, ...(hint === undefined ? [] : [hint]))
      if (initial !== '') tell(`Enter alone is ${initial}.`)
      if (masked) tell('What you type is not shown.')
      return until((typed) => {
        const answer = typed === '' ? initial : typed
        const found = fault(answer)
        return found === undefined ? { answer } : { fault: found }
      }, masked)
    },
    choose({ message, options, initial, isTable }: Choice) {
      const [first, ...rest] = options
      const usual = initial ?? first?.value ?? ''
      tell('', message)
      options.forEach(({ label, hint }, at) => {
        const text = isTable || hint === undefined ? `${label}  ${hint ?? ''}` : `${label}: ${hint}`
        const begin = `${String(at + 1).padStart(3)}  `
        const [line = '', ...more] = wrap(text.trimEnd(), columnsOf(words) - begin.length)
        words.write(`${begin}${line}\n`)
        for (const one of more) words.write(`${' '.repeat(begin.length)}${one}\n`)
      })
      const most = rest.length + 1
      const usualNumber = options.findIndex(({ value }) => value === usual) + 1
      tell(`Type a number, 1 to ${most}; Enter alone is ${usualNumber}.`)
      return until((typed) => {
        const number = typed.trim() === '' ? usualNumber : Number(typed)
        const chosen = options[number - 1]
        return chosen
          ? { answer: chosen.value }
          : { fault: `"${typed.trim()}" is no number from 1 to ${most}.` }
      })
    },
    agree(message, safe) {
      tell('', message, `Type y for yes, n for no; Enter alone is ${safe ?? 'yes'}.`)
      return until((typed) => {
        const word = typed.trim().toLowerCase()
        if (word === '') return { answer: safe !== 'no' }
        if (/^(y|yes|n|no)$/.test(word)) return { answer: word.startsWith('y') }
        return { fault: `"${typed.trim()}" is neither y nor n.` }
      })
    },
  }
}

const [CTRL_C, CTRL_D, CTRL_U] = ['\u0003', '\u0004', '\u0015']

/**
 * One line. The terminal itself echoes and edits it, unless it is masked: then the terminal is told
 * to keep quiet, and leaves Ctrl-C and the erasing of what was typed to us.
 */
function readLine({ stdin, words, interrupted }: Person, isMasked: boolean): Promise<string> {
  const decoder = new StringDecoder('utf8')
  let typed = ''
  return new Promise<string>((resolve, reject) => {
    const end = (settle: () => void) => {
      stdin.off('data', take).off('end', cancel)
      interrupted?.removeEventListener('abort', cancel)
      stdin.pause()
      if (isMasked && !stdin.readableEnded) stdin.setRawMode(false)
      settle()
    }
    const cancel = () =>
      end(() => {
        words.write('\n')
        reject(new Cancelled())
      })
    const take = (chunk: Buffer | string) => {
      for (const sign of decoder.write(Buffer.from(chunk as string))) {
        if (sign === CTRL_C || sign === CTRL_D) return cancel()
        if (sign === '\r' || sign === '\n') {
          if (isMasked) words.write('\n')
          return end(() => resolve(typed))
        }
        if (sign === CTRL_U) typed = ''
        else if (sign === '\u007F' || sign === '\b') typed = typed.slice(0, -1)
        else typed += sign
      }
    }
    if (interrupted?.aborted) return cancel()
    interrupted?.addEventListener('abort', cancel)
    if (isMasked) stdin.setRawMode(true)
    stdin.on('data', take).on('end', cancel).resume()
  })
}
