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

const ways = {
  check: { args: ['check'], after: 'undo' },
  rotate: { args: ['rotate'], after: 'undo' },
  undo: { args: ['undo'], after: 'all' },
  all: { args: ['undo', '--detach-domain', '--delete-empty-bucket'], after: 'end' },
} as const

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
  const kept: KeptRehearsal = { atEnd: [] }
  const shown = argv.filter((word) => ['--verbose', '-v', '--no-color'].includes(word))
  let code: number
  try {
    code = await setUp(kept)
    const { standIn } = kept
    if (code !== 0 || !standIn) return code
    code = await fromMenu(hostAt(host, standIn), shown)
  } finally {
    await tidyUp(host, kept)
  }
  if (!host.interrupted.aborted && kept.forReal !== undefined) {
    const ui = await voice(host, shown)
    ui.say(`That was a rehearsal; all of it is gone now. For real:\n  ${kept.forReal}`)
  }
  return code
}

async function fromMenu(host: Host, shown: readonly string[]): Promise<number> {
  let next: keyof typeof ways | 'end' = 'check'
  for (let code = 0; ; ) {
    const way = await chosen(await voice(host, shown), next)
    if (way === undefined) return 130
    if (way === 'end') return code
    const [name, ...flags] = ways[way].args
    code = await (await loaded(name)).run(host, [...flags, '--sandbox', ...shown])
    if (host.interrupted.aborted) return code
    if (code === 0) next = ways[way].after
  }
}

async function loaded(name: 'check' | 'rotate' | 'undo') {
  if (name === 'check') return (await import('../check/check.ts')).check
  if (name === 'rotate') return (await import('../rotate/rotate.ts')).rotate
  return (await import('../undo/undo.ts')).undo
}

/** Undefined when the person stopped the run. */
async function chosen(ui: Ui, next: keyof typeof ways | 'end') {
  try {
    return (await ui.choose({
      message:
        'The rehearsal goes on with what was made. What now? All of it is gone when you end it.',
      initial: next,
      isTable: true,
      options: [
        { value: 'check', label: 'check   ', hint: 'look at it; nothing is changed' },
        { value: 'rotate', label: 'rotate  ', hint: 'a new key, without a gap' },
        { value: 'undo', label: 'undo    ', hint: 'take back all but host and bucket' },
        {
          value: 'all',
          label: 'undo all',
          hint: 'host and empty bucket, too',
        },
        { value: 'end', label: 'end     ', hint: 'nothing of yours was changed' },
      ],
    })) as keyof typeof ways | 'end'
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
