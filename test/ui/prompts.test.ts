import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../src/core/problem.ts'
import { clackUi } from '../../src/ui/clack.ts'
import { CTRL_C, controls, DOWN, ENTER, ESCAPE, Keyboard, Screen } from './terminal.ts'

function voice(interrupted?: AbortSignal) {
  const [screen, keyboard] = [new Screen(80), new Keyboard()]
  const ui = clackUi({
    stdin: keyboard.stream,
    stdout: screen.stream,
    stderr: new Screen(80).stream,
    colour: false,
    quiet: false,
    ...(interrupted && { interrupted }),
  })
  return { ui, screen, keyboard }
}

const fine = () => undefined
const options = [
  { value: 'prepare', label: 'Prepare everything' },
  { value: 'switch', label: 'Switch now', hint: 'old images break' },
]

describe('questions', () => {
  it('text is typed', async () => {
    const { ui, keyboard, screen } = voice()
    const answer = ui.ask({ message: 'Hostname', hint: 'In: example.com', fault: fine })
    await keyboard.type('files.example.com', ENTER)
    expect(await answer).toBe('files.example.com')
    expect(screen.written).toContain('In: example.com')
  })

  it('what is suggested is taken by Enter', async () => {
    const { ui, keyboard } = voice()
    const answer = ui.ask({ message: 'Bucket', initial: 'example-media', fault: fine })
    await keyboard.type(ENTER)
    expect(await answer).toBe('example-media')
  })

  it('a fault is said, and asked again', async () => {
    const { ui, keyboard, screen } = voice()
    const fault = (typed: string) => (typed === 'ab' ? undefined : `"${typed}" is too short`)
    const answer = ui.ask({ message: 'Bucket', fault })
    await keyboard.type('a', ENTER, 'b', ENTER)
    expect(await answer).toBe('ab')
    expect(screen.written).toContain('"a" is too short')
  })

  it('nothing typed is judged as nothing', async () => {
    const { ui, keyboard } = voice()
    const judged: string[] = []
    const fault = (typed: string) => {
      judged.push(typed)
      return undefined
    }
    const answer = ui.ask({ message: 'x', fault })
    await keyboard.type(ENTER)
    expect([await answer, judged]).toEqual(['', ['']])
  })

  it('a secret never shows', async () => {
    const { ui, keyboard, screen } = voice()
    const answer = ui.ask({ message: 'Paste the token here', masked: true, fault: fine })
    await keyboard.type('cfat_hunter2', ENTER)
    expect(await answer).toBe('cfat_hunter2')
    for (const part of ['cfat', 'hunter', 'r2']) expect(screen.written).not.toContain(part)
  })

  it.each([
    [[ENTER], 'prepare'],
    [[DOWN, ENTER], 'switch'],
    [[DOWN, DOWN, ENTER], 'prepare'],
  ])('one of several: %j → %s', async (keys, expected) => {
    const { ui, keyboard } = voice()
    const answer = ui.choose({ message: 'What should happen?', options })
    await keyboard.type(...keys)
    expect(await answer).toBe(expected)
  })

  it.each([
    [['y'], true],
    [['n'], false],
    [[ENTER], true],
  ])('yes or no: %j → %s', async (keys, expected) => {
    const { ui, keyboard } = voice()
    const answer = ui.agree('Carry this out?')
    await keyboard.type(...keys)
    expect(await answer).toBe(expected)
  })
})

describe('stopping', () => {
  type Asking = (ui: ReturnType<typeof voice>['ui']) => Promise<unknown>
  const asking: [string, Asking][] = [
    ['text', (ui) => ui.ask({ message: 'x', fault: fine })],
    ['a secret', (ui) => ui.ask({ message: 'x', masked: true, fault: fine })],
    ['a choice', (ui) => ui.choose({ message: 'x', options })],
    ['yes or no', (ui) => ui.agree('x')],
  ]

  it.each(
    asking.flatMap(([what, ask]) => [
      [what, 'Ctrl-C', CTRL_C, ask] as const,
      [what, 'Esc', ESCAPE, ask] as const,
    ]),
  )('%s: %s is Cancelled', async (_, __, key, ask) => {
    const { ui, keyboard } = voice()
    const answer = ask(ui)
    await keyboard.type(key)
    await expect(answer).rejects.toBeInstanceOf(Cancelled)
  })

  it.each(asking)('%s: a signal from outside is Cancelled too', async (_, ask) => {
    const stop = new AbortController()
    const answer = ask(voice(stop.signal).ui)
    stop.abort()
    await expect(answer).rejects.toBeInstanceOf(Cancelled)
  })

  it('no colour in a question without colour', async () => {
    const { ui, keyboard, screen } = voice()
    const answer = ui.choose({ message: 'x', options })
    await keyboard.type(DOWN, ENTER)
    await answer
    expect(controls(screen.written)).not.toContain('m')
  })
})
