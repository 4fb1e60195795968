import { describe, expect, it } from 'vitest'
import { Cancelled } from '../../src/core/problem.ts'
import { type CleanupChoice, cleanupSteps, cleanups } from '../../src/migrate/cleanup.ts'
import type { StreamEnd, StreamPort } from '../../src/services/process/port.ts'
import { commandLine } from '../../src/services/process/port.ts'
import { found, problemOf } from '../fakes/found.ts'

const tootctl = {
  command: (args: readonly string[]) => ({
    command: { program: 'bin/tootctl', args, env: {} },
    cwd: '/live',
    line: `bin/tootctl ${args.join(' ')}`,
  }),
}

/** Says what it is told to say to each command. */
class FakeStream implements StreamPort {
  readonly ran: string[] = []
  most = 0
  #now = 0
  says: (line: string) => readonly string[] = () => ['Removed 3 things (approx. 1 MB)']
  /** On stderr, and what comes on stdout after it. */
  complains: readonly string[] = []
  ends: readonly string[] = []
  end: StreamEnd = { exitCode: 0, aborted: false }

  async stream(...[command, { onLine, cwd }]: Parameters<StreamPort['stream']>) {
    this.#now += 1
    this.most = Math.max(this.most, this.#now)
    const line = commandLine(command)
    this.ran.push(`${line} in ${cwd}`)
    for (const said of this.says(line)) onLine(said, 'stdout')
    for (const said of this.complains) onLine(said, 'stderr')
    for (const said of this.ends) onLine(said, 'stdout')
    await new Promise((resolve) => setImmediate(resolve))
    this.#now -= 1
    return this.end
  }
}

function cleaning(wishes: CleanupChoice, more: Partial<Parameters<typeof cleanupSteps>[1]> = {}) {
  const stream = new FakeStream()
  const said: string[] = []
  const told: string[] = []
  const steps = cleanupSteps(
    {
      tootctl,
      say: (line) => void said.push(String(line)),
      tell: (line) => void told.push(line),
      signal: new AbortController().signal,
      width: 40,
    },
    { ...wishes, stream, mode: 'run', ...more },
  )
  return { steps, stream, said, told }
}

const nothing = {} as never

describe('the commands', () => {
  it.each<[string, CleanupChoice, string[]]>([
    ['nothing wished', {}, []],
    [
      'each by its wish',
      { mediaDays: 14, profiles: true, previewCardDays: 90, orphans: true },
      [
        'media remove --days 14',
        'media remove --prune-profiles',
        'preview_cards remove --days 90',
        'media remove-orphans',
      ],
    ],
    [
      'everything of other servers',
      { allRemote: true, mediaDays: 14 },
      [
        'media remove --days 0',
        'media remove --prune-profiles --include-follows --days 0',
        'emoji purge --remote-only',
        'preview_cards remove --days 0',
      ],
    ],
  ])('%s', (_, wishes, expected) => {
    expect(cleanups(wishes).map(({ args }) => args.join(' '))).toEqual(expected)
  })
})

describe('a command', () => {
  it('rehearses, tells what it would do, and is destructive', async () => {
    const { steps, stream, said } = cleaning({ mediaDays: 7 })
    stream.says = () => ['Looking', 'Removed 12 media attachments (approx. 3 MB) (DRY RUN)', '']
    const finding = await steps[0]?.look(nothing)
    expect(found(finding)).toMatch(
      /^change \[destructive\] run: bin\/tootctl media remove --days 7 .*the rehearsal says: Removed 12 .*\(DRY RUN\)\)$/,
    )
    expect(stream.ran).toEqual(['bin/tootctl media remove --days 7 --dry-run in /live'])
    expect(said).toEqual(['Looking', 'Removed 12 media attachments (approx. 3 MB) (DRY RUN)'])
  })

  it('rehearses once, then does it, then is done', async () => {
    const { steps, stream } = cleaning({ orphans: true })
    const [step] = steps
    await step?.look(nothing)
    await step?.look(nothing)
    await step?.change?.(nothing)
    expect(found(await step?.look(nothing))).toBe('ready Removed 3 things (approx. 1 MB)')
    expect(stream.ran).toEqual([
      'bin/tootctl media remove-orphans --dry-run in /live',
      'bin/tootctl media remove-orphans in /live',
    ])
  })

  it('that can’t rehearse is never run by a look', async () => {
    const { steps, stream } = cleaning({ allRemote: true })
    const emoji = steps.find(({ id }) => id === 'cleanup-emoji')
    expect(found(await emoji?.look(nothing))).toMatch(/^change \[destructive\] .*--remote-only/)
    expect(stream.ran).toEqual([])
  })

  it('waits for the one before: one Rails at a time', async () => {
    const { steps, stream } = cleaning({ mediaDays: 7, profiles: true, orphans: true })
    await Promise.all(steps.map((step) => step.look(nothing)))
    expect([stream.ran.length, stream.most]).toEqual([3, 1])
  })

  it('its colours and its progress do not stay on the screen', async () => {
    const esc = String.fromCharCode(27)
    const { steps, stream, said, told } = cleaning({ mediaDays: 7 })
    stream.says = () => [`10/20 |=====  | 50%\r${esc}[32mRemoved 1 thing${esc}[0m`]
    await steps[0]?.look(nothing)
    expect([said, told]).toEqual([
      ['Removed 1 thing'],
      ['tootctl media remove --days 7 --dry-run', '10/20 |=====  | 50%'],
    ])
  })

  it('that fails is told with its last words and its line', async () => {
    const { steps, stream } = cleaning({ mediaDays: 7 })
    stream.says = () => ['PG::ConnectionBad: no server']
    stream.end = { exitCode: 1, aborted: false }
    const problem = await problemOf(steps[0]?.look(nothing) as Promise<unknown>)
    expect([problem.code, problem.why]).toEqual([
      'tootctl-failed',
      'It said: PG::ConnectionBad: no server',
    ])
    expect(problem.next).toContain('bin/tootctl media remove --days 7')
  })

  const DOTENV =
    'I, [2026-11-28T10:00:00.123456 #9]  INFO -- : [dotenv] Loaded \u001b[33m.env.production\u001b[0m'

  it.each<[string, readonly string[], readonly string[], string]>([
    [
      'the reason at the top of stderr, dotenv last',
      ['connection.rb:62: could not connect (PG::ConnectionBad)', '\tfrom bin/tootctl:8:in main'],
      [DOTENV],
      'connection.rb:62: could not connect (PG::ConnectionBad)',
    ],
    [
      'warnings before it',
      ['/gems/x.rb:3: warning: already initialized', 'DEPRECATION WARNING: old', 'Redis is down'],
      [DOTENV],
      'Redis is down',
    ],
    [
      'docker compose before it',
      [' Container live-db-1 Running', '[+] Running 2/2', 'Could not find command "medai".'],
      [],
      'Could not find command "medai".',
    ],
    ['nothing on stderr', [], ['No such account', DOTENV], 'No such account'],
    ['nothing but dotenv', [], [DOTENV], ''],
  ])('a failure is told by its reason: %s', async (_, complains, ends, reason) => {
    const { steps, stream, said } = cleaning({ mediaDays: 7 })
    Object.assign(stream, { says: () => ['Progress: |=====|'], complains, ends })
    stream.end = { exitCode: 1, aborted: false }
    const { why } = await problemOf(steps[0]?.look(nothing) as Promise<unknown>)
    expect(why).toBe(reason === '' ? 'It did not say why.' : `It said: ${reason}`)
    expect(said.join()).not.toMatch(/dotenv|Progress/)
  })

  it('its bar and dotenv are not shown as lines, wherever they come', async () => {
    const { steps, stream, said, told } = cleaning({ mediaDays: 7 })
    stream.says = () => ['Progress: |', 'Progress: |====|', 'Removed 1 media attachments', DOTENV]
    const finding = await steps[0]?.look(nothing)
    expect(found(finding)).toContain('the rehearsal says: Removed 1 media attachments')
    expect(said).toEqual(['Removed 1 media attachments'])
    expect(told).toHaveLength(1)
  })

  it('that the person stops is no failure', async () => {
    const { steps, stream } = cleaning({ mediaDays: 7 })
    stream.end = { exitCode: undefined, aborted: true }
    await expect(steps[0]?.look(nothing)).rejects.toBeInstanceOf(Cancelled)
  })

  it('is printed where it can’t be run here', async () => {
    const { steps, stream } = cleaning({ mediaDays: 7 }, { mode: 'print' })
    expect(await steps[0]?.look(nothing)).toMatchObject({
      is: 'later',
      next: 'bin/tootctl media remove --days 7',
    })
    expect(stream.ran).toEqual([])
  })
})
