import { type ChildProcess, spawn } from 'node:child_process'
import { chmodSync, cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { shellWord } from '../../src/core/shell-word.ts'
import { strayLines, wrongLines } from '../fakes/shown-lines.ts'
import { builtProgram } from './built-program.ts'

export interface RunOptions {
  readonly cwd: string
  readonly env: Readonly<Record<string, string | undefined>>
  /** Given on standard input; without it there is nothing to read. */
  readonly input?: string
  /** As a user who may not read or write what belongs to root. */
  readonly unprivileged?: boolean
  /** Milliseconds; a program that is still there then is killed, and the test fails. */
  readonly limitMs?: number
}

export interface Ended {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

export interface Running {
  readonly pid: number
  readonly child: ChildProcess
  /** What it wrote so far, both streams. */
  said(): string
  readonly ended: Promise<Ended>
}

const NOBODY = 65_534

/** What stands before a line that takes root: nothing where the tests are root's. */
export const SUDO = process.getuid?.() === 0 ? '' : 'sudo '
export const cli = await builtProgram()
/** Another program than the built one is to be tried. */
export const PROGRAM_GIVEN = Boolean(process.env.MASTODON_R2_TEST_PROGRAM)
/** How a line to type begins: the single file has its own name there. */
export const PROGRAM = PROGRAM_GIVEN ? shellWord(cli) : 'npx mastodon-r2'

let copy: string | undefined

/** The program where every user can get at it, wherever this checkout lies. */
function reachable(): string {
  if (copy !== undefined) return join(copy, 'dist/cli.js')
  const folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-for-all-'))
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  const from = dirname(dirname(cli))
  for (const name of ['dist', 'templates', 'package.json']) {
    cpSync(join(from, name), join(folder, name), { recursive: true })
  }
  chmodSync(folder, 0o755)
  copy = folder
  return join(folder, 'dist/cli.js')
}

/** Starts the built program as a user's shell would. It never outlives its limit. */
export function start(args: readonly string[], options: RunOptions): Running {
  const { cwd, env, input, limitMs = 45_000 } = options
  const other = options.unprivileged === true && process.getuid?.() === 0
  const child = spawn(other ? reachable() : cli, args, {
    cwd,
    env: { PATH: `${dirname(process.execPath)}:${process.env.PATH}`, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
    ...(other && { uid: NOBODY, gid: NOBODY }),
  })
  child.stdin.on('error', () => undefined)
  if (input !== undefined) child.stdin.end(input)
  else if (!args.includes('--attached')) child.stdin.end()
  const [out, err]: [Buffer[], Buffer[]] = [[], []]
  child.stdout.on('data', (chunk: Buffer) => out.push(chunk))
  child.stderr.on('data', (chunk: Buffer) => err.push(chunk))
  const text = (chunks: Buffer[]) => Buffer.concat(chunks).toString('utf8')
  const said = () => text(out) + text(err)
  const ended = new Promise<Ended>((resolve, reject) => {
    const limit = setTimeout(() => {
      child.kill('SIGKILL')
      reject(new Error(`Still there after ${limitMs} ms: ${args.join(' ')}\n${said()}`))
    }, limitMs)
    child.on('error', reject)
    child.on('close', (code, signal) => {
      clearTimeout(limit)
      const end = { code, signal, stdout: text(out), stderr: text(err) }
      refuseWrongLines(end, args).then(() => resolve(end), reject)
    })
  })
  ended.catch(() => undefined)
  return { pid: child.pid ?? 0, child, said, ended }
}

/** Whatever a run tells to type, the program has to take, and it leads to where the run was. */
export async function refuseWrongLines(
  { stdout, stderr }: Pick<Ended, 'stdout' | 'stderr'>,
  argv: readonly string[],
): Promise<void> {
  const wrong = (await Promise.all([stdout, stderr].map(wrongLines))).flat()
  if (wrong.length > 0) throw new Error(`A line was shown that is none:\n${wrong.join('\n')}`)
  const astray = [stdout, stderr].flatMap((text) => strayLines(text, argv))
  if (astray.length > 0) throw new Error(`A line leads elsewhere:\n${astray.join('\n')}`)
}

export function run(args: readonly string[], options: RunOptions): Promise<Ended> {
  return start(args, options).ended
}
