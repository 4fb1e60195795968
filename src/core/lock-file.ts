import { constants } from 'node:fs'
import { lstat, open, readFile, readlink, unlink, writeFile } from 'node:fs/promises'
import { hostname } from 'node:os'
import { setTimeout as sleep } from 'node:timers/promises'
import { readPlain } from './plain-file.ts'
import { codeOf, diskTrouble, Problem } from './problem.ts'

/** Who holds the lock, as the file keeps it. */
export interface LockHolder {
  readonly pid: number
  readonly host: string
  /** Changes with every start of the machine; empty where the system doesn't tell. */
  readonly boot: string
  /** The namespace that `pid` counts in: a container has its own. */
  readonly pids: string
  /** Start time of the process in clock ticks since boot (proc(5), stat field 22). */
  readonly started: string
  readonly command: string
  /** RFC 3339. */
  readonly since: string
}

type Found =
  | { readonly is: 'held'; readonly by: LockHolder | undefined }
  | { readonly is: 'stale'; readonly text: string }
  | { readonly is: 'gone' }
  /** `what` lies there, which is no lock. */
  | { readonly is: 'odd'; readonly what: string }

/** Milliseconds after which a lock without readable content is one whose writing was cut off. */
const HALF_WRITTEN_MS = 5_000
const TRIES = 20
const PAUSE_MS = 20

/** What a lock that can't be taken is to the person. */
export interface LockWords {
  /** `holder` is unknown where the file does not tell it. */
  locked(path: string, holder: LockHolder | undefined): Problem
  /** What else can be done where the lock can't be written, one sentence. */
  readonly elsewhere?: string
}

/**
 * Makes a file that keeps a second run away; one whose process is gone is taken over. Returns the
 * release. Problems: that of `locked`, and `lock-not-writable`.
 */
export async function lockFile(
  path: string,
  { pid, command }: { readonly pid: number; readonly command: string },
  words: LockWords,
): Promise<() => Promise<void>> {
  const text = await textFor(pid, command)
  for (let attempt = 1; ; attempt += 1) {
    if (await create(path, text, words)) return () => release(path, text)
    const found = await look(path)
    if (found.is === 'odd') throw notALock(path, found.what)
    if (found.is === 'held' || attempt === TRIES) {
      throw words.locked(path, found.is === 'held' ? found.by : undefined)
    }
    if (found.is === 'stale') await takeAway(path, found.text, words)
  }
}

/** Notes whose a new folder is, for `isAbandoned`. Throws the system's error. */
export async function noteHolder(
  path: string,
  { pid, command }: { readonly pid: number; readonly command: string },
): Promise<void> {
  await writeFile(path, await textFor(pid, command), { mode: 0o600, flag: 'wx' })
}

/** Whether it is told there whose it was, and that process is surely gone. */
export async function isAbandoned(path: string): Promise<boolean> {
  const found = await look(path)
  return found.is === 'stale' && parse(found.text) !== undefined
}

async function textFor(pid: number, command: string): Promise<string> {
  return `${JSON.stringify({ ...(await identity(pid)), command, since: now() })}\n`
}

/** Before the first change: a run that can't keep others away does nothing. */
export function lockNotWritable(path: string, cause: unknown, elsewhere?: string): Problem {
  const next = 'Put that right and run this again.'
  return new Problem(
    {
      code: 'lock-not-writable',
      what: `The lock ${path} can't be written.`,
      why: `${diskTrouble(codeOf(cause))} Nothing was changed.`,
      next: elsewhere === undefined ? next : `${next} ${elsewhere}`,
      exit: 2,
    },
    { cause },
  )
}

/** One sentence: who it is and since when. Safe to print, whatever stands in the file. */
export function holderInWords(path: string, holder: LockHolder | undefined): string {
  if (holder === undefined) {
    return `The lock ${path} is there; it does not tell whose it is, or belongs to another user.`
  }
  const { command, pid, host, since } = holder
  return `"mastodon-r2 ${tame(command)}" (process ${pid} on ${tame(host)}) works on it since ${tame(since)}.`
}

function tame(word: string): string {
  return word.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, 80)
}

async function identity(pid: number): Promise<Omit<LockHolder, 'command' | 'since'>> {
  const [boot, pids, started] = await Promise.all([bootId(), pidNamespace(), startOf(pid)])
  return { pid, host: hostname(), boot, pids, started: started ?? '' }
}

/** false when there is a lock already. */
async function create(path: string, text: string, words: LockWords): Promise<boolean> {
  const { O_CREAT, O_EXCL, O_WRONLY, O_NOFOLLOW } = constants
  try {
    const handle = await open(path, O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW, 0o600)
    try {
      await handle.writeFile(text)
    } catch (error) {
      await unlink(path).catch(() => undefined)
      throw error
    } finally {
      await handle.close()
    }
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw lockNotWritable(path, error, words.elsewhere)
  }
}

