import { Cancelled, Problem } from '../core/problem.ts'
import type { Finding, Step } from '../plan/step.ts'
import type { PlacedCommand } from '../services/process/command.ts'
import type { StreamPort } from '../services/process/port.ts'
import { type Clearing, type ClearingWishes, clearings } from './clearing.ts'
import type { Migration } from './migration.ts'

type Tools = Pick<Migration, 'tootctl' | 'tell' | 'say' | 'signal' | 'width'>

export interface CleanUpWishes extends ClearingWishes {
  readonly stream: StreamPort
  /** `print`: a person runs the commands. */
  readonly mode: 'run' | 'print'
}

/**
 * Media that Mastodon itself can do without goes before anything is copied. Each command rehearses
 * first, one at a time: every one of them starts a whole Rails.
 */
export function cleanUp(tools: Tools, wishes: CleanUpWishes): readonly Step<never>[] {
  let before: Promise<unknown> = Promise.resolve()
  const oneByOne = <T>(work: () => Promise<T>): Promise<T> => {
    const result = before.then(work)
    before = result.catch(() => undefined)
    return result
  }
  return clearings(wishes).map((clearing) => clearingStep(clearing, tools, wishes, oneByOne))
}

type OneByOne = <T>(work: () => Promise<T>) => Promise<T>

function clearingStep(
  clearing: Clearing,
  tools: Tools,
  { stream, mode }: CleanUpWishes,
  oneByOne: OneByOne,
): Step<never> {
  let rehearsed: string | undefined
  let done: string | undefined
  const run = (args: readonly string[], placed: PlacedCommand) =>
    oneByOne(() => listen(stream, placed, tools, args.join(' ')))
  return {
    id: clearing.id,
    title: clearing.title,

    async look(): Promise<Finding> {
      if (done !== undefined) return { is: 'ready', note: done }
      const real = tools.tootctl.command(clearing.args)
      if (mode === 'print' || real === undefined) {
        const next = real?.line ?? `RAILS_ENV=production bin/tootctl ${clearing.args.join(' ')}`
        return { is: 'later', note: `to be done by you (${clearing.loses})`, next }
      }
      if (clearing.rehearses && rehearsed === undefined) {
        const args = [...clearing.args, '--dry-run']
        const placed = tools.tootctl.command(args)
        if (placed) rehearsed = await run(args, placed)
      }
      const said = rehearsed === undefined ? '' : `; the rehearsal says: ${rehearsed}`
      const what = `run: ${real.line} (removes ${clearing.loses}${said})`
      return { is: 'change', changes: [{ what, risk: 'destructive' }] }
    },

    async change() {
      const placed = tools.tootctl.command(clearing.args)
      if (placed) done = await run(clearing.args, placed)
      return {}
    },
  }
}

/** What tootctl ends with, e.g. `Removed 12 media attachments (approx. 3 MB)`. */
const SUMMARY = /^(Removed|Visited|Refreshed|OK)\b/
/** What its progress bar draws. */
const PROGRESS = /^\d+\/(\d+|\?+) \||^\s*(Progress:|Time:)|\|[= ]*\|/
const COLOUR = new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*[A-Za-z]`, 'g')

/** Resolves with the last words. Problem `tootctl-failed`; Cancelled when the person stopped it. */
async function listen(
  stream: StreamPort,
  { command, cwd, line }: PlacedCommand,
  { tell, say, signal, width }: Tools,
  called: string,
): Promise<string> {
  let summary: string | undefined
  let last = ''
  const onLine = (whole: string) => {
    for (const part of whole.replace(COLOUR, '').split('\r')) {
      const words = part.trimEnd()
      if (words.trim() === '') continue
      if (PROGRESS.test(words)) {
        tell(words.trim().slice(0, width))
        continue
      }
      say(words)
      last = words.trim()
      if (SUMMARY.test(last)) summary = last
    }
  }
  tell(`tootctl ${called}`)
  const where = cwd === undefined ? {} : { cwd }
  const { exitCode, aborted } = await stream.stream(command, { onLine, signal, ...where })
  if (aborted) throw new Cancelled()
  if (exitCode !== 0) throw failed(line, called, last)
  return summary ?? (last === '' ? 'done' : last)
}

function failed(line: string, called: string, last: string): Problem {
  return new Problem({
    code: 'tootctl-failed',
    what: `tootctl ${called} did not work.`,
    why: last === '' ? 'It did not say why.' : `It said: ${last.slice(0, 300)}`,
    next: `Run it yourself to see what is wrong:\n  ${line}`,
  })
}
