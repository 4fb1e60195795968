import { columns, fold, leftColumn, type Row, typed } from './columns.ts'
import type { CommandEntry, Host } from './host.ts'

/** The table of commands: this is the help screen. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    group: 'Set up',
    line: 'set up R2 for this Mastodon server, step by step',
    load: async () => (await import('./init/init.ts')).init,
  },
  {
    name: 'sandbox',
    group: 'Set up',
    line: 'run a local Cloudflare to rehearse against',
    load: async () => (await import('./rehearse/command.ts')).sandbox,
  },
  {
    name: 'migrate',
    group: 'Move what is there',
    line: "move a running server's media to R2, stage by stage",
    load: async () => (await import('./migrate/migrate.ts')).migrate,
  },
  {
    name: 'redirects',
    group: 'Move what is there',
    line: 'lead old media addresses to the media host',
    load: async () => (await import('./redirects/redirects.ts')).redirects,
  },
  {
    name: 'check',
    also: ['doctor', 'status'],
    group: 'Look after it',
    line: 'find what is wrong, and say how to put it right',
    load: async () => (await import('./check/check.ts')).check,
  },
  {
    name: 'usage',
    also: ['costs'],
    group: 'Look after it',
    line: 'what is stored, what was asked, what this month costs',
    load: async () => (await import('./usage/usage.ts')).usage,
  },
  {
    name: 'purge',
    group: 'Look after it',
    line: "take media out of Cloudflare's cache, and out of the bucket",
    load: async () => (await import('./purge/purge.ts')).purge,
  },
  {
    name: 'rotate',
    group: 'Look after it',
    line: 'replace the access key, without a moment when uploads fail',
    load: async () => (await import('./rotate/rotate.ts')).rotate,
  },
  {
    name: 'undo',
    group: 'Go back',
    line: 'take back what init did, as far as you allow',
    load: async () => (await import('./undo/undo.ts')).undo,
  },
  {
    name: 'leave',
    group: 'Go back',
    line: 'bring the media from R2 back to this machine, or on to another S3',
    load: async () => (await import('./leave/leave.ts')).leave,
  },
  {
    name: 'help',
    group: 'Learn more',
    line: 'this page, or the flags of one command: help init',
    load: async () => (await import('./help.ts')).helpOn(commands, overview),
  },
  {
    name: 'completion',
    group: 'Learn more',
    line: 'a script that completes commands and flags: completion bash|zsh|fish',
    load: async () => (await import('./completion.ts')).completionOf(commands),
  },
  {
    name: 'version',
    group: 'Learn more',
    line: 'the version, as --version and -V tell it',
    load: async () => ({ run: async (host) => tellVersion(host) }),
  },
]

/** What this program starts of itself, and nobody types. */
export const inner: readonly CommandEntry[] = [
  {
    name: 'media-reader',
    group: '',
    line: 'reads the media folder as its owner',
    load: async () => (await import('./flow/media-folder.ts')).mediaReader,
  },
]

export function tellVersion({ stdout, version }: Pick<Host, 'stdout' | 'version'>): number {
  stdout.write(`${version}\n`)
  return 0
}

/** The single file has no sandbox. */
function startRows(words: readonly string[]): readonly Row[] {
  const program = typed(words)
  const rehearsal: Row[] =
    words[0] === 'npx' ? [['Rehearse first:', `${program} init --sandbox`]] : []
  return [['Start with:', `${program} init`], ...rehearsal, ['Flags:', `${program} help init`]]
}

/** Exit codes, and what they say. */
export const EXITS: readonly Row[] = [
  ['0', 'all well'],
  ['1', 'something is not right'],
  ['2', 'a setting is missing or wrong; nothing was changed'],
  ['3', 'rotate could not remove the old key yet; it says what is left to do'],
  ['130', 'cancelled'],
]

/** The page that bare `mastodon-r2`, `help` and `--help` print, `width` columns wide. */
export function overview(
  { version, homepage, program }: Pick<Host, 'version' | 'homepage' | 'program'>,
  width: number,
) {
  const start = startRows(program)
  const groups = [...new Set(commands.map(({ group }) => group))]
  const rows = (of: string) =>
    commands.flatMap(({ group, name, line }): Row[] => (group === of ? [[name, line]] : []))
  const left = leftColumn(groups.flatMap(rows), width)
  const table = groups.flatMap((group) => ['', group, ...columns(rows(group), width, left)])
  return `${[
    `mastodon-r2 ${version}`,
    ...fold('Puts the media of a Mastodon server on Cloudflare R2.', width),
    '',
    'Usage: mastodon-r2 COMMAND [flags]',
    ...table,
    '',
    ...columns([...start, ['Docs:', homepage]], width, width < 50 ? 0 : leftColumn(start, width)),
    '',
    'Exit codes:',
    ...columns(EXITS, width, leftColumn(EXITS, width)),
  ].join('\n')}\n`
}
