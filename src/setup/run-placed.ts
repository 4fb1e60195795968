import { Problem } from '../core/problem.ts'
import type { PlacedCommand } from '../services/mastodon/port.ts'
import type { RunnerPort } from '../services/process/port.ts'

/** What the plan shows of commands that are run one after the other. */
export function linesOf(commands: readonly PlacedCommand[]): string {
  return commands.map(({ line }) => line).join(' && ')
}

/** Runs them in their order until one fails. Problem `command-failed`; `meanwhile` says how things stand. */
export async function runPlaced(
  runner: RunnerPort,
  commands: readonly PlacedCommand[],
  meanwhile: string,
): Promise<void> {
  for (const { command, cwd, line } of commands) {
    const { exitCode, stderr } = await runner.run(command, cwd)
    if (exitCode === 0) continue
    const said = stderr
      .trim()
      .split('\n')
      .at(-1)
      ?.slice(0, 300)
      .replace(/[.\s]*$/, '.')
    throw new Problem({
      code: 'command-failed',
      what: `This failed: ${line}`,
      why: `${said === undefined || said === '.' ? 'It did not say why.' : `It said: ${said}`} ${meanwhile}`,
      next: 'Run that line yourself to see what is wrong. Then run the same command again.',
    })
  }
}
