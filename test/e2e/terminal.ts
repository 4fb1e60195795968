import { execFileSync } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isRequired } from '../requirement.ts'
import { cli } from './program.ts'
import { watchScreen } from './watched-screen.ts'

/** The reason why there is no terminal to test with; undefined when there is one. */
export const tmuxMissing = whyNoTmux()

function whyNoTmux(): string | undefined {
  try {
    execFileSync('tmux', ['-V'], { stdio: 'ignore' })
    return undefined
  } catch (cause) {
    if (isRequired('tmux')) throw new Error('tmux is not installed.', { cause })
    return '(tmux is not installed)'
  }
}

/** A real terminal with the program in it, keys in, screen out. */
export interface Terminal {
  /** tmux names of keys (`Enter`, `Down`, `C-c`). */
  press(...keys: string[]): void
  type(text: string): void
  /** All that was ever shown, in lines as they stand on the screen. */
  screen(): string
  /** The same, with lines that the terminal broke in one. */
  joined(): string
  /** The same with its escape sequences. */
  painted(): string
  /** Waits for the words; fails with the screen. */
  see(words: string | RegExp): Promise<string>
  /** Waits for the end and gives the exit code. */
  exitCode(): Promise<number>
  resize(columns: number): void
  /** Takes the terminal away; what runs in it gets SIGHUP. */
  close(): void
}

export interface TerminalOptions {
  readonly columns: number
  /** 50 unless told. */
  readonly rows?: number
  readonly cwd: string
  /** For the tmux configuration and the socket. */
  readonly folder: string
  readonly env: Readonly<Record<string, string>>
  /** What the shell does with its output, e.g. `>file`. */
  readonly redirection?: string
}

/** tmux does not always get to know how a program ended, so the shell says it. */
const andTheExitCode = (redirection: string) =>
  `trap : INT; "$0" "$@" ${redirection}; printf "\\n[exit code %d]\\n" $?; exec sleep 1000`
const ENDED = /^\[exit code (\d+)\]$/m

export function openTerminal(args: readonly string[], options: TerminalOptions): Terminal {
  const { columns, rows = 50, cwd, folder, env, redirection = '' } = options
  const socket = join(folder, `tmux-${randomBytes(4).toString('hex')}`)
  const configuration = `${socket}.conf`
  writeFileSync(configuration, 'set -g history-limit 5000\n')
  const words = ['-S', socket, '-f', configuration]
  const own = { PATH: process.env.PATH, HOME: folder, LANG: 'C.UTF-8', TERM: 'xterm-256color' }
  const tmux = (...more: string[]) =>
    execFileSync('tmux', [...words, ...more], {
      encoding: 'utf8',
      env: own,
      timeout: 10_000,
      stdio: ['ignore', 'pipe', 'pipe'],
    })
  const size = ['-x', String(columns), '-y', String(rows)]
  const given = Object.entries(env).flatMap(([name, value]) => ['-e', `${name}=${value}`])
  // tmux puts its own in place of a given one.
  const kept = ['TERM', 'PATH'].filter((name) => env[name] !== undefined)
  const kind = kept.length === 0 ? [] : ['env', ...kept.map((name) => `${name}=${env[name]}`)]
  const command = [
    'sh',
    '-c',
    andTheExitCode(redirection),
    ...kind,
    process.execPath,
    '--',
    cli,
    ...args,
  ]
  tmux('new-session', '-d', ...size, '-c', cwd, ...given, ...command)
  const screen = () => tmux('capture-pane', '-p', '-S', '-')
  const watched = watchScreen(words, own)
  const waitFor = async (what: string, isSo: (screen: string) => boolean) => {
    const found = await watched.first(isSo, 90_000)
    if (found === undefined) throw new Error(`${what} never came. On the screen:\n${screen()}`)
    return found
  }
  return {
    press: (...keys) => void tmux('send-keys', ...keys),
    type: (text) => void tmux('send-keys', '-l', text),
    screen,
    joined: () => tmux('capture-pane', '-p', '-J', '-S', '-'),
    painted: () => tmux('capture-pane', '-p', '-e', '-S', '-'),
    see: (words) =>
      waitFor(String(words), (shown) =>
        typeof words === 'string' ? shown.includes(words) : words.test(shown),
      ),
    async exitCode() {
      return Number(ENDED.exec(await waitFor('The end', (shown) => ENDED.test(shown)))?.[1])
    },
    resize: (columns) => void tmux('resize-window', '-x', String(columns)),
    close() {
      watched.close()
      tmux('kill-server')
    },
  }
}
