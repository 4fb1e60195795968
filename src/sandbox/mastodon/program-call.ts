/** One call of a program that the sandbox stands in for. */
export interface ProgramCall {
  readonly args: readonly string[]
  readonly cwd: string
  out(line: string): void
  err(line: string): void
  /** Aborted when the program was ended. */
  readonly signal: AbortSignal
}

/** Does what the real program would in effect; gives its exit code. */
export type Program = (call: ProgramCall) => Promise<number>
