import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { closing, report, tellRun } from '../fakes/a-run.ts'
import { Screen } from './terminal.ts'

const golden = (name: string) => join(import.meta.dirname, 'golden', name)

function voice(quiet = false) {
  const [words, stdout, stderr] = [new Screen(), new Screen(), new Screen()]
  const ui = plainUi({ words, stdout, stderr, quiet })
  return { ui, words, stdout, stderr }
}

describe('the plain voice', () => {
  it.each([
    ['plain.txt', false],
    ['plain-quiet.txt', true],
  ] as const)('%s', async (name, quiet) => {
    const { ui, words, stdout, stderr } = voice(quiet)
    tellRun(ui)
    expect([stdout.written, stderr.written]).toEqual(['', ''])
    await expect(words.written).toMatchFileSnapshot(golden(name))
  })

  it('has no control sequence and no sign outside ASCII of its own', () => {
    const { ui, words } = voice()
    tellRun(ui)
    expect(words.written).toMatch(/^[\x20-\x7e\n]*$/)
  })

  it('a state is told once, until it changes', () => {
    const { ui, words } = voice()
    for (const state of ['pending', 'pending', 'active', 'active', 'pending']) {
      ui.told('x', 'Domain', state)
    }
    ui.told('y', 'Key', 'pending')
    expect(words.lines.filter(Boolean)).toEqual([
      'wait    Domain: pending',
      'wait    Domain: active',
      'wait    Domain: pending',
      'wait    Key: pending',
    ])
  })

  it('the block goes to standard output as it is, calls to standard error', () => {
    const { ui, words, stdout, stderr } = voice(true)
    ui.block('A=1\nB=2\n')
    ui.call('GET /accounts 200 12 ms')
    expect([stdout.written, stderr.written, words.written]).toEqual([
      'A=1\nB=2\n',
      'GET /accounts 200 12 ms\n',
      '',
    ])
  })

  it('a headline that repeats the problem is said once', () => {
    const { ui, words } = voice()
    const what = report.problem?.what ?? ''
    ui.finish(report, { ...closing, headline: what })
    expect(words.written.split(what)).toHaveLength(2)
  })

  it('nobody is there: questions are Problems, and nothing is agreed', async () => {
    const { ui } = voice()
    expect(ui.canAsk).toBe(false)
    expect(await ui.agree('Carry this out?')).toBe(false)
    const asked = [
      ui.ask({ message: 'x', fault: () => undefined }),
      ui.choose({ message: 'x', options: [] }),
    ]
    for (const question of asked) {
      const problem = await question.catch((error: unknown) => error)
      expect(problem).toBeInstanceOf(Problem)
      expect(problem).toMatchObject({ code: 'nobody-to-ask', exit: 2 })
    }
  })
})
