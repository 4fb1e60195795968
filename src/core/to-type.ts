import { shellLine } from './shell-word.ts'

/**
 * The settings that each command takes, by name; `FlagsOf` of its catalog. Each command adds its own
 * here (`declare module`), so that a line to type can be made in every room, and none with a flag
 * that its command does not have.
 */
// biome-ignore lint/suspicious/noEmptyInterface: the commands fill it
export interface CommandFlags {}

export type CommandName = keyof CommandFlags & string
type FlagName = { [C in CommandName]: keyof CommandFlags[C] }[CommandName]
export type FlagValue = true | string | readonly string[]

/** Settings that tell where Mastodon, its bucket and Cloudflare are, in the order that they are shown in. */
export const whereabouts = [
  'mastodonDir',
  'mastodonEnv',
  'mediaDir',
  's3EndpointUrl',
  'connectTo',
  'cloudflareApiUrl',
] as const
type Where = (typeof whereabouts)[number]

/** What a run was told of that: each line to type says it, too, where its command takes it. */
export type Whereabouts = { readonly [N in Where]?: string | readonly string[] }

/** Who reads a line, how the program is started, and where its run was at. */
export interface Reader extends Whereabouts {
  /** Words in front of the command; `npx mastodon-r2` unless told. */
  readonly program?: readonly string[]
  /** Whether the person who reads is root, who needs no sudo. */
  readonly isRoot?: boolean
  /** The API token stands in its variable, where the next run finds it, too. */
  readonly hasToken?: boolean
}

/** The reader that sits before this process. */
export function readerOf({
  userId,
  program,
}: {
  readonly userId: number | undefined
  readonly program: readonly string[]
}): Reader {
  return { isRoot: userId === 0, program }
}

/** Whether a line goes without a place of its own to where its reader's run was, and its flag is no fault. */
function takes(line: ToType, where: Where, at: Reader): boolean {
  const { command, flags } = line
  if (where in flags || command === 'sandbox' || command === 'help') return false
  // A rehearsal brings its own Cloudflare, and that of a migration its own Mastodon.
  if (flags.sandbox === true && (command === 'migrate' || ofRehearsal.has(where))) return false
  switch (where) {
    case 'mastodonDir':
    case 'mastodonEnv':
      return !('mastodonDir' in flags || 'mastodonEnv' in flags)
    case 'mediaDir':
      // On to another S3 provider no folder is looked at, and the flag is refused.
      return ofMedia.has(command) && flags.to !== 's3'
    case 's3EndpointUrl':
      return true
    case 'connectTo':
      return command !== 'usage'
    case 'cloudflareApiUrl':
      return asksCloudflare(line, at)
  }
}

const ofRehearsal = new Set<Where>(['s3EndpointUrl', 'connectTo', 'cloudflareApiUrl'])

/** The others do not look at the media itself. */
const ofMedia = new Set(['init', 'leave', 'migrate'])

/** Without asking Cloudflare's API, a command refuses to be told where that is. */
function asksCloudflare({ command, flags }: ToType, { hasToken = false }: Reader): boolean {
  switch (command) {
    case 'check':
    case 'usage':
      return hasToken
    case 'purge':
      return flags.keepList !== true || 'deletedSince' in flags
    case 'redirects':
      return flags.remove === true || (flags.via !== 'nginx' && flags.via !== 'caddy')
    case 'leave':
      return flags.stage === 'redirects'
    case 'migrate':
      return (
        flags.stage === 'redirects' ||
        flags.engine === 'super-slurper' ||
        flags.slurper !== undefined
      )
    default:
      return true
  }
}

/** A line of this program that a person is to type, until somebody renders it. */
export class ToType {
  readonly command: string
  /** By the names of settings, in the order in which they are shown; never a secret. */
  readonly flags: Readonly<Record<string, FlagValue>>
  /** Variables with a secret that the person has to set. */
  readonly secrets: readonly string[]
  /** Behind the command. */
  readonly words: readonly string[]

  constructor(
    command: string,
    flags: Readonly<Record<string, FlagValue>>,
    secrets: readonly string[] = [],
    words: readonly string[] = [],
  ) {
    this.command = command
    this.flags = flags
    this.secrets = secrets
    this.words = words
  }