/** Bytes; a lock of ours holds some hundred. */
const LARGEST = 4_096

const ODD: Readonly<Record<string, string>> = {
  ELOOP: 'a link',
  EISDIR: 'a folder',
  ENOTSUP: 'a pipe, a socket or a device',
  ENXIO: 'a socket or a device',
  EFBIG: 'a large file',
}

async function look(path: string): Promise<Found> {
  try {
    const { bytes, stat } = await readPlain(path, { most: LARGEST })
    const text = bytes.toString('utf8')
    const holder = parse(text)
    if (holder) return (await isAlive(holder)) ? { is: 'held', by: holder } : { is: 'stale', text }
    const fresh = Date.now() - stat.mtimeMs < HALF_WRITTEN_MS
    return fresh ? { is: 'held', by: undefined } : { is: 'stale', text }
  } catch (error) {
    const code = codeOf(error)
    const what = ODD[code]
    if (what !== undefined) return { is: 'odd', what }
    return code === 'ENOENT' ? { is: 'gone' } : { is: 'held', by: undefined }
  }
}

async function textOf(path: string): Promise<string> {
  return (await readPlain(path, { most: LARGEST })).bytes.toString('utf8')
}

function notALock(path: string, what: string): Problem {
  const remove = what === 'a folder' ? 'rmdir' : 'rm'
  return new Problem({
    code: 'lock-not-a-file',
    what: `Where the lock has to be, there is ${what}: ${path}`,
    why: 'This tool makes a plain file there to keep a second run away, and did not make this. Nothing was changed.',
    next: `See what it is: ls -ld ${path}\nIf nothing needs it, remove it and run this again: ${remove} ${path}`,
    exit: 2,
  })
}

/** Where it can't be known (another machine, another container), the holder counts as alive. */
async function isAlive(holder: LockHolder): Promise<boolean> {
  const [boot, pids, started] = await Promise.all([bootId(), pidNamespace(), startOf(holder.pid)])
  if (holder.host !== hostname()) return true
  if (holder.boot !== boot) return false
  if (holder.pids !== pids) return true
  return started !== undefined && started === holder.started
}

/**
 * One at a time, or somebody who saw the stale lock would remove the new one of somebody else. The
 * guard lives for an instant; one that is older was left by a killed run.
 */
async function takeAway(path: string, stale: string, words: LockWords): Promise<void> {
  const guard = `${path}.takeover`
  if (!(await create(guard, '', words))) {
    await sleep(PAUSE_MS)
    const { mtimeMs } = await lstat(guard).catch(() => ({ mtimeMs: Date.now() }))
    if (Date.now() - mtimeMs > HALF_WRITTEN_MS) await unlink(guard).catch(() => undefined)
    return
  }
  try {
    if ((await textOf(path)) === stale) await unlink(path)
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw lockNotWritable(path, error, words.elsewhere)
  } finally {
    await unlink(guard).catch(() => undefined)
  }
}

/** A lock that is no longer ours stays. */
async function release(path: string, text: string): Promise<void> {
  try {
    if ((await textOf(path)) === text) await unlink(path)
  } catch {
    // The folder is gone or may no longer be written: the next run sees that this process ended.
  }
}

function parse(text: string): LockHolder | undefined {
  try {
    const value: unknown = JSON.parse(text)
    if (typeof value !== 'object' || value === null) return undefined
    const { pid, host, boot, pids, started, command, since } = value as Record<string, unknown>
    if (typeof pid !== 'number' || !Number.isSafeInteger(pid) || pid <= 0) return undefined
    const words = { host, boot, pids, started, command, since }
    if (!Object.values(words).every((word) => typeof word === 'string')) return undefined
    return { pid, ...words } as LockHolder
  } catch {
    return undefined
  }
}

function bootId(): Promise<string> {
  return readFile('/proc/sys/kernel/random/boot_id', 'utf8').then(
    (text) => text.trim(),
    () => '',
  )
}

function pidNamespace(): Promise<string> {
  return readlink('/proc/self/ns/pid').catch(() => '')
}

/**
 * undefined when there is no such process, or it has ended and its parent did not ask for that yet (a
 * zombie). A name in parentheses may hold blanks and parentheses.
 */
async function startOf(pid: number): Promise<string | undefined> {
  const text = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => undefined)
  const fields = text?.slice(text.lastIndexOf(')') + 2).split(' ')
  return /^[ZXx]$/.test(fields?.[0] ?? '') ? undefined : fields?.[19]
}

function now(): string {
  return new Date().toISOString().replace(/\.\d+Z$/, 'Z')
}
