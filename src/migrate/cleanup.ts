import { Cancelled, Problem } from '../core/problem.ts'
import type { Finding, Step } from '../plan/step.ts'
import type { PlacedCommand, StreamPort } from '../services/process/port.ts'
import type { Migration } from './migration.ts'

/** One command of tootctl that makes media fewer, and what it means for people. */
export interface Cleanup {
  /** Stable: the step is called by it. */
  readonly id: string
  readonly title: string
  readonly args: readonly string[]
  /** `emoji purge` has no --dry-run, and would refuse it or worse. */
  readonly rehearses: boolean
  /** What is gone afterwards, and how it comes back. */
  readonly loses: string
}

/** Which of them the person wants; each with its own flag. Days are ages in whole days. */
export interface CleanupChoice {
  /** `media remove`: attachments of other servers that are older. */
  readonly mediaDays?: number | undefined
  /** `media remove --prune-profiles`: pictures of accounts that nobody here follows. */
  readonly profiles?: boolean
  readonly previewCardDays?: number | undefined
  /** `media remove-orphans`: files that no record of the database knows. */
  readonly orphans?: boolean
  /** Everything in cache/, before that is left out of the migration. */
  readonly allRemote?: boolean
}

/**
 * The commands in an order that does the work once (options as in Mastodon 4.2 to 4.6, its
 * lib/mastodon/cli). Mastodon shows what its database says is there, so files of `cache/` may only
 * stay behind once the database knows that they are gone.
 */
export function cleanups(wishes: CleanupChoice): readonly Cleanup[] {
  const { mediaDays, profiles = false, previewCardDays, orphans = false } = wishes
  const found: Cleanup[] = []
  if (wishes.allRemote) found.push(...everythingRemote)
  else {
    if (mediaDays !== undefined) found.push(media(mediaDays))
    if (profiles) found.push(unfollowedProfiles)
    if (previewCardDays !== undefined) found.push(previewCards(previewCardDays))
  }
  if (orphans) found.push(orphanedFiles)
  return found
}

/**
 * For after the switch: pictures of accounts do not come back by being looked at. What is fetched
 * before the switch would land in the `cache/` that stays behind.
 */
export const refillArgs: readonly string[] = ['accounts', 'refresh', '--all']

function media(days: number): Cleanup {
  return {
    id: 'cleanup-media',
    title: 'Old media of other servers',
    args: ['media', 'remove', '--days', String(days)],
    rehearses: true,
    loses: 'attachments of other servers; each is fetched again when somebody opens it',
  }
}

const unfollowedProfiles: Cleanup = {
  id: 'cleanup-profiles',
  title: 'Profile pictures',
  args: ['media', 'remove', '--prune-profiles'],
  rehearses: true,
  loses:
    'avatars and headers of accounts that nobody here follows; they come back with news of them',
}

function previewCards(days: number): Cleanup {
  return {
    id: 'cleanup-cards',
    title: 'Preview cards',
    args: ['preview_cards', 'remove', '--days', String(days)],
    rehearses: true,
    loses: 'pictures of link previews; of old posts they do not come back',
  }
}

const orphanedFiles: Cleanup = {
  id: 'cleanup-orphans',
  title: 'Orphaned files',
  args: ['media', 'remove-orphans'],
  rehearses: true,
  loses: 'files that the database does not know; look at what the rehearsal names',
}

const everythingRemote: readonly Cleanup[] = [
  media(0),
  {
    ...unfollowedProfiles,
    args: ['media', 'remove', '--prune-profiles', '--include-follows', '--days', '0'],
    loses:
      'avatars and headers of all remote accounts; tootctl accounts refresh --all after the switch fetches them again (slow), quiet accounts stay blank without it',
  },
  {
    id: 'cleanup-emoji',
    title: 'Emoji of other servers',
    args: ['emoji', 'purge', '--remote-only'],
    rehearses: false,
    loses: 'emoji of other servers; they come back with new posts',
  },
  previewCards(0),
]

type Tools = Pick<Migration, 'tootctl' | 'tell' | 'say' | 'signal' | 'width'>

