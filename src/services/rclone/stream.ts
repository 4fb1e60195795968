import type { Command } from '../process/command.ts'

/** What is needed of `StreamPort.stream` here. */
export type Stream = (
  command: Command,
  options: {
    readonly input?: Iterable<string>
    readonly onLine: (line: string) => void
    readonly signal?: AbortSignal
    readonly interrupted?: AbortSignal
    readonly inherits?: (name: string) => boolean
  },
) => Promise<{ readonly exitCode: number | undefined; readonly aborted: boolean }>
