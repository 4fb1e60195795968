import { Cancelled } from '../core/problem.ts'
import { readerOf, renderText, type Text } from '../core/to-type.ts'
import { chooseVoice } from '../flow/session.ts'
import { watchStops } from '../flow/stopping.ts'
import type { Host, StandIn } from '../host.ts'
import { hostAt } from '../rehearse/rehearsed.ts'
import { hasSwitch } from '../settings/argv.ts'
import { catalog } from '../settings/catalog.ts'
import type { Ui } from '../ui/port.ts'

/** What a rehearsed `init` leaves for the runs that follow it. */
export interface KeptRehearsal {
  /** Takes the sandbox and the scratch copy away. */
  readonly atEnd: (() => Promise<void>)[]
  /** Once `init` came to its end there. */
  standIn?: StandIn
  /** The line that means it. */
  forReal?: string
}

/** Whether somebody is there who can go on, and nothing was said that asks for one run alone. */
export function isFollowed(host: Host, argv: readonly string[]): boolean {
  const { yes, json, quiet, dryRun, print } = catalog
  const has = (setting: Parameters<typeof hasSwitch>[2]) => hasSwitch(host, argv, setting)
  return host.hasPerson && has(catalog.sandbox) && ![yes, json, quiet, dryRun, print].some(has)
}

const commands = {
  check: ['check'],
  rotate: ['rotate'],
  undo: ['undo'],
  all: ['undo', '--detach-domain', '--delete-empty-bucket'],
} as const

type Way = keyof typeof commands | 'init' | 'end'

/** What there is to go on with, and what is proposed first: it shrinks as more is taken back. */
const offers: Readonly<Record<'whole' | 'noKey' | 'nothing', readonly [Way, readonly Way[]]>> = {
  whole: ['undo', ['check', 'rotate', 'undo', 'all', 'end']],
  noKey: ['all', ['init', 'all', 'end']],
  nothing: ['end', ['init', 'end']],
}

/** What a way has left, once it came to its end. */
const left = { check: 'whole', rotate: 'whole', undo: 'noKey', all: 'nothing' } as const

const words: Readonly<Record<Way, readonly [string, string]>> = {
  init: ['init    ', 'once more, on a fresh copy'],
  check: ['check   ', 'look at it; nothing is changed'],
  rotate: ['rotate  ', 'a new key, without a gap'],
  undo: ['undo    ', 'take back all but host and bucket'],
  all: ['undo all', 'host and empty bucket, too'],
  end: ['end     ', 'nothing of yours was changed'],
}

/**
 * A person who has rehearsed `init` goes on with what it made, until they end it: other commands find
 * the same stand-in and the same scratch copy. What fails, or is not agreed to, leads back to the menu.
 * The exit code is that of the last run.
 */
export async function goOnRehearsing(
  host: Host,
  argv: readonly string[],
  setUp: (kept: KeptRehearsal) => Promise<number>,
): Promise<number> {
  const shown = argv.filter((word) => ['--verbose', '-v', '--no-color'].includes(word))
  for (;;) {
    const kept: KeptRehearsal = { atEnd: [] }
    let code: number | 'again'
    try {
      code = await setUp(kept)
      const { standIn } = kept
      if (code !== 0 || !standIn) return code
      code = await fromMenu(hostAt(host, standIn), shown)
    } finally {
      await tidyUp(host, kept)
    }
    if (code === 'again') continue
    if (!host.interrupted.aborted && kept.forReal !== undefined) {
      const ui = await voice(host, shown)
      ui.say(`That was a rehearsal; all of it is gone now. For real:\n  ${kept.forReal}`)
    }
    return code
  }
}

async function fromMenu(host: Host, shown: readonly string[]): Promise<number | 'again'> {
  let there: keyof typeof offers = 'whole'
  let next: Way = 'check'
  for (let code = 0; ; ) {
    const way = await chosen(await voice(host, shown), offers[there][1], next)
    if (way === undefined) return 130
    if (way === 'end') return code
    if (way === 'init') return 'again'
    const [name, ...flags] = commands[way]
    code = await (await loaded(name)).run(host, [...flags, '--sandbox', ...shown])
    if (host.interrupted.aborted) return code
    if (code !== 0) continue
    there = left[way]
    next = offers[there][0]
  }
}

async function loaded(name: 'check' | 'rotate' | 'undo') {
  if (name === 'check') return (await import('../check/check.ts')).check
  if (name === 'rotate') return (await import('../rotate/rotate.ts')).rotate
  return (await import('../undo/undo.ts')).undo
}

/** Undefined when the person stopped the run. */
async function chosen(ui: Ui, ways: readonly Way[], next: Way): Promise<Way | undefined> {
  try {
    return (await ui.choose({
      message:
        'The rehearsal goes on with what was made. What now? All of it is gone when you end it.',
      initial: next,
      isTable: true,
      options: ways.map((value) => ({ value, label: words[value][0], hint: words[value][1] })),
    })) as Way
  } catch (error) {
    if (error instanceof Cancelled) return undefined
    throw error
  }
}

function voice(host: Host, shown: readonly string[]): Promise<Ui> {
  const colour = !shown.includes('--no-color') && !hasSwitch(host, [], catalog.noColor)
  return chooseVoice(host, { json: false, quiet: false, colour, print: false, render: told(host) })
}

function told(host: Host) {
  return (text: Text) => renderText(text, readerOf(host))
}

/** A second Ctrl-C must not leave a copy of the env file behind. */
async function tidyUp(host: Host, { atEnd }: KeptRehearsal): Promise<void> {
  const stopping = watchStops(host, { warn: (line) => host.stderr.write(`${line}\n`) })
  const tidied = stopping.hold('tidying up')
  for (const end of atEnd.reverse()) await end()
  tidied()
  stopping.close()
}
