import { readPlain } from '../core/plain-file.ts'
import { Problem, type ProblemDetails } from '../core/problem.ts'
import { type Reader, renderedLine, type Whereabouts, whereabouts } from '../core/to-type.ts'
import type { Host } from '../host.ts'
import type { Report } from '../plan/report.ts'
import { parseAnswers } from '../settings/answers.ts'
import { parseArgv, type RawValue } from '../settings/argv.ts'
import { catalog } from '../settings/catalog.ts'
import { Settings } from '../settings/resolve.ts'
import { type Catalog, variableOf } from '../settings/setting.ts'
import { speaksUtf8 } from '../ui/ascii.ts'
import { showsLinks } from '../ui/hyperlinks.ts'
import { jsonUi } from '../ui/json.ts'
import { writesLines } from '../ui/line-questions.ts'
import { plainUi } from '../ui/plain.ts'
import type { Render, Ui } from '../ui/port.ts'
import { type Record, recorded } from '../ui/recorded.ts'
import { tamed, tameRender } from '../ui/tamed.ts'

/** Bytes; answers and tokens are small, anything larger is the wrong file. */
const MOST = 1_048_576

/** Everything that was given before the first question: flags, variables, answers. */
export async function gather<C extends Catalog>(
  host: Host,
  command: string,
  argv: readonly string[],
  spec: {
    readonly catalog: C
    readonly accepts?: Partial<C> | undefined
    readonly asksFirst?: boolean | undefined
  },
): Promise<Settings<C>> {
  const { catalog, accepts, asksFirst } = spec
  const notes: string[] = []
  const taken = (accepts ?? catalog) as Catalog
  const flags = await parseArgv(command, argv, taken, notes)
  const environment = variablesOf(host, catalog, taken)
  const { answers: fromFile } = catalog
  const path = flags.get('answers') ?? (fromFile && environment[variableOf(fromFile)])
  if (path === '-' && flags.get('apiToken') === '-') throw stdinTwice()
  const answers = await readAnswers(host, path, catalog)
  const readFile = (path: string, flag: string) => readGiven(host, path, flag)
  const sources = { flags, environment, answers, notes, readFile }
  return Settings.resolve(catalog, sources, { asksFirst })
}

/** One that the rule gives counts where the command has the flag: MASTODON_R2_PRINT is not for `check`. */
function variablesOf({ environment }: Host, catalog: Catalog, taken: Catalog): Host['environment'] {
  const known = [
    ...Object.values(taken),
    ...Object.values(catalog).filter(({ env }) => env !== undefined),
  ]
  return Object.fromEntries(known.map(variableOf).map((name) => [name, environment[name]] as const))
}

async function readAnswers(
  host: Host,
  path: RawValue | undefined,
  catalog: Catalog,
): Promise<ReadonlyMap<string, unknown>> {
  if (typeof path !== 'string' || path === '') return new Map()
  return parseAnswers(await readGiven(host, path, '--answers'), catalog)
}

async function readGiven(host: Host, path: string, flag: string): Promise<string> {
  if (path === '-') {
    if (host.stdin.isTTY) throw noPipe(flag)
    return host.readStdin()
  }
  try {
    const { bytes } = await readPlain(path, { most: MOST, follow: true })
    return bytes.toString('utf8')
  } catch (error) {
    if (error instanceof Problem) throw error
    throw unreadable(path, flag, reason(error))
  }
}

function reason(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code
  if (code === 'ENOENT') return 'There is no such file.'
  if (code === 'EFBIG') return 'It is far too large to be the right file.'
  if (code === 'ENOTSUP') return 'It is no plain file but a pipe, a socket or a device.'
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

export interface VoiceOptions {
  readonly json: boolean
  readonly quiet: boolean
  readonly colour: boolean
  /** Standard output is kept for what is printed there. */
  readonly print: boolean
  readonly render?: Render
  /** Each request is shown; no unless told. */
  readonly verbose?: boolean
  /** Where all that is told is noted as well. */
  readonly log?: Record
}

/**
 * JSON when asked for; clack when a person sits at a terminal that can be drawn on; plain lines
 * otherwise, with questions where somebody is there.
 */
export async function chooseVoice(host: Host, options: VoiceOptions): Promise<Ui> {
  const render = tameRender(options.render ?? String)
  const voice = await voiceOf(host, { ...options, render })
  const shown = options.verbose ? voice : { ...voice, call: () => undefined }
  if (!options.log) return tamed(shown)
  return tamed(recorded(shown, options.log, render))
}

async function voiceOf(host: Host, options: VoiceOptions): Promise<Ui> {
  const { stdin, stdout, stderr, environment, interrupted } = host
  const { json, quiet, colour, print } = options
  const render = options.render ? { render: options.render } : {}
  if (json) return jsonUi({ stdout, stderr, quiet, ...render })
  // The block is kept apart from all talk, wherever it goes to.
  const words = print ? stderr : stdout
  const hasPerson = print ? stdin.isTTY && stderr.isTTY : host.hasPerson
  if (!hasPerson || print || writesLines(environment)) {
    const person = hasPerson ? { person: { stdin, words, interrupted } } : {}
    return plainUi({ words, stdout, stderr, quiet, ...person, ...render })
  }
  const { clackUi } = await import('../ui/clack.ts')
  const links = showsLinks(environment)
  const unicode = speaksUtf8(environment)
  const { forgetTyped, hushKeyboard } = host
  const keyboard = { stdin, interrupted, forgetTyped, hushKeyboard }
  return clackUi({ ...keyboard, stdout, stderr, colour, quiet, unicode, links, ...render })
}

/** All settings with their sources; secrets are masked, switches left out. */
export function settingsOf(settings: Settings<Catalog>): Report['settings'] {
  const shown = settings.entries().flatMap(([name, { text, value, source }]) => {
    if (typeof value === 'boolean') return []
    return [[name, { value: text ?? '****', source }] as const]
  })
  return Object.fromEntries(shown)
}

/** Ctrl-C. */
export function cancelled(words: Pick<ProblemDetails, 'what' | 'why' | 'next'>): Problem {
  return new Problem({ code: 'cancelled', ...words })
}

/** What this run was told of where everything is, for the lines to type that it shows. */
export function toldIn(settings: Settings<Catalog>): Whereabouts & Pick<Reader, 'hasToken'> {
  const told = settings.entries().flatMap(([name, { text, source }]) => {
    const isPlace = whereabouts.some((one) => one === name)
    return isPlace && settings.isGiven(name) && source !== 'sandbox' ? [[name, text] as const] : []
  })
  const hasToken = settings.source('apiToken') === variableOf(catalog.apiToken)
  return { ...Object.fromEntries(told), hasToken }
}

/** What a rehearsal made is gone when it ends: another run rehearses again, and goes on from nowhere. */
export function inRehearsal(words: string): string {
  const line = `${renderedLine.source}.*`
  return words
    .replace(/\b(This|it) goes on from here:/, '$1 rehearses again:')
    .replace(/\b(then) go on from here:/, '$1 rehearse again:')
    .replace(new RegExp(`(Copy it first):\\n {2}${line}`), '$1.')
    .replace(new RegExp(` ?\\bTo [^.:\\n]+: ${line}`, 'g'), '')
    .replace(/(?:[;:,]| and) ?(?:it |the next (?:one|run) )?goes on from here/g, '')
}
