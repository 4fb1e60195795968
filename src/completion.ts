import type { Command, CommandEntry } from './host.ts'
import type { Setting } from './settings/setting.ts'
import { topicOf } from './topics.ts'

const shells = ['bash', 'zsh', 'fish'] as const
type Shell = (typeof shells)[number]

/** What follows a command or a flag: nothing that is known, words to choose from, or a path. */
type Follows = 'anything' | 'file' | 'folder' | readonly string[]

interface Flag {
  readonly names: readonly string[]
  readonly help: string
  readonly repeatable: boolean
  /** Of its value; undefined for a switch. */
  readonly follows: Follows | undefined
}

interface Completed {
  readonly names: readonly string[]
  readonly help: string
  readonly flags: readonly Flag[]
  readonly follows: readonly string[]
}

/**
 * The `completion` command: a script for a shell, with all that is known from the catalogs. At a Tab
 * nothing is started, and nothing that was typed is evaluated.
 */
export function completionOf(commands: readonly CommandEntry[]): Command {
  return {
    async run({ argv, stdout, stderr, version, program }, [shell = '', ...more]) {
      const wanted = shells.find((name) => name === shell)
      if (wanted === undefined || more.length > 0) {
        const what = argv.length > 1 ? 'There is no completion for that.' : 'The shell is missing.'
        const { shellLine } = await import('./core/shell-word.ts')
        stderr.write(`${what}\nSee: ${shellLine(program)} completion ${shells.join('|')}\n`)
        return 2
      }
      const completed = await Promise.all(commands.map((entry) => completedOf(entry, commands)))
      const { shellWord } = await import('./core/shell-word.ts')
      stdout.write(`${scripts[wanted](completed, version, shellWord).join('\n')}\n`)
      return 0
    },
  }
}

async function completedOf(
  { name, also = [], line }: CommandEntry,
  commands: readonly CommandEntry[],
): Promise<Completed> {
  const [topic, { choicesOf }] = await Promise.all([topicOf(name), import('./settings/setting.ts')])
  const flags = Object.values(topic?.catalog ?? {}).map((setting): Flag => {
    const { flag, short, help, value, repeatable = false } = setting
    const names = short === undefined ? [flag] : [short, flag]
    const follows = value === undefined ? undefined : followsOf(value, choicesOf(setting))
    return { names, help, repeatable, follows }
  })
  const help = { names: ['-h', '--help'], help: 'its flags', repeatable: false, follows: undefined }
  const words: Readonly<Record<string, readonly string[]>> = {
    help: commands.map(({ name }) => name),
    completion: shells,
  }
  return { names: [name, ...also], help: line, flags: [...flags, help], follows: words[name] ?? [] }
}

function followsOf(value: NonNullable<Setting<unknown>['value']>, choices: readonly string[]) {
  if (choices.length > 0) return choices
  if (/\b(PATH|FILE)\b/.test(value)) return 'file'
  return /\bDIR\b/.test(value) ? 'folder' : 'anything'
}

/** What writes a script; `quoted` gives a word as a POSIX shell reads it back. */
type Write = (
  all: readonly Completed[],
  version: string,
  quoted: (word: string) => string,
) => string[]

const scripts: Readonly<Record<Shell, Write>> = {
  bash: bashScript,
  zsh: zshScript,
  fish: fishScript,
}

function header(version: string, shell: Shell, file: string): string[] {
  return [
    `# ${shell} completion of mastodon-r2 ${version}; made by: mastodon-r2 completion ${shell}`,
    `# For everyone on this machine: ${file}. For this shell alone: source it.`,
  ]
}

/** Needs bash 4.4, and no bash-completion. */
function bashScript(all: readonly Completed[], version: string): string[] {
  const found: Readonly<Record<'anything' | 'file' | 'folder', string>> = {
    anything: 'return',
    file: 'compopt -o default; return',
    folder: 'compopt -o dirnames; return',
  }
  const values = all.flatMap(({ names, flags, follows }) => [
    ...(follows.length === 0 ? [] : [`${caseOf(names, names)}) words='${follows.join(' ')}' ;;`]),
    ...flags.flatMap((flag) => {
      if (flag.follows === undefined) return []
      const { follows } = flag
      const action = typeof follows === 'string' ? found[follows] : `words='${follows.join(' ')}'`
      return [`${caseOf(names, flag.names)}) ${action} ;;`]
    }),
  ])
  const words = all.map(({ names, flags }) => {
    const own = flags.flatMap(({ names }) => names.slice(-1)).join(' ')
    return `${names.join('|')}) words='${own}' ;;`
  })
  return [
    ...header(version, 'bash', '/usr/share/bash-completion/completions/mastodon-r2'),
    '_mastodon_r2() {',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
    '  local cur=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} words=',
    "  local IFS=$' \\t\\n'",
    '  COMPREPLY=()',
    '  # "=" parts words.',
    '  if [[ $cur == = ]]; then',
    '    cur=',
    '  elif [[ $before == = ]]; then',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
    '    before=${COMP_WORDS[COMP_CWORD - 2]}',
    '  fi',
    '  if ((COMP_CWORD == 1)); then',
    `    words='${all.map(({ names }) => names[0]).join(' ')} --help --version'`,
    '  else',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
    '    case "${COMP_WORDS[1]} $before" in',
    ...values.map((line) => `      ${line}`),
    '    esac',
    '    if [[ ! $words ]]; then',
    // biome-ignore lint/suspicious/noTemplateCurlyInString: bash's own
    '      case ${COMP_WORDS[1]} in',
    ...words.map((line) => `        ${line}`),
    '      esac',
    '    fi',
    '  fi',
    '  mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")',
    '}',
    'complete -F _mastodon_r2 mastodon-r2',
  ]
}

