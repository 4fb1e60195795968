import type { Command, RunnerPort, RunnerResult } from '../../src/services/process/port.ts'
import { commandLine } from '../../src/services/process/port.ts'

/** Writes down what it is asked to run, and runs nothing. */
export class FakeRunner implements RunnerPort {
  readonly ran: string[] = []
  result: (line: string) => Partial<RunnerResult> = () => ({})

  async run(command: Command, cwd?: string) {
    const line = commandLine(command)
    this.ran.push(cwd === undefined ? line : `${line} (in ${cwd})`)
    return { exitCode: 0, stdout: '', stderr: '', ...this.result(line) }
  }
}
