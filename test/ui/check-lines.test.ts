import { describe, expect, it } from 'vitest'
import type { Checked, Verdict } from '../../src/plan/verdict.ts'
import { checkLines, faultLines } from '../../src/ui/check-lines.ts'
import { clackUi } from '../../src/ui/clack.ts'
import { jsonUi } from '../../src/ui/json.ts'
import { plainUi } from '../../src/ui/plain.ts'
import { Screen } from './terminal.ts'

const one = (title: string, verdict: Verdict, about: Checked['about'] = 'storage'): Checked => ({
  id: title,
  about,
  title,
  verdict,
})
const ok = (title: string) => one(title, { severity: 'ok', saw: 'fine' })
const skipped = (title: string, saw: string) => one(title, { severity: 'skipped', saw })
const words = (saw: string) => ({
  saw,
  matters: 'It matters for a reason that takes more than one line of sixty columns to tell.',
  next: 'Type this:\n  npx mastodon-r2 init --media-host files.example.com --bucket media',
})

const checked = [
  one('Bucket', { severity: 'fault', ...words('It is gone.') }),
  one('Clock', { severity: 'warning', ...words('Clock is slow.') }),
  one('Latency', { severity: 'note', ...words('A little slow.') }),
  ok('Upload'),
  ok('Reach'),
  one('CORS', { severity: 'ok', saw: 'once' }, 'public web'),
  skipped('Listing', 'not tried'),
  skipped('Range', 'not tried'),
  skipped('Other', 'no token'),
]

const texts = (lines: ReturnType<typeof checkLines>) =>
  lines.map(({ tone, text, details }) => `${tone} ${text} +${details.length}`)

describe('lines', () => {
  it('explain what is bad, and fold what is good', () => {
    expect(texts(checkLines(checked, { verbose: false }, String))).toEqual([
      'fault storage: Bucket: It is gone. +3',
      'warning storage: Clock is slow. +3',
      'note storage: Latency: A little slow. +0',
      'ready storage: Upload, Reach +0',
      'ready public web: CORS +0',
      'skipped storage: not tried (Listing, Range) +0',
      'skipped storage: no token (Other) +0',
    ])
  })

  it('verbose: every check with what was seen', () => {
    const lines = texts(checkLines(checked, { verbose: true }, String))
    expect(lines).toHaveLength(checked.length)
    expect(lines).toContain('note storage: Latency: A little slow. +3')
    expect(lines).toContain('ready storage: Upload: fine +0')
  })

  it('many good ones are counted', () => {
    const many = Array.from({ length: 12 }, (_, index) => ok(`C${index}`))
    expect(texts(checkLines(many, { verbose: false }, String))).toEqual([
      'ready storage: C0, C1, C2 and 9 more +0',
    ])
  })

  it('quiet: faults alone', () => {
    expect(texts(faultLines(checked, String))).toEqual(['fault storage: Bucket: It is gone. +3'])
  })
})

describe('voices', () => {
  const shown = { verbose: false }
  const screens = () => [new Screen(), new Screen(), new Screen()] as const

  it('plain', () => {
    const [out, stdout, stderr] = screens()
    plainUi({ words: out, stdout, stderr, quiet: false }).showChecks(checked, shown)
    expect(out.written).toBe(`FAULT   storage: Bucket: It is gone.
        Why: It matters for a reason that takes more than one line of sixty columns to tell.
        Next: Type this:
          npx mastodon-r2 init --media-host files.example.com --bucket media
WARNING storage: Clock is slow.
        Why: It matters for a reason that takes more than one line of sixty columns to tell.
        Next: Type this:
          npx mastodon-r2 init --media-host files.example.com --bucket media
note    storage: Latency: A little slow.
ok      storage: Upload, Reach
ok      public web: CORS
skipped storage: not tried (Listing, Range)
skipped storage: no token (Other)
`)
  })

  it('plain and quiet: nothing when there is no fault', () => {
    const [out, stdout, stderr] = screens()
    plainUi({ words: out, stdout, stderr, quiet: true }).showChecks(checked.slice(1), shown)
    expect(out.written).toBe('')
  })

  it('JSON: words go to standard error', () => {
    const [, stdout, stderr] = screens()
    jsonUi({ stdout, stderr, quiet: false }).showChecks(checked, shown)
    expect(stdout.written).toBe('')
    expect(stderr.written).toContain('FAULT   storage: Bucket')
  })

  it('a terminal of 60 columns: only the command is longer', () => {
    const [, , stderr] = screens()
    const stdout = new Screen(60)
    const stdin = process.stdin
    clackUi({
      stdin,
      stdout: stdout as never,
      stderr: stderr as never,
      colour: false,
      quiet: false,
    }).showChecks(checked, shown)
    const long = stdout.written.split('\n').filter((line) => line.length > 60)
    expect(long.every((line) => line.includes('npx mastodon-r2'))).toBe(true)
    expect(stdout.written).toContain('storage: Bucket: It is gone.')
    expect(stdout.written).toContain('Why: It matters')
  })
})
