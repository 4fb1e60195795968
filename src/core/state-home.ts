import { join } from 'node:path'
import { Problem } from './problem.ts'

/** XDG Base Directory Specification: `$XDG_STATE_HOME`, by default `~/.local/state`. */
export function stateHome(environment: Readonly<Record<string, string | undefined>>): string {
  const { XDG_STATE_HOME = '', HOME = '' } = environment
  if (XDG_STATE_HOME.startsWith('/')) return XDG_STATE_HOME
  if (HOME.startsWith('/')) return join(HOME, '.local/state')
  throw new Problem({
    code: 'no-state-home',
    what: 'There is no place for what is noted between one run and the next.',
    why: 'Neither HOME nor XDG_STATE_HOME names a folder.',
    next: 'Name one, and run the same command again: export XDG_STATE_HOME=/var/lib',
    exit: 2,
  })
}
