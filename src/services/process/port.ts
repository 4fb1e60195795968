import type { Secret } from '../../core/secret.ts'
import { shellLine, shellWord } from '../../core/shell-word.ts'

/** A program to run, as plain data: shown in a plan, run by `run`. */
export interface Command {
  readonly program: string
  /** Never a secret: everybody on the machine can read arguments. */
  readonly args: readonly string[]
  /** Set for this program only, on top of what it inherits. */
  readonly env: Readonly<Record<string, string | Secret>>
  /** Set for this program unless it inherits a value. */
  readonly usual?: Readonly<Record<string, string>>
  /** Variables of this shell that it sees besides the usual ones (environment.ts), by name. */
  readonly inherits?: readonly string[]
  /** Who it runs as, which takes root; as this process unless told. */
  readonly as?: Account | undefined
}

/** An account of this machine, with what it may do through its groups. */
export interface Account {
  readonly uid: number
  readonly gid: number
  /** `gid` among them. */
  readonly groups: readonly number[]
  /** Undefined where the system knows only the number, as with the users of containers. */
  readonly name: string | undefined
  readonly home: string | undefined
}

/** The process that started this one as its worker. */
export interface WorkerParent {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
}

/** The line to paste into a shell; variables that hold a Secret read `NAME="$NAME"`. */
export function commandLine(command: Command): string {
  const variables = Object.entries(command.env).map(([name, value]) =>
    typeof value === 'string' ? `${name}=${shellWord(value)}` : `${name}="$${name}"`,
  )
  return [...variables, shellLine([command.program, ...command.args])].join(' ')
}

/** A command and the folder to run it in. */
export interface PlacedCommand {
  readonly command: Command
  readonly cwd?: string
  /** As a person types it into a shell, the folder included. */
  readonly line: string
}

/** Runs programs without a shell, with a time limit. */
export interface RunnerPort {
  /**
   * Waits for the program's end; one that fails is a result. Problems: `program-missing`,
   * `program-not-started`, `program-timeout`.
   */
  run(command: Command, cwd?: string): Promise<RunnerResult>
}

export interface RunnerResult {
  /** undefined when a signal ended the program. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/** Programs that are fed and listened to while they run. */
export interface StreamPort {
  /**
   * Problems: `program-missing`, `program-not-started`. Aborted: SIGINT, after `patienceMs` SIGKILL;
   * resolves in every case once the program has ended and its last line was told.
   */
  stream(command: Command, options: StreamOptions): Promise<StreamEnd>
}

export interface StreamOptions {
  /** Written to its standard input, which is closed then. */
  readonly input?: Iterable<string> | AsyncIterable<string>
  /** Each line on either stream, in order within a stream. */
  readonly onLine: (line: string, from?: 'stdout' | 'stderr') => void
  readonly cwd?: string
  readonly signal?: AbortSignal
  /**
   * That of this process, for a program that is one job with it: the terminal's Ctrl-C, Ctrl-Z and
   * hang-up reach both, and it has a second to end by itself before it is asked to. Without it a
   * program has a session of its own, which Linux may give as much of the processor as all of this
   * one (sched(7), "The autogroup feature").
   */
  readonly interrupted?: AbortSignal
  /** Milliseconds between asking it to end and ending it; 10,000 unless told. */
  readonly patienceMs?: number
}

export interface StreamEnd {
  /** undefined when a signal ended it. */
  readonly exitCode: number | undefined
  readonly aborted: boolean
}
