import { createInterface } from 'node:readline'
import { execa } from 'execa'
import { Problem } from '../../core/problem.ts'
import { asRoot, prose } from '../../core/to-type.ts'
import { starterOf } from './account.ts'
import { childEnvironment } from './environment.ts'
import { type Command, commandLine } from './port.ts'

export interface RunOptions {
  /** That of this process; the program sees what `childEnvironment` picks of it. */
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd?: string
  /** Given on standard input, which is closed afterwards; without it the program reads nothing. */
  readonly input?: string
  readonly timeoutMs?: number
  /** Told each line that the program writes, on either stream, while it runs. */
  readonly onLine?: (line: string) => void
  /** Ends the program when aborted. */
  readonly signal?: AbortSignal
}

export interface RunResult {
  /** undefined when a signal ended the program. */
  readonly exitCode: number | undefined
  readonly stdout: string
  readonly stderr: string
}

/**
 * Runs a command without a shell and waits for it. A program that fails is a result, not an error.
 * Problems: `program-missing`, `program-not-started`, `program-timeout`, `program-stopped` (aborted).
 */
export async function run(command: Command, options: RunOptions): Promise<RunResult> {
  const { onLine } = options
  const child = execa(command.program, [...command.args], {
    env: childEnvironment(command, options.environment),
    extendEnv: false,
    reject: false,
    stripFinalNewline: false,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
    ...(options.input === undefined ? { stdin: 'ignore' } : { input: options.input }),
    ...(options.timeoutMs === undefined ? {} : { timeout: options.timeoutMs }),
    ...(options.signal === undefined ? {} : { cancelSignal: options.signal }),
  })
  if (onLine) {
    for (const stream of [child.stdout, child.stderr]) {
      if (stream) createInterface({ input: stream }).on('line', onLine)
    }
  }
  const outcome = await child
  const { stdout = '', stderr = '' } = outcome
  if (outcome.timedOut) throw timedOut(command, options.timeoutMs ?? 0)
  if (outcome.isCanceled) throw stopped(command)
  if (outcome.exitCode === undefined && outcome.signal === undefined) {
    throw notStarted(command, outcome.code)
  }
  return { exitCode: outcome.exitCode, stdout: String(stdout), stderr: String(stderr) }
}

export interface Started {
  /** The first line on its standard output. Problems: `program-missing`, `program-ended-early`. */
  firstLine(): Promise<string>
  /** Asks it to end (closed input, then SIGTERM, SIGKILL after 5 s) and waits until it has. */
  stop(): Promise<void>
}

/** Starts a program that runs beside this one until `stop`, or until this process ends. */
export function start(command: Command, options: Pick<RunOptions, 'environment' | 'cwd'>): Started {
  const child = execa(command.program, [...command.args], {
    env: childEnvironment(command, options.environment),
    extendEnv: false,
    reject: false,
    stdin: 'pipe',
    // Ctrl-C at the terminal is meant for this process, which still needs the other one to tidy up.
    detached: true,
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
  return {
    async firstLine() {
      // execa's own iterable waits for the program's end when the loop is left.
      const lines = createInterface({ input: child.stdout })
      for await (const line of lines) return line
      const { exitCode, signal, code, stderr } = await child
      if (exitCode === undefined && signal === undefined) throw notStarted(command, code)
      throw endedEarly(command, String(stderr ?? ''))
    },
    async stop() {
      child.stdin.end()
      child.kill('SIGTERM')
      await child
    },
  }
}

/**
 * Starts a program, in a session of its own (Ctrl-C at the terminal then reaches this process alone)
 * or in this one. What it writes has to be read from its streams; nothing is kept.
 */
export function launch(
  command: Command,
  options: Pick<RunOptions, 'environment' | 'cwd'> & { readonly ownSession: boolean },
) {
  const { program, args, ids } = starterOf(command)
  return execa(program, [...args], {
    ...ids,
    env: childEnvironment(command, options.environment),
    extendEnv: false,
    reject: false,
    buffer: false,
    detached: options.ownSession,
    stdin: 'pipe',
    ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
  })
}

/** The Problem of a program that there is none of, by the system's error code. */
export function notStarted({ program }: Command, code: string | undefined): Problem {
  if (code === 'ENOENT') {
    return new Problem({
      code: 'program-missing',
      what: `The program ${program} was not found.`,
      why: 'It is not installed, or not in the PATH of this shell.',
      next: prose`Install ${program} (on Debian or Ubuntu: ${asRoot(`apt-get install ${program}`)}), then run this again.`,
    })
  }
  return new Problem({
    code: 'program-not-started',
    what: `The program ${program} could not be started.`,
    why: code === 'EACCES' ? 'This user may not run it.' : `The system says ${code ?? 'nothing'}.`,
    next: `Type ${program} --version to see whether it runs by itself, then run this again.`,
  })
}

function timedOut({ program }: Command, timeoutMs: number): Problem {
  return new Problem({
    code: 'program-timeout',
    what: `The program ${program} did not finish within ${Math.ceil(timeoutMs / 1000)} seconds.`,
    why: 'It was ended, so what it was doing may be half done.',
    next: 'Run this again.',
  })
}

function stopped({ program }: Command): Problem {
  return new Problem({
    code: 'program-stopped',
    what: `The program ${program} was stopped before it finished.`,
    why: 'This run was interrupted.',
    next: 'Run this again to go on.',
  })
}

function endedEarly(command: Command, stderr: string): Problem {
  const lastWords = stderr.trim().split('\n').slice(-3).join(' ').slice(0, 500)
  return new Problem({
    code: 'program-ended-early',
    what: `The program ${command.program} ended before it was ready.`,
    why: lastWords === '' ? 'It did not say why.' : `It said: ${lastWords}`,
    next: `See what it says by itself: ${commandLine(command)}`,
  })
}