/** `'init --edge'|'init -e'`: a command, and the word before the one that is completed. */
function caseOf(commands: readonly string[], words: readonly string[]): string {
  return commands
    .flatMap((command) =>
      words
        .filter((word) => word.startsWith('-') || word === command)
        .map((word) => `'${command} ${word}'`),
    )
    .join('|')
}

function zshScript(
  all: readonly Completed[],
  version: string,
  shellWord: (word: string) => string,
): string[] {
  const told = (text: string) => text.replaceAll(/[\\[\]:]/g, '\\$&')
  const paths = { anything: ' ', file: '_files', folder: '_files -/' } as const
  const tail = (follows: Flag['follows']) => {
    if (follows === undefined) return ''
    return `:value:${typeof follows === 'string' ? paths[follows] : `(${follows.join(' ')})`}`
  }
  const spec = ({ names, help, repeatable, follows }: Flag) => {
    const rest = `[${told(help)}]${tail(follows)}`
    return names.map((name) => {
      const alone = repeatable ? '*' : names.length > 1 ? `(${names.join(' ')})` : ''
      const equals = follows !== undefined && name.startsWith('--') ? '=' : ''
      return shellWord(`${alone}${name}${equals}${rest}`)
    })
  }
  return [
    '#compdef mastodon-r2',
    ...header(version, 'zsh', '/usr/local/share/zsh/site-functions/_mastodon-r2'),
    '_mastodon-r2() {',
    '  local -a commands',
    '  if (( CURRENT == 2 )); then',
    `    commands=(${all.map(({ names, help }) => shellWord(`${names[0]}:${told(help)}`)).join(' ')})`,
    '    _describe -t commands command commands',
    "    _arguments '--help[the commands]' '--version[the version]'",
    '    return',
    '  fi',
    '  local command=$words[2]',
    '  shift words',
    '  (( CURRENT-- ))',
    '  case $command in',
    ...all.map(({ names, flags, follows }) => {
      const words = follows.length === 0 ? [] : [shellWord(`1:word:(${follows.join(' ')})`)]
      return `    ${names.join('|')}) _arguments ${[...words, ...flags.flatMap(spec)].join(' ')} ;;`
    }),
    '  esac',
    '}',
    'if [[ $funcstack[1] == _mastodon-r2 ]]; then _mastodon-r2 "$@"; else compdef _mastodon-r2 mastodon-r2; fi',
  ]
}

function fishScript(all: readonly Completed[], version: string): string[] {
  const quoted = (text: string) => `'${text.replaceAll(/['\\]/g, '\\$&')}'`
  const paths = {
    anything: '-x',
    file: '-r -F',
    folder: "-x -a '(__fish_complete_directories)'",
  } as const
  const line = (when: string, rest: string) => `complete -c mastodon-r2 -n ${quoted(when)} ${rest}`
  const first = '__fish_use_subcommand'
  return [
    ...header(version, 'fish', '/usr/share/fish/vendor_completions.d/mastodon-r2.fish'),
    'complete -c mastodon-r2 -f',
    line(first, "-l help -s h -d 'the commands'"),
    line(first, "-l version -s V -d 'the version'"),
    ...all.flatMap(({ names, help, flags, follows }) => {
      const seen = `__fish_seen_subcommand_from ${names.join(' ')}`
      return [
        line(first, `-a ${names[0]} -d ${quoted(help)}`),
        ...(follows.length === 0 ? [] : [line(seen, `-a ${quoted(follows.join(' '))}`)]),
        ...flags.map(({ names, help, follows }) => {
          const words = names.map((name) =>
            name.startsWith('--') ? `-l ${name.slice(2)}` : `-s ${name.slice(1)}`,
          )
          const value =
            typeof follows === 'string'
              ? [paths[follows]]
              : follows
                ? [`-x -a ${quoted(follows.join(' '))}`]
                : []
          return line(seen, [...words, ...value, `-d ${quoted(help)}`].join(' '))
        }),
      ]
    }),
  ]
}
