import type { Secret } from '../../core/secret.ts'

/** A program to run, as plain data: shown in a plan, run by `run`. */
export interface Command {
  readonly program: string
  /** Never a secret: everybody on the machine can read arguments. */
  readonly args: readonly string[]
  /** Set for this program only, on top of what it inherits. */
  readonly env: Readonly<Record<string, string | Secret>>
}

const BARE_WORD = /^[A-Za-z0-9_@%+=:,./-]+$/

/** The line to paste into a shell; variables that hold a Secret read `NAME="$NAME"`. */
export function commandLine(command: Command): string {
  const variables = Object.entries(command.env).map(([name, value]) =>
    typeof value === 'string' ? `${name}=${quote(value)}` : `${name}="$${name}"`,
  )
  return [...variables, ...[command.program, ...command.args].map(quote)].join(' ')
}

function quote(word: string): string {
  return BARE_WORD.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`
}

/** A command and the folder to run it in. */
export interface PlacedCommand {
  readonly command: Command
  readonly cwd?: string
  /** As a person types it into a shell, the folder included. */
  readonly line: string
}
