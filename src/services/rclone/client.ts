import { mkdtempSync, writeFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout } from 'node:timers/promises'
import { Cancelled, Problem } from '../../core/problem.ts'
import { aboutCommand, copyCommand, installLine, redact, versionCommand } from './commands.ts'
import { contentTypeOf, knownExtensions } from './content-types.ts'
import {
  expectFolder,
  type Group,
  groupByType,
  leftOver,
  readLine,
  type Stream,
  Tally,
} from './output.ts'
import type { CopyBatch, CopyListener, RclonePort } from './port.ts'
import { failed, type Reason, refused, serviceOf, stillTooFast, unreachable } from './trouble.ts'

/** The first release that knows R2 (`--s3-provider Cloudflare`) and doesn't fail on its answers. */
const OLDEST = [1, 59] as const

/**
 * `1.60.1` of what `rclone version` says, `rclone v1.60.1-DEV`, or of what any command says with -vv,
 * `rclone: Version "v1.60.1-DEV" starting with parameters`.
 */
export function parseVersion(output: string): string | undefined {
  return /^(?:rclone |.*rclone: Version ")v(\d+\.\d+(?:\.\d+)?)/m.exec(output)?.[1]
}

/** Whether this release can do what is asked of it here. */
export function isNewEnough(version: string): boolean {
  const [major = 0, minor = 0] = version.split('.').map(Number)
  return major > OLDEST[0] || (major === OLDEST[0] && minor >= OLDEST[1])
}

async function rcloneMissing(): Promise<Problem> {
  return new Problem({
    code: 'rclone-missing',
    what: 'rclone is not installed on this machine.',
    why: 'It is the program that carries the media to R2.',
    next: `Install it, then run this again:\n  ${await installLine()}`,
  })
}

function rcloneTooOld(version: string): Problem {
  return new Problem({
    code: 'rclone-too-old',
    what: `rclone ${version} is too old for R2.`,
    why: `Version ${OLDEST.join('.')} or later is needed; older ones fail with R2's answers.`,
    next: 'Install a newer one as https://rclone.org/install/ says, then run this again.',
  })
}

/** What the rclone of this machine is like. */
export interface About {
  /** E.g. `1.60.1`; undefined when it did not say. */
  readonly version: string | undefined
  /**
   * Extensions to which it gives the right Content-Type by itself: its table is mixed with the
   * machine's own (/etc/mime.types and others). What is not among them has to be told to it.
   */
  readonly types: ReadonlySet<string>
}

/** One run of rclone, on a folder of empty files; never rejects. */
export async function askAbout(stream: Stream): Promise<About> {
  const types = new Set<string>()
  let version: string | undefined
  let folder: string | undefined
  try {
    // Files without content, written at once: faster than to wait for each.
    folder = mkdtempSync(join(tmpdir(), 'mastodon-r2-types-'))
    for (const extension of knownExtensions) writeFileSync(join(folder, `f${extension}`), '')
    const onLine = (line: string) => {
      version ??= parseVersion(line)
      const { Name = '', MimeType = '' } = entry(line)
      if (Name !== '' && MimeType === contentTypeOf(Name)) types.add(Name.slice(1))
    }
    await stream(aboutCommand(folder), { onLine })
    return { version, types }
  } catch {
    return { version, types: new Set() }
  } finally {
    if (folder !== undefined) {
      await rm(folder, { recursive: true, force: true }).catch(() => undefined)
    }
  }
}

/** One line of `rclone lsjson`: an object, with the comma before the next one. */
function entry(line: string): { readonly Name?: string; readonly MimeType?: string } {
  if (!line.startsWith('{')) return {}
  try {
    return JSON.parse(line.replace(/,$/, '')) as object
  } catch {
    return {}
  }
}

/**
 * Characters with which rclone writes what a storage can't hold (docs/content/overview.md, "Restricted
 * characters"), and those that end a line of its list or are no plain text to every S3 server.
 */
// biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for.
const CHANGED = /[\u0000-\u001f\u007f\u0085\u2028\u2029\u201b\u2400-\u2426\uff0f]|\p{Surrogate}/u

const PARTS: ReadonlySet<string> = new Set(['', '.', '..', '\uff0e', '\uff0e\uff0e'])

/**
 * Whether rclone can be told of a key on one line of `--files-from-raw` and stores it unchanged;
 * found by trying it with 1.60.1. Names that Mastodon makes up are all plain.
 */
export function canCarry(key: string): boolean {
  return !CHANGED.test(key) && !key.split('/').some((part) => PARTS.has(part))
}

const LAST_WORDS = 3
const LINES_AT_ONCE = 1000

/** Seconds that are waited for after one "slow down" after the other. */
const SLOWER = [5, 15, 30, 60] as const

/** How fast it may go: what a service asked for holds for all that follows. */
class Speed {
  #slowDowns = 0
  #most = Number.POSITIVE_INFINITY

  transfers(wished: number): number {
    return Math.min(wished, this.#most)
  }

  /** Seconds to wait; undefined when it was asked for too often. */
  slower(wished: number): number | undefined {
    this.#most = Math.max(1, Math.floor(this.transfers(wished) / 4))
    this.#slowDowns += 1
    return SLOWER[this.#slowDowns - 1]
  }
}

export interface RcloneOptions {
  readonly stream: Stream
  /** Until a service may be asked again; ends early when aborted. */
  readonly sleep?: (ms: number, signal?: AbortSignal) => Promise<unknown>
}

/** rclone through `StreamPort.stream`. */
export function connectRclone({ stream, sleep = pause }: RcloneOptions): RclonePort {
  const speed = new Speed()
  let asked: Promise<About> | undefined
  const about = () => {
    asked ??= askAbout(stream)
    return asked
  }
  const typesFor = async ({ from }: CopyBatch) => {
    return from.kind === 'bucket' ? undefined : (await about()).types
  }

  return {
    canCarry,
    contentType: contentTypeOf,

    async version() {
      try {
        const version = (await about()).version ?? (await askVersion(stream))
        if (!isNewEnough(version)) throw rcloneTooOld(version)
        return version
      } catch (error) {
        // It may be installed, or renewed, until it is asked again.
        asked = undefined
        throw error
      }
    },

    async copy(batch, listener, signal) {
      const told = guarded(batch, listener)
      const tally = new Tally(batch, told)
      for (const key of batch.keys) {
        if (!canCarry(key)) tally.failed(key, 'a name that rclone can not be told')
      }
      const keys = batch.keys.filter((key) => tally.isPending(key))
      if (keys.length === 0) return
      for (const group of groupByType(keys, await typesFor(batch))) {
        await carry({ stream, sleep, speed, batch, tally, told, signal }, group)
      }
      if (tally.onlyRefused && tally.lastRefusal) throw refused(batch, tally.lastRefusal)
    },
  }
}

/** Where nothing else told it; says what is wrong with a program that is none of rclone's. */
async function askVersion(stream: Stream): Promise<string> {
  const output: string[] = []
  const onLine = (line: string) => void output.push(line)
  await orMissing(stream(versionCommand(), { onLine }))
  const version = parseVersion(output.join('\n'))
  if (version === undefined) throw failed(1, output.slice(0, LAST_WORDS))
  return version
}

interface Carrying extends Required<RcloneOptions> {
  readonly speed: Speed
  readonly batch: CopyBatch
  readonly tally: Tally
  readonly told: CopyListener
  readonly signal: AbortSignal | undefined
}

/** Runs rclone; every key of the group has been told when it resolves. */
async function carry(at: Carrying, group: Group): Promise<void> {
  const { stream, batch, tally, signal } = at
  const pending = () => group.keys.filter((key) => tally.isPending(key))
  for (let keys = pending(); keys.length > 0; keys = pending()) {
    if (signal?.aborted) throw new Cancelled()
    const transfers = at.speed.transfers(batch.transfers)
    const ended = await runOnce(stream, { ...batch, transfers }, { ...group, keys }, tally, signal)
    tally.nextRun()
    if (ended.slow) {
      await slowDown(at, ended.slow)
      continue
    }
    const rest = pending()
    if (rest.length > 0) await expectFolder(batch.from)
    const isBroken = ended.exitCode !== 0 && rest.length > 0
    if (isBroken && (await dropStoppers(batch, rest, tally))) continue
    if (isBroken && (ended.exitCode === undefined || ended.gaveUp === 0)) {
      throw failed(ended.exitCode, ended.words)
    }
    for (const key of rest) await tellLeftOver(batch, key, tally)
  }
}

async function slowDown({ batch, speed, sleep, told, signal }: Carrying, reason: Reason) {
  const seconds = speed.slower(batch.transfers)
  if (seconds === undefined) throw stillTooFast(batch, reason)
  told.slower?.(serviceOf(batch, reason), seconds, speed.transfers(batch.transfers))
  await sleep(seconds * 1000, signal)
}

/** Ends early, and without an error, when aborted: what follows tells of that. */
async function pause(ms: number, signal?: AbortSignal): Promise<void> {
  await setTimeout(ms, undefined, signal ? { signal } : {}).catch(() => undefined)
}

interface RunEnd {
  readonly exitCode: number | undefined
  /** The last that it said about no single object. */
  readonly words: readonly string[]
  /** Objects that it gave up. */
  readonly gaveUp: number
  /** It was stopped for this. */
  readonly slow: Reason | undefined
}

async function runOnce(
  stream: Stream,
  batch: CopyBatch,
  { contentType, keys }: Group,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<RunEnd> {
  const stop = new AbortController()
  const words: string[] = []
  let reason: Reason | undefined
  const givenBefore = tally.given
  const onLine = (line: string) => {
    const event = readLine(line)
    if (event?.is === 'said') {
      words.push(redact(event.message, [batch.from, batch.to]).slice(0, 300))
      if (words.length > LAST_WORDS) words.shift()
    }
    const found = event && tally.take(event)
    reason ??= found
    if (reason) stop.abort()
  }
  const { exitCode } = await orMissing(
    stream(copyCommand({ ...batch, contentType }), {
      input: lines(keys),
      onLine,
      ...(batch.from.kind === 'folder' && batch.from.as && { cwd: batch.from.path }),
      signal: stop.signal,
      ...(signal && { interrupted: signal }),
    }),
  )
  if (reason?.kind === 'refused' || reason?.kind === 'unreadable') throw refused(batch, reason)
  if (reason && reason.kind !== 'slow') throw unreachable(batch, reason)
  if (signal?.aborted) throw new Cancelled()
  return { exitCode, words, gaveUp: tally.given - givenBefore, slow: reason }
}

/** One name that can't be looked up (its folder may not be entered) makes rclone give up all. */
async function dropStoppers(
  { from }: CopyBatch,
  keys: readonly string[],
  tally: Tally,
): Promise<boolean> {
  let dropped = false
  for (const key of keys) {
    const left = await leftOver(from, key)
    if (left.is !== 'failed' || !left.stops) continue
    dropped = true
    tally.failed(key, left.reason)
  }
  return dropped
}

async function tellLeftOver({ from }: CopyBatch, key: string, tally: Tally): Promise<void> {
  const heard = tally.heard(key)
  const left = await leftOver(from, key)
  if (left.is === 'vanished') tally.vanished(key)
  else if (heard !== undefined) tally.failed(key, heard)
  else tally.failed(key, left.is === 'failed' ? left.reason : 'rclone did not mention it')
}

/** Many lines a write: each write wakes rclone up. */
function* lines(keys: readonly string[]): Generator<string> {
  for (let at = 0; at < keys.length; at += LINES_AT_ONCE) {
    yield keys
      .slice(at, at + LINES_AT_ONCE)
      .map((key) => `${key}\n`)
      .join('')
  }
}

/** Reasons are rclone's words: nothing secret leaves with them. */
function guarded({ from, to }: CopyBatch, listener: CopyListener): CopyListener {
  return {
    copied: (key) => listener.copied(key),
    vanished: (key) => listener.vanished(key),
    moving: (bytes, speed) => listener.moving(bytes, speed),
    slower: (...told) => listener.slower?.(...told),
    failed: (key, reason) => listener.failed(key, redact(reason, [from, to])),
  }
}

async function orMissing<T>(running: Promise<T>): Promise<T> {
  try {
    return await running
  } catch (error) {
    if (error instanceof Problem && error.code === 'program-missing') throw await rcloneMissing()
    throw error
  }
}
