import type { CommandEntry } from './host.ts'

/** The table of commands: this is the help screen. */
export const commands: readonly CommandEntry[] = [
  {
    name: 'init',
    line: 'set up R2 for this Mastodon server, step by step',
    load: async () => (await import('./init/init.ts')).init,
  },
  {
    name: 'check',
    line: 'find what is wrong, and say how to put it right',
    load: async () => (await import('./check/check.ts')).check,
  },
  {
    name: 'migrate',
    line: "move a running server's media to R2, stage by stage",
    load: async () => (await import('./migrate/migrate.ts')).migrate,
  },
  {
    name: 'redirects',
    line: 'lead old media addresses to the media host',
    load: async () => (await import('./redirects/redirects.ts')).redirects,
  },
  {
    name: 'undo',
    line: 'take back what init did, as far as you allow',
    load: async () => (await import('./undo/undo.ts')).undo,
  },
  {
    name: 'rotate',
    line: 'replace the access key, without a moment when uploads fail',
    load: async () => (await import('./rotate/rotate.ts')).rotate,
  },
  {
    name: 'sandbox',
    line: 'run a local Cloudflare to rehearse against',
    load: async () => (await import('./rehearse/command.ts')).sandbox,
  },
  {
    name: 'help',
    line: 'this page, or the flags of one command: help init',
    load: async () => (await import('./help.ts')).helpOn(commands, overview),
  },
]

/** What this program starts of itself, and nobody types. */
export const inner: readonly CommandEntry[] = [
  {
    name: 'media-reader',
    line: 'reads the media folder as its owner',
    load: async () => (await import('./flow/media-folder.ts')).mediaReader,
  },
]

/** The page that bare `mastodon-r2`, `help` and `--help` print. */
export function overview(version: string): string {
  const width = Math.max(...commands.map(({ name }) => name.length)) + 2
  const table = commands.map(({ name, line }) => `  ${name.padEnd(width)}${line}`)
  return `mastodon-r2 ${version}
Puts the media of a Mastodon server on Cloudflare R2.

Usage: mastodon-r2 <command> [flags]

${table.join('\n')}

Start with:      npx mastodon-r2 init
Rehearse first:  npx mastodon-r2 init --sandbox
Flags:           mastodon-r2 help init

Exit codes: 0 all well, 1 something is not right, 2 a setting
is missing or wrong, 3 rotate could not remove the old key yet
(it says what is left to do), 130 cancelled.
`
}
