import { setMaxListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import { isatty } from 'node:tty'

/** The process as the program sees it. This file alone reads `process`. */
export interface Host {
  readonly argv: readonly string[]
  readonly environment: Readonly<Record<string, string | undefined>>
  readonly cwd: string
  readonly version: string
  /** Where the project lives, and its docs. */
  readonly homepage: string
  readonly nodeVersion: string
  readonly execPath: string
  /** The program's own file, to start it again as another process. */
  readonly script: string
  /** The words that start the program, as a person types them. */
  readonly program: readonly string[]
  readonly pid: number
  /** Numeric user id; undefined where the system has none. */
  readonly userId: number | undefined
  readonly stdin: NodeJS.ReadStream
  readonly stdout: NodeJS.WriteStream
  readonly stderr: NodeJS.WriteStream
  /** Both ends are a terminal: there is somebody to ask. */
  readonly hasPerson: boolean
  /** Aborted by the first Ctrl-C, SIGTERM or SIGHUP. */
  readonly interrupted: AbortSignal
  /** Told of each that follows, which otherwise ends the process at once; undefined: nobody is. */
  onInsisting(listener: (() => void) | undefined): void
  /** Ends the process at once, as a second Ctrl-C does. */
  leaveNow(): never
  readStdin(): Promise<string>
  /** What is typed while nothing is asked is not shown any more, until the process ends. */
  hushKeyboard(): void
  /** Takes away what was typed by now: it answers no question that comes later. */
  forgetTyped(): Promise<void>
  /** Ctrl-C and SIGTERM are for `interrupted` alone: libraries that end the process lose theirs. */
  keepSignals(): void
  /** In the place of Cloudflare and the env file, in a rehearsal; undefined where it is meant. */
  readonly standIn?: StandIn | undefined
  /** What started this process as its worker; undefined where nothing did. */
  readonly parent: Parent | undefined
  /** Gives up root's rights for good: from then on this process is that user's, with its groups. */
  become(uid: number): Account
  /** Takes variables out of the environment, which libraries pass on to the programs they start. */
  keepEnvironment(keep: (name: string) => boolean): void
  /** Ends the process once output is flushed, after a signal also where something is waited for. */
  leave(code: number): void
}

export function processHost(): Host {
  quietBrokenPipes()
  const { stdin, stdout, stderr, env } = process
  return {
    argv: process.argv.slice(2),
    environment: env,
    cwd: process.cwd(),
    ...manifest(),
    nodeVersion: process.versions.node,
    execPath: process.execPath,
    script: process.argv[1] ?? '',
    program: startedAs(process),
    pid: process.pid,
    userId: process.getuid?.(),
    stdin,
    stdout,
    stderr,
    hasPerson: stdin.isTTY === true && stdout.isTTY === true,
    get interrupted() {
      return interruptSignal()
    },
    onInsisting(listener) {
      insisting = listener
    },
    leaveNow: () => process.exit(STOPPED),
    readStdin,
    hushKeyboard,
    forgetTyped,
    keepSignals,
    parent: parentOf(),
    become,
    keepEnvironment(keep) {
      for (const name of Object.keys(env)) if (!keep(name)) delete env[name]
    },
    leave(code) {
      if (terminalGone) dieQuietly()
      process.exitCode = code === 0 && outputLost ? 1 : code
      stdin.unref?.()
      // What was asked of somebody who does not answer would keep the process waiting.
      if (interrupt?.signal.aborted) stdout.write('', () => stderr.write('', () => process.exit()))
    },
  }
}

/**
 * A single executable has no script: the word that it was started by stands in its place
 * (nodejs.org/api/single-executable-applications.html). It is a path, or a name that PATH leads to.
 */
export function startedAs({
  argv,
  argv0,
}: Pick<NodeJS.Process, 'argv' | 'argv0'>): readonly string[] {
  return argv[1] === argv0 ? [argv0] : ['npx', 'mastodon-r2']
}

function manifest(): Pick<Host, 'version' | 'homepage'> {
  const text = readFileSync(new URL('../package.json', import.meta.url), 'utf8')
  const { version, homepage } = JSON.parse(text) as Record<string, unknown>
  return { version: String(version), homepage: String(homepage) }
}

/** A Cloudflare on this machine, and a scratch copy of the env file, in a folder of its own. */
export interface StandIn {
  /** By the names of settings; they win over all that was given. The token opens nothing else. */
  readonly settings: {
    readonly cloudflareApiUrl: string
    readonly s3EndpointUrl: string
    readonly connectTo: readonly string[]
    readonly apiToken: string
    readonly mastodonEnv: string
  }
  readonly jurisdiction: string
  readonly folder: string
  /** Its certificate authority, trusted besides the usual ones: the file, and its PEM. */
  readonly ca: { readonly file: string; readonly pem: string }
  /** Other commands go on with it when this one ends. */
  readonly isKept: boolean
}

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Exit code of a run that somebody stopped. */
const STOPPED = 130

let interrupt: AbortController | undefined
let insisting: (() => void) | undefined

/** Installed when first asked for, so that help leaves Ctrl-C alone. */
function interruptSignal(): AbortSignal {
  if (interrupt) return interrupt.signal
  const controller = new AbortController()
  interrupt = controller
  // Every question and every child listens; a long conversation has many of them.
  setMaxListeners(0, controller.signal)
  for (const signal of SIGNALS) process.on(signal, onSignal)
  // At a question the end of the keyboard may come before SIGHUP, or without it; or it is Ctrl-D.
  if (process.stdin.isTTY) {
    process.stdin.once('end', () => {
      terminalGone = !isatty(process.stdin.fd)
      controller.abort()
    })
  }
  return controller.signal
}

function onSignal(): void {
  if (!interrupt?.signal.aborted) interrupt?.abort()
  else if (insisting) insisting()
  else process.exit(STOPPED)
}

function keepSignals(): void {
  interruptSignal()
  for (const signal of SIGNALS) {
    for (const listener of process.listeners(signal)) {
      if (listener !== onSignal) process.off(signal, listener)
    }
  }
}

interface Parent {
  send(message: unknown): void
  onMessage(listener: (message: unknown) => void): void
}

function parentOf(): Parent | undefined {
  if (process.send === undefined) return undefined
  return {
    send: (message) => {
      // It may be gone by now, and so will this process be.
      if (process.connected) process.send?.(message, undefined, undefined, () => undefined)
    },
    onMessage: (listener) => void process.on('message', listener),
  }
}

interface Account {
  readonly uid: number
  readonly gid: number
  readonly groups: readonly number[]
  readonly name: string | undefined
  readonly home: string | undefined
}

/**
 * A process that changed its user without exec(2) is not dumpable (proc(5)): the account can neither
 * look into it nor trace it.
 */
function become(uid: number): Account {
  const { name, gid, home } = accountOf(uid)
  if (name === undefined) process.setgroups?.([gid])
  else initgroups(name, gid)
  process.setgid?.(gid)
  process.setuid?.(uid)
  if (process.getuid?.() !== uid || process.geteuid?.() !== uid || process.getegid?.() !== gid) {
    throw new Error(`This process could not become user ${uid}.`)
  }
  const groups = [...new Set([gid, ...(process.getgroups?.() ?? [])])]
  return { uid, gid, groups, name, home }
}

/** @types/node 20 does not know it (nodejs.org/api/process.html). */
function initgroups(name: string, gid: number): void {
  const own = process as typeof process & { initgroups?(user: string, group: number): void }
  own.initgroups?.(name, gid)
}

/** userInfo() asks for the effective user, wherever the system keeps its users. */
function accountOf(uid: number): Pick<Account, 'name' | 'gid' | 'home'> {
  process.seteuid?.(uid)
  try {
    const { username, gid, homedir } = userInfo()
    return { name: username, gid, home: homedir }
  } catch {
    // A user of a container, known to this machine by its number: there it is its group's as well.
    return { name: undefined, gid: uid, home: undefined }
  } finally {
    process.seteuid?.(0)
  }
}

let outputLost = false
let terminalGone = false

/**
 * Node 20 aborts at its end when it can't restore a terminal that is gone (ResetStdio in
 * src/node.cc), and the core dump would hold secrets. All is tidied up by then.
 */
function dieQuietly(): void {
  process.removeAllListeners('SIGHUP')
  process.kill(process.pid, 'SIGHUP')
}

/**
 * `mastodon-r2 help | head` ends quietly, and neither a terminal that vanished (EIO) nor a full disk
 * below a log file keeps the program from tidying up. Output lost otherwise is exit code 1.
 */
function quietBrokenPipes(): void {
  for (const stream of [process.stdin, process.stdout, process.stderr]) {
    stream.on('error', ({ code = '' }: NodeJS.ErrnoException) => {
      terminalGone ||= code === 'EIO'
      if (['EPIPE', 'EIO', 'ENXIO'].includes(code)) return
      outputLost = true
      process.exitCode ||= 1
    })
  }
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of process.stdin) chunks.push(Buffer.from(chunk as Uint8Array))
  return Buffer.concat(chunks).toString('utf8')
}