  /** The same with more settings. What agrees to the plan stays at the end. */
  with(more: { readonly [N in FlagName]?: FlagValue }): ToType {
    const { yes, ...flags } = { ...this.flags, ...more }
    return new ToType(this.command, yes ? { ...flags, yes } : flags, this.secrets)
  }

  /** As a run would show it that was told nothing. */
  toString(): string {
    return renderText(this)
  }
}

/** The line for a command with these settings, e.g. `toType('migrate', { stage: 'copy' })`. */
export function toType<C extends CommandName>(command: C, flags?: CommandFlags[C]): ToType {
  return new ToType(command, (flags ?? {}) as Readonly<Record<string, FlagValue>>)
}

/** The line that shows the flags of a command; without one, all commands. */
export function helpLine(command?: string): ToType {
  return new ToType('help', {}, [], command === undefined ? [] : [command])
}

/** A line of the system's that takes root: `sudo` stands before it for everybody else. */
export class AsRoot {
  readonly line: string

  constructor(line: string) {
    this.line = line
  }

  toString(): string {
    return renderText(this)
  }
}

/** The line is a shell's, without sudo, e.g. `asRoot('systemctl daemon-reload')`. */
export function asRoot(line: string): AsRoot {
  return new AsRoot(line)
}

/** Words with lines to type among them. */
export class Prose {
  readonly parts: readonly Part[]

  constructor(parts: readonly Part[]) {
    this.parts = parts
  }

  toString(): string {
    return renderText(this)
  }
}

type Part = string | ToType | AsRoot

/** What may be said to a person. */
export type Text = Part | Prose

/** A template for Text: prose`To see what is wrong: ${toType('check')}`. */
export function prose(words: TemplateStringsArray, ...values: readonly (Text | number)[]): Text {
  const [first = '', ...rest] = words
  const more = values.flatMap((value, at) => [
    ...(value instanceof Prose ? value.parts : [typeof value === 'number' ? String(value) : value]),
    rest[at] ?? '',
  ])
  const parts = [first, ...more]
  return parts.every((part) => typeof part === 'string') ? parts.join('') : new Prose(parts)
}

/** Each text once. */
export function uniqueText(texts: readonly Text[]): Text[] {
  return [...new Map(texts.map((text) => [String(text), text])).values()]
}

/** Text as it stands on a screen and in a report. `at`: what this run was told, and by whom. */
export function renderText(text: Text, at: Reader = {}): string {
  if (typeof text === 'string') return text
  if (text instanceof AsRoot) return at.isRoot === true ? text.line : `sudo ${text.line}`
  if (text instanceof ToType) return lineOf(text, at)
  return text.parts.map((part) => renderText(part, at)).join('')
}

function lineOf(line: ToType, at: Reader): string {
  const { command, flags, secrets } = line
  const { program = PROGRAM } = at
  const told = whereabouts.flatMap((name): [string, FlagValue][] => {
    const value = at[name]
    return value !== undefined && takes(line, name, at) ? [[name, value]] : []
  })
  const given = [...told, ...Object.entries(flags)].flatMap(([name, value]) =>
    value === true
      ? [flagOf(name)]
      : [value].flat().flatMap((one) => [flagOf(name), one as string]),
  )
  const variables = secrets.map((name) => `${name}="$${name}" `)
  return `${variables.join('')}${shellLine([...program, command, ...line.words, ...given])}`
}

const PROGRAM = ['npx', 'mastodon-r2'] as const

/** Commands by which a line of the single file is told from a path or a name of ours. */
export const commandWords =
  'init|sandbox|migrate|redirects|check|usage|purge|rotate|undo|leave|help|completion|version'

/** As npx starts it, or as one file under its own name, somewhere or in PATH. */
const STARTED = [
  `${PROGRAM.join(' ')}`,
  `(?<![^\\s(])(?:'[^']*/|[^\\s']*/)?mastodon-r2(?:-linux-\\w+)?'?(?= (?:${commandWords})(?![\\w-]))`,
].join('|')

/** A line to type inside text that was rendered, with the values of its flags. */
export const renderedLine = new RegExp(
  `(?:[A-Z_]+="\\$[A-Z_]+" )*(?:${STARTED})(?: [a-z]+)?(?: --[a-z][a-z\\d-]*(?: (?:'[^']*'|[^\\s'-]\\S*))?)*`,
  'g',
)

/** `mediaHost` is given as --media-host. */
function flagOf(name: string): string {
  return `--${name.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
}
