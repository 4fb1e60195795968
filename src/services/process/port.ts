import type { Command } from './command.ts'

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

/** A command and the folder to run it in. */
export interface PlacedCommand {
  readonly command: Command
  readonly cwd?: string
  /** As a person types it into a shell, the folder included. */
  readonly line: string
}