/** Node puts the terminal back as it was when it ends (ResetStdio in src/node.cc). */
function hushKeyboard(): void {
  if (!ownsTerminal()) return
  // Loaded when it is wanted, and at once: what is typed meanwhile would show.
  const { spawnSync } = process.getBuiltinModule('node:child_process')
  const stdio = ['inherit', 'ignore', 'ignore'] as const
  spawnSync('stty', ['-echo'], {
    stdio: [...stdio],
    timeout: 2_000,
    env: { PATH: process.env.PATH },
  })
}

/**
 * Whether this process is in the foreground of its terminal: another one that changes it is stopped
 * (SIGTTOU). Only Linux tells, in proc_pid_stat(5).
 */
function ownsTerminal(): boolean {
  try {
    const stat = readFileSync('/proc/self/stat', 'utf8')
    const [, , group, , , owner] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return group === owner
  } catch {
    return false
  }
}

const CTRL_C = 3
/** Milliseconds in which all is read that the terminal has kept. */
const READING_MS = 20

async function forgetTyped(): Promise<void> {
  const { stdin } = process
  if (!stdin.isTTY || !ownsTerminal()) return
  const drop = (chunk: Buffer | string) => {
    if (Buffer.from(chunk as string).includes(CTRL_C)) process.kill(process.pid, 'SIGINT')
  }
  // A line without an end is only given out so.
  stdin.setRawMode(true).on('data', drop).resume()
  await new Promise((resolve) => setTimeout(resolve, READING_MS))
  stdin.off('data', drop).pause()
  if (!stdin.readableEnded) stdin.setRawMode(false)
}

export interface Command {
  run(host: Host, argv: readonly string[]): Promise<number>
}

export interface CommandEntry {
  readonly name: string
  /** Other words that people type for it. */
  readonly also?: readonly string[]
  /** What somebody wants to do who needs it: a heading of the help screen. */
  readonly group: string
  /** One line of the help screen. */
  readonly line: string
  load(): Promise<Command>
}
