import { readFile, stat } from 'node:fs/promises'
import { Problem } from '../core/problem.ts'
import type { Host } from '../host.ts'
import { parseAnswers } from '../settings/answers.ts'
import { parseArgv, type RawValue } from '../settings/argv.ts'
import { Settings } from '../settings/resolve.ts'
import type { Catalog } from '../settings/setting.ts'

/** Bytes; answers and tokens are small, anything larger is the wrong file. */
const MOST = 1_048_576

/** Everything that was given before the first question: flags, variables, answers. */
export async function gather<C extends Catalog>(
  host: Host,
  command: string,
  argv: readonly string[],
  { catalog, accepts }: { readonly catalog: C; readonly accepts?: Partial<C> },
): Promise<Settings<C>> {
  const flags = await parseArgv(command, argv, (accepts ?? catalog) as Catalog)
  if (flags.get('answers') === '-' && flags.get('apiToken') === '-') throw stdinTwice()
  const answers = await readAnswers(host, flags, catalog)
  const environment = host.environment
  return Settings.resolve(catalog, {
    flags,
    environment,
    answers,
    readFile: (path, flag) => readGiven(host, path, flag),
  })
}

async function readAnswers(
  host: Host,
  flags: ReadonlyMap<string, RawValue>,
  catalog: Catalog,
): Promise<ReadonlyMap<string, unknown>> {
  const path = flags.get('answers')
  if (typeof path !== 'string') return new Map()
  return parseAnswers(await readGiven(host, path, '--answers'), catalog)
}

async function readGiven(host: Host, path: string, flag: string): Promise<string> {
  if (path === '-') {
    if (host.stdin.isTTY) throw noPipe(flag)
    return host.readStdin()
  }
  try {
    const { size } = await stat(path)
    if (size > MOST) throw unreadable(path, flag, 'It is far too large to be the right file.')
    return await readFile(path, 'utf8')
  } catch (error) {
    if (error instanceof Problem) throw error
    throw unreadable(path, flag, reason(error))
  }
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'There is no such file.'
  if (code === 'EISDIR') return 'It is a directory.'
  if (code === 'EACCES') return 'You are not allowed to read it.'
  return `Reading it failed (${code ?? 'unknown reason'}).`
}

function unreadable(path: string, flag: string, why: string): Problem {
  return new Problem({
    code: 'file-unreadable',
    what: `${flag}: ${path} can't be used.`,
    why,
    next: 'Name an existing text file, or - for standard input.',
    exit: 2,
  })
}

function noPipe(flag: string): Problem {
  return new Problem({
    code: 'stdin-is-terminal',
    what: `${flag} - reads standard input, and nothing is piped into it.`,
    why: 'Standard input is this terminal.',
    next: `Pipe it: cat FILE | mastodon-r2 ... ${flag} -`,
    exit: 2,
  })
}

function stdinTwice(): Problem {
  return new Problem({
    code: 'stdin-twice',
    what: '--answers and --api-token-file both want to read standard input.',
    why: 'It can be read only once.',
    next: 'Put the token into the answers ("apiToken"), a file, or CLOUDFLARE_API_TOKEN.',
    exit: 2,
  })
}