export interface CleanupWishes extends CleanupChoice {
  readonly stream: StreamPort
  /** `print`: a person runs the commands. */
  readonly mode: 'run' | 'print'
}

/**
 * Media that Mastodon itself can do without goes before anything is copied. Each command rehearses
 * first, one at a time: every one of them starts a whole Rails.
 */
export function cleanupSteps(tools: Tools, wishes: CleanupWishes): readonly Step<never>[] {
  let before: Promise<unknown> = Promise.resolve()
  const oneByOne = <T>(work: () => Promise<T>): Promise<T> => {
    const result = before.then(work)
    before = result.catch(() => undefined)
    return result
  }
  return cleanups(wishes).map((cleanup) => cleanupStep(cleanup, tools, wishes, oneByOne))
}

type OneByOne = <T>(work: () => Promise<T>) => Promise<T>

function cleanupStep(
  cleanup: Cleanup,
  tools: Tools,
  { stream, mode }: CleanupWishes,
  oneByOne: OneByOne,
): Step<never> {
  let rehearsed: string | undefined
  let done: string | undefined
  const run = (args: readonly string[], placed: PlacedCommand) =>
    oneByOne(() => listen(stream, placed, tools, args.join(' ')))
  return {
    id: cleanup.id,
    title: cleanup.title,

    async look(): Promise<Finding> {
      if (done !== undefined) return { is: 'ready', note: done }
      const real = tools.tootctl.command(cleanup.args)
      if (mode === 'print' || real === undefined) {
        const next = real?.line ?? `RAILS_ENV=production bin/tootctl ${cleanup.args.join(' ')}`
        return { is: 'later', note: `to be done by you (${cleanup.loses})`, next }
      }
      if (cleanup.rehearses && rehearsed === undefined) {
        const args = [...cleanup.args, '--dry-run']
        const placed = tools.tootctl.command(args)
        if (placed) rehearsed = await run(args, placed)
      }
      const said = rehearsed === undefined ? '' : `; the rehearsal says: ${rehearsed}`
      const what = `run: ${real.line} (removes ${cleanup.loses}${said})`
      return { is: 'change', changes: [{ what, risk: 'destructive', goes: true }] }
    },

    async change() {
      const placed = tools.tootctl.command(cleanup.args)
      if (placed) done = await run(cleanup.args, placed)
      return {}
    },
  }
}

/** What tootctl ends with, e.g. `Removed 12 media attachments (approx. 3 MB)`. */
const SUMMARY = /^(Removed|Visited|Refreshed|OK)\b/
/** What its progress bar draws. */
const PROGRESS = /^\d+\/(\d+|\?+) \||^\s*(Progress:|Time:)|\|[= ]*\|/
/** The same where nobody looks at it: a bar without a number (seen on 4.6). */
const BAR = /^\s*Progress:\s*\|[=\s]*\|?\s*$/
/** Said in every run, by dotenv and by docker compose, whatever becomes of it. */
const USUAL = /\[dotenv\]|^\s*(\[\+\]|Container |Network |time=")/
/** Lines of stderr that give no reason: warnings, and what leads there from a reason. */
const NO_REASON = /\bwarning: |^warning\b|DEPRECATION|^\s*from |^\s+\S+:\d+:in /i
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
  let reason: string | undefined
  const onLine = (whole: string, from?: 'stdout' | 'stderr') => {
    for (const part of whole.replace(COLOUR, '').split('\r')) {
      const words = part.trimEnd()
      if (words.trim() === '' || BAR.test(words) || USUAL.test(words)) continue
      if (PROGRESS.test(words)) {
        tell(words.trim().slice(0, width))
        continue
      }
      say(words)
      last = words.trim()
      // The reason is at the top of stderr, and what comes after it leads to it.
      if (from === 'stderr' && !NO_REASON.test(words)) reason ??= last
      if (SUMMARY.test(last)) summary = last
    }
  }
  tell(`tootctl ${called}`)
  const where = cwd === undefined ? {} : { cwd }
  const { exitCode, aborted } = await stream.stream(command, { onLine, signal, ...where })
  if (aborted) throw new Cancelled()
  if (exitCode !== 0) throw failed(line, called, reason ?? last)
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
