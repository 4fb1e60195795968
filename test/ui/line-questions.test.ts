import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../src/core/problem.ts'
import { writesLines } from '../../src/ui/line-questions.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { tellRun } from '../fakes/a-run.ts'
import { CTRL_C, controls, Keyboard, Screen } from './terminal.ts'

function voice(columns = 60, interrupted?: AbortSignal) {
  const [words, keyboard] = [new Screen(columns), new Keyboard()]
  const person = {
    stdin: keyboard.stream,
    words: words.stream,
    ...(interrupted && { interrupted }),
  }
  const streams = { words, stdout: words, stderr: words }
  return { ui: plainUi({ ...streams, quiet: false, person }), words, keyboard }
}

const ENTER = '\n'
const options = [
  {
    value: 'prepare',
    label: 'Prepare everything',
    hint: 'nothing changes for visitors until then',
  },
  { value: 'switch', label: 'Switch now', hint: 'old images break' },
]
const fault = (typed: string) => (typed.length > 1 ? undefined : `"${typed}" is too short`)

describe('questions in lines', () => {
  it('are told what to type, and say what was no answer', async () => {
    const { ui, words, keyboard } = voice()
    const answer = ui.choose({ message: 'What should happen?', options })
    await keyboard.type(`3${ENTER}`, `2${ENTER}`)
    expect(await answer).toBe('switch')
    expect(words.text).toBe(
      [
        '',
        'What should happen?',
        '  1  Prepare everything: nothing changes for visitors until',
        '     then',
        '  2  Switch now: old images break',
        'Type a number, 1 to 2; Enter alone is 1.',
        '> "3" is no number from 1 to 2.',
        '>',
      ].join('\n'),
    )
  })

  it.each([
    ['', undefined, true],
    ['', 'no', false],
    ['Yes', 'no', true],
    ['n', undefined, false],
  ] as const)('"%s", where Enter means %s, is %s', async (typed, safe, wanted) => {
    const { ui, keyboard } = voice()
    const answer = ui.agree('Carry this out?', safe)
    await keyboard.type(`${typed}${ENTER}`)
    expect(await answer).toBe(wanted)
  })

  it('Enter alone takes what is suggested, or what is marked', async () => {
    const { ui, keyboard } = voice()
    const text = ui.ask({ message: 'Bucket', initial: 'example-media', fault })
    await keyboard.type(ENTER)
    expect(await text).toBe('example-media')
    const choice = ui.choose({ message: 'What now?', initial: 'switch', options })
    await keyboard.type(ENTER)
    expect(await choice).toBe('switch')
  })

  it('a fault is said, and asked again', async () => {
    const { ui, words, keyboard } = voice()
    const answer = ui.ask({ message: 'Bucket', hint: 'a name', fault })
    await keyboard.type(`a${ENTER}`, `abc${ENTER}`)
    expect(await answer).toBe('abc')
    expect(words.text).toBe('\nBucket\na name\n> "a" is too short\n>')
  })

  it('a secret can be corrected, and is never shown', async () => {
    const { ui, words, keyboard } = voice()
    const answer = ui.ask({ message: 'Token', masked: true, fault })
    await keyboard.type('wrong\u0015se', 'x\u007Fcr', 'et', '\r')
    expect(await answer).toBe('secret')
    expect(words.written).not.toMatch(/wrong|secret|x/)
  })

  it.each([
    ['Ctrl-C', CTRL_C],
    ['Ctrl-D', '\u0004'],
  ])('%s stops', async (_, key) => {
    const { ui, keyboard } = voice()
    const answer = ui.ask({ message: 'Token', masked: true, fault })
    await Promise.all([expect(answer).rejects.toThrow(Cancelled), keyboard.type('abc', key)])
  })

  it('an interrupt stops, also one that came before the question', async () => {
    const stop = new AbortController()
    const { ui } = voice(60, stop.signal)
    const answer = ui.agree('Carry this out?')
    stop.abort()
    await expect(answer).rejects.toThrow(Cancelled)
    await expect(ui.choose({ message: 'What?', options })).rejects.toThrow(Cancelled)
  })
})

describe('a person who reads lines', () => {
  it.each([40, 60, 80])('gets them %i columns wide, without a control sequence', (columns) => {
    const { ui, words } = voice(columns)
    tellRun(ui)
    expect(controls(words.written)).toEqual([])
    const long = words.lines.filter((line) => line.length > columns)
    for (const line of long)
      expect(line).toMatch(/https?:\/\/|^ {2,}npx |Workers R2 Storage|\/\S{20,}/)
  })

  it.each([
    [true, { TERM: 'dumb' }],
    [true, { TERM: 'xterm-256color', ACCESSIBLE: '1' }],
    [true, { ACCESSIBLE: 'yes' }],
    [false, { TERM: 'xterm-256color' }],
    [false, { TERM: 'xterm', ACCESSIBLE: '' }],
    [false, { TERM: 'xterm', ACCESSIBLE: '0' }],
    [false, { ACCESSIBLE: 'False' }],
  ])('%s: %j', (wanted, environment) => {
    expect(writesLines(environment)).toBe(wanted)
  })
})
