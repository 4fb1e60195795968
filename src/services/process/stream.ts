import { once } from 'node:events'
import type { Readable, Writable } from 'node:stream'
import { StringDecoder } from 'node:string_decoder'
import { setTimeout as after } from 'node:timers/promises'
import { starterOf } from './account.ts'
import type { Command, StreamEnd, StreamOptions } from './port.ts'
import { launch, notStarted, type RunOptions } from './run.ts'

const PATIENCE_MS = 10_000
/** The terminal may have interrupted it too; asked once more it would not tidy up to the end. */
const BY_ITSELF_MS = 1_000
/** After the end of an aborted program: what it started itself may hold its streams open. */
const LAST_WORDS_MS = 2_000
/** A longer line is told in pieces, so that a program can't fill this one's memory. */
const LONGEST_LINE = 1_048_576

/** `StreamPort.stream` of a given environment. */
export async function stream(
  command: Command,
  options: StreamOptions & Pick<RunOptions, 'environment'>,
): Promise<StreamEnd> {
  const { onLine, signal, interrupted, cwd, input = [], patienceMs = PATIENCE_MS } = options
  if (signal?.aborted || interrupted?.aborted) return { exitCode: undefined, aborted: true }
  const child = launch(command, {
    environment: options.environment,
    ownSession: interrupted === undefined,
    ...(cwd === undefined ? {} : { cwd }),
  })
  const over = new AbortController()
  const gone = once(child, 'exit', { signal: over.signal }).catch(() => undefined)
  let aborted = false
  const goneWithin = (ms: number) =>
    Promise.race([gone, after(ms, undefined, { signal: over.signal })])
  const end = async (byItselfMs: number) => {
    aborted = true
    if (byItselfMs > 0) await goneWithin(byItselfMs)
    child.kill('SIGINT')
    await goneWithin(patienceMs)
    child.kill('SIGKILL')
    await gone
    await after(LAST_WORDS_MS, undefined, { signal: over.signal })
    child.stdout.destroy()
    child.stderr.destroy()
  }
  const endOnce = (byItselfMs: number) => void (aborted || end(byItselfMs).catch(() => undefined))
  const stop = () => endOnce(0)
  const follow = () => endOnce(BY_ITSELF_MS)
  let bug: { readonly error: unknown } | undefined
  const fail = (error: unknown) => {
    bug ??= { error }
    stop()
  }
  const tellFrom = (from: 'stdout' | 'stderr') => (line: string) => {
    try {
      onLine(line, from)
    } catch (error) {
      fail(error)
    }
  }
  signal?.addEventListener('abort', stop)
  interrupted?.addEventListener('abort', follow)
  try {
    const [{ exitCode, signal: struck, code }] = await Promise.all([
      child,
      readLines(child.stdout, tellFrom('stdout')),
      readLines(child.stderr, tellFrom('stderr')),
      Promise.race([feed(child.stdin, input, gone).catch(fail), gone]),
    ])
    if (bug) throw bug.error
    if (exitCode === undefined && struck === undefined) throw notStarted(command, code)
    if ((exitCode === 126 || exitCode === 127) && starterOf(command).isTold) {
      throw notStarted(command, exitCode === 127 ? 'ENOENT' : 'EACCES')
    }
    return { exitCode, aborted }
  } finally {
    over.abort()
    signal?.removeEventListener('abort', stop)
    interrupted?.removeEventListener('abort', follow)
  }
}

/** Rejects only with an error of the input itself: a program need not read to the end. */
async function feed(
  stdin: Writable,
  input: Iterable<string> | AsyncIterable<string>,
  gone: Promise<unknown>,
): Promise<void> {
  stdin.on('error', () => undefined)
  for await (const piece of input) {
    if (!stdin.writable) return
    if (stdin.write(piece)) continue
    const unblocked = new Promise((resolve) => stdin.once('drain', resolve).once('close', resolve))
    await Promise.race([unblocked, gone])
  }
  stdin.end()
}

/** Splits at line feeds alone: other programs' lines may hold characters that Node takes for ends. */
async function readLines(output: Readable, tell: (line: string) => void): Promise<void> {
  const decoder = new StringDecoder('utf8')
  let rest = ''
  output.on('data', (chunk: Buffer) => {
    const lines = (rest + decoder.write(chunk)).split('\n')
    rest = lines.pop() ?? ''
    for (const line of lines) tell(line.endsWith('\r') ? line.slice(0, -1) : line)
    if (rest.length < LONGEST_LINE) return
    tell(rest)
    rest = ''
  })
  await new Promise<void>((resolve) => output.once('close', resolve).once('error', () => resolve()))
  rest += decoder.end()
  if (rest !== '') tell(rest)
}
