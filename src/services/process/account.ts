import { existsSync } from 'node:fs'
import type { Command } from './port.ts'

/** What starts a command: the program itself, or one that becomes somebody else first. */
export interface Starter {
  readonly program: string
  readonly args: readonly string[]
  /** For the system's own fork; it gives the program no further groups. */
  readonly ids: { readonly uid: number; readonly gid: number } | undefined
  /** The program's start is the exit code of the one before it: 126 not allowed, 127 not there. */
  readonly isTold: boolean
}

const SETPRIV = ['/usr/bin/setpriv', '/bin/setpriv']

/**
 * Root's rights are gone before the program begins. libuv drops all supplementary groups when it
 * becomes a user (uv__process_child_init), so that setpriv(1) of util-linux is needed to give those
 * of the account; where there is none, the program does with fewer.
 */
export function starterOf(
  { program, args, as }: Command,
  exists: (path: string) => boolean = existsSync,
): Starter {
  if (as === undefined) return { program, args, ids: undefined, isTold: false }
  const { uid, gid, groups } = as
  const ids = { uid, gid }
  const further = groups.filter((group) => group !== gid)
  const setpriv = further.length === 0 ? undefined : SETPRIV.find(exists)
  if (setpriv === undefined) return { program, args, ids, isTold: false }
  const user = [`--reuid=${uid}`, `--regid=${gid}`, `--groups=${[gid, ...further].join(',')}`]
  const before = [...user, '--inh-caps=-all', '--', program]
  return { program: setpriv, args: [...before, ...args], ids: undefined, isTold: true }
}
