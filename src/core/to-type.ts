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

/** Where a run was told that Mastodon is: each line to type says it, too. */
export type Whereabouts = { readonly [N in 'mastodonDir' | 'mastodonEnv' | 'mediaDir']?: string }

/** Who reads a line, how the program is started, and where Mastodon is. */
export interface Reader extends Whereabouts {
  /** Words in front of the command; `npx mastodon-r2` unless told. */
  readonly program?: readonly string[]
  /** Whether the person who reads is root, who needs no sudo. */
  readonly isRoot?: boolean
}

/** The others do not look at the media itself. */
const ofMedia = new Set(['init', 'leave', 'migrate'])

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

/** These look at no Mastodon of this machine: a rehearsed migration brings its own. */
function isNowhere({ command, flags }: ToType): boolean {
  return (
    command === 'sandbox' || command === 'help' || (command === 'migrate' && flags.sandbox === true)
  )
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
  const { mediaDir, isRoot: _, program: __, ...mastodon }: Reader = isNowhere(line) ? {} : at
  const isPlaced = 'mastodonDir' in flags || 'mastodonEnv' in flags
  // On to another S3 provider no folder is looked at, and the flag is refused.
  const isOfMedia = mediaDir !== undefined && ofMedia.has(command) && flags.to !== 's3'
  const told: Record<string, FlagValue> = {
    ...(isPlaced ? {} : mastodon),
    ...(isOfMedia ? { mediaDir } : {}),
  }
  const given = Object.entries({ ...told, ...flags }).flatMap(([name, value]) =>
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
