import { PassThrough } from 'node:stream'
import { describe, expect, test } from 'vitest'
import { Secret, withoutSecrets } from '../../src/core/secret.ts'
import { runLog } from '../../src/flow/run-log.ts'
import { plainUi } from '../../src/ui/plain.ts'
import type { Ui } from '../../src/ui/port.ts'
import { recorded } from '../../src/ui/recorded.ts'
import { closing, report, tellRun } from '../fakes/a-run.ts'

function listener(answers: Partial<Ui> = {}) {
  const screen: string[] = []
  const notes: string[] = []
  const words = { write: (text: string) => screen.push(text) }
  const voice = { ...plainUi({ words, stdout: words, stderr: words, quiet: true }), ...answers }
  const record = { note: (text: string) => notes.push(text), path: '/var/a.log' }
  return { ui: recorded(voice, record, String), screen, notes }
}

describe('a voice that is recorded', () => {
  test('notes what a quiet screen leaves out', () => {
    const { ui, screen, notes } = listener()
    tellRun(ui)
    expect(screen.join('')).not.toContain('change  Custom domain')
    expect(notes.join('')).toContain('change  Custom domain: serve the bucket')
    expect(notes.join('')).toContain('wait    Custom domain: ownership pending')
    expect(notes.join('')).toContain(report.problem?.what)
  })

  test('names its file at the end of a run with a problem, and of no other', () => {
    const bad = listener()
    bad.ui.finish(report, closing)
    expect(bad.screen.join('')).toContain('Log of this run:\n  /var/a.log\n')
    const good = listener()
    good.ui.finish({ ...report, problem: null }, closing)
    expect(good.screen.join('')).not.toContain('Log of this run')
  })

  test('notes answers, but for what was typed where nothing shows', async () => {
    const { ui, notes } = listener({
      ask: async ({ masked }) => (masked ? 'the-token' : 'files.example.com'),
      agree: async () => true,
      choose: async () => 'copy',
    })
    const fault = () => undefined
    await ui.ask({ message: 'Which host?', fault })
    await ui.ask({ message: 'Which token?', masked: true, fault })
    await ui.agree('Carry this out?')
    await ui.choose({ message: 'What now?', options: [{ value: 'copy', label: 'copy' }] })
    ui.block('AWS_SECRET_ACCESS_KEY=the-key\n')
    expect(notes).toEqual([
      'asked   Which host? -> files.example.com',
      'asked   Which token? -> (not shown)',
      'asked   Carry this out? -> true',
      'asked   What now? -> copy',
    ])
  })
})

describe('a log', () => {
  test('holds no secret of this process, however it came into a text', async () => {
    const secret = new Secret('pl4nted+/secret=value')
    const said = `Refused: ${secret.reveal()} and ${encodeURIComponent(secret.reveal())}`
    expect(withoutSecrets(said)).toBe('Refused: **** and ****')
    expect(withoutSecrets('Refused: planted')).toBe('Refused: planted')
  })

  test('keeps a bug, and names the file', async () => {
    const told: string[] = []
    const host = { environment: {}, cwd: '/', pid: 1, userId: 0, version: '1', nodeVersion: '20' }
    const log = runLog(host, 'init', (line) => told.push(line))
    log.note('before')
    await log.begin()
    // Neither HOME nor XDG_STATE_HOME.
    expect(told).toEqual([
      'There is no log of this run from here on: Neither HOME nor XDG_STATE_HOME names a folder.',
    ])
    log.bug(new Error('broken'))
    expect({ path: log.path, told: told.length }).toEqual({ path: undefined, told: 1 })
  })
})

test('what a stream takes, a voice can be given', () => {
  const stream = new PassThrough()
  plainUi({ words: stream, stdout: stream, stderr: stream, quiet: false }).say('well')
  expect(String(stream.read())).toBe('well\n')
})
