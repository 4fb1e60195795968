import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest'
import { clackUi } from '../../src/ui/clack.ts'
import { closing, report, tellRun } from '../fakes/a-run.ts'
import { controls, Keyboard, Screen } from './terminal.ts'

// clack decides once, when it is loaded, whether the terminal draws more than ASCII.
vi.hoisted(() => vi.stubEnv('TERM', 'xterm-256color'))

interface Look {
  readonly columns?: number
  readonly colour?: boolean
  readonly quiet?: boolean
  readonly unicode?: boolean
}

function voice({ columns = 80, colour = false, quiet = false, unicode = true }: Look = {}) {
  const [screen, errors, keyboard] = [new Screen(columns), new Screen(columns), new Keyboard()]
  const streams = { stdin: keyboard.stream, stdout: screen.stream, stderr: errors.stream }
  return { ui: clackUi({ ...streams, colour, quiet, unicode }), screen, errors }
}

beforeEach(() => {
  vi.useFakeTimers()
  vi.stubEnv('NO_COLOR', undefined)
  vi.stubEnv('FORCE_COLOR', '1')
})
afterEach(() => {
  vi.useRealTimers()
  vi.unstubAllEnvs()
})

describe('a run on the screen', () => {
  it.each<[string, Look]>([
    ['clack-40.txt', { columns: 40 }],
    ['clack-60.txt', { columns: 60 }],
    ['clack-80.txt', { columns: 80 }],
    // A serial console that does not know its size.
    ['clack-80.txt', { columns: 0 }],
    ['clack-100.txt', { columns: 100 }],
    ['clack-ascii.txt', { columns: 80, unicode: false }],
    ['clack-quiet.txt', { columns: 80, quiet: true }],
  ])('%s', async (name, look) => {
    const { ui, screen } = voice(look)
    tellRun(ui)
    await expect(`${screen.text}\n`).toMatchFileSnapshot(join(import.meta.dirname, 'golden', name))
  })

  it.each([40, 60, 80, 100])(
    'fits into %i columns, but for commands, addresses and paths',
    (columns) => {
      const { ui, screen } = voice({ columns })
      tellRun(ui)
      const long = screen.lines.filter((line) => line.length > columns)
      for (const line of long)
        expect(line).toMatch(/https?:\/\/|^ {2,}npx |Workers R2 Storage|\/\S{20,}/)
    },
  )

  it('without colour no sequence sets one; only lines are wiped', () => {
    const { ui, screen } = voice({ colour: false })
    tellRun(ui)
    expect(new Set(controls(screen.written))).toEqual(new Set(['K']))
  })

  it('with colour the words are the same', () => {
    const [plain, painted] = [voice({ colour: false }), voice({ colour: true })]
    tellRun(plain.ui)
    tellRun(painted.ui)
    expect(controls(painted.screen.written)).toContain('m')
    // biome-ignore lint/suspicious/noControlCharactersInRegex: colours are control sequences
    expect(painted.screen.written.replace(/\u001B\[[\d;]*m/g, '')).toBe(plain.screen.written)
  })

  it('in ASCII nothing else reaches the terminal', () => {
    const { ui, screen } = voice({ unicode: false })
    tellRun(ui)
    ui.warn('Cloudflare’s „quotes“ … and — dashes')
    expect(screen.written).toMatch(/^\p{ASCII}*$/u)
  })

  it('a headline that repeats the problem is said once', () => {
    const { ui, screen } = voice({ columns: 100 })
    const headline = report.problem?.what ?? ''
    ui.finish(report, { headline, sections: closing.sections })
    expect(screen.text.split(headline)).toHaveLength(2)
  })

  it('the block and the calls pass by the screen’s decoration', () => {
    const { ui, screen, errors } = voice({ quiet: true })
    ui.block('A=1\n')
    ui.call('GET /accounts 200 12 ms')
    expect(screen.text).toBe('A=1\n')
    expect(errors.text).toBe('GET /accounts 200 12 ms\n')
  })

  it('nothing goes on drawing after the last word', () => {
    const { ui, screen } = voice()
    ui.busy('Looking at what is there')
    ui.started('a', 'Bucket')
    ui.finish(report, closing)
    const before = screen.written
    vi.advanceTimersByTime(5_000)
    expect(screen.written).toBe(before)
    expect(vi.getTimerCount()).toBe(0)
  })
})
