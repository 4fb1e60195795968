import { lstat, readdir, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { Problem } from '../../core/problem.ts'
import { shellWord } from '../../core/shell-word.ts'
import type { Command } from '../process/port.ts'
import { contentTypeOf, extensionOf, UNKNOWN_TYPE } from './content-types.ts'
import { type CopyBatch, type CopyListener, type CopyPlace, unreadable } from './port.ts'
import { type Reason, readReason } from './trouble.ts'

/** What a line of rclone's log tells, as `--use-json-log --stats 1s -v` writes it (1.59 and later). */
export type RcloneEvent =
  | { readonly is: 'copied'; readonly key: string }
  /** `final`: rclone has given this object up. Other errors may be followed by success. */
  | {
      readonly is: 'error'
      readonly key: string
      readonly message: string
      readonly final: boolean
    }
  /** Bytes sent so far, repeated ones included, and bytes a second. */
  | { readonly is: 'moving'; readonly bytes: number; readonly speed: number }
  /** Something that is about no single object: a summary, a fatal error, the usage text. */
  | { readonly is: 'said'; readonly message: string }

interface LogLine {
  readonly level?: unknown
  readonly msg?: unknown
  readonly object?: unknown
  readonly stats?: { readonly bytes?: unknown; readonly speed?: unknown }
}

/**
 * An rclone that is told to end (1.68 and later) says so of every large file under way, and there is
 * nothing wrong with those.
 */
const CALLED_OFF = /\bcontext canceled\b/

/** Undefined for what nobody needs to know. */
export function readLine(line: string): RcloneEvent | undefined {
  const read = line.startsWith('{') ? parsed(line) : undefined
  if (!read) return line.trim() === '' ? undefined : { is: 'said', message: line.trim() }
  const { level, object, stats } = read
  const message = typeof read.msg === 'string' ? read.msg : ''
  if (typeof stats === 'object' && stats !== null) {
    return { is: 'moving', bytes: numberOf(stats.bytes), speed: numberOf(stats.speed) }
  }
  const failing = level === 'error' || level === 'critical' || level === 'fatal'
  if (typeof object === 'string' && !isRemote(read)) {
    if (failing) {
      const final = message.startsWith('Failed to copy') && !CALLED_OFF.test(message)
      return { is: 'error', key: object, message, final }
    }
    return /^(Multi-thread )?Copied \(/.test(message) ? { is: 'copied', key: object } : undefined
  }
  return failing ? { is: 'said', message } : undefined
}

/** `object` may also be the source or the bucket as a whole: `*local.Fs`, `*s3.Fs`. */
function isRemote(read: LogLine & { readonly objectType?: unknown }): boolean {
  return typeof read.objectType === 'string' && read.objectType.endsWith('.Fs')
}

function parsed(line: string): LogLine | undefined {
  try {
    return JSON.parse(line) as LogLine
  } catch {
    return undefined
  }
}

function numberOf(value: unknown): number {
  return typeof value === 'number' && Number.isFinite(value) && value > 0 ? value : 0
}

/** What is needed of `StreamPort.stream` here. */
export type Stream = (
  command: Command,
  options: {
    readonly input?: Iterable<string>
    readonly onLine: (line: string) => void
    readonly signal?: AbortSignal
    readonly interrupted?: AbortSignal
    readonly cwd?: string
  },
) => Promise<{ readonly exitCode: number | undefined; readonly aborted: boolean }>

/** So many in a row, or of the first ones, leave no doubt. */
const REFUSALS_IN_A_ROW = 20
const REFUSALS_AT_FIRST = 5
/** Objects that a source refuses one by one: so many in a row, without one that it gave, are all. */
const UNREADABLE_AT_FIRST = 100
const UNREADABLE_IN_A_ROW = 10_000

/** Who was told what of a batch; tells each key once. */
export class Tally {
  readonly #listener: CopyListener
  readonly #pending: Set<string>
  readonly #heard = new Map<string, string>()
  readonly #again = new Map<string, 'slow' | 'thoroughly'>()
  #remoteLimit = 0
  #isBrief = false
  readonly #hasRead: boolean
  #sentBefore = 0
  #sent = 0
  #copied = 0
  /** In this run of rclone. */
  #copiedNow = 0
  #refused = 0
  #failed = 0
  #inARow: { kind: Reason['kind']; count: number } | undefined
  /** Keys that rclone has given up so far. */
  given = 0
  lastRefusal: Reason | undefined

  constructor(
    { keys, hasRead = false }: Pick<CopyBatch, 'keys' | 'hasRead'>,
    listener: CopyListener,
  ) {
    this.#pending = new Set(keys)
    this.#hasRead = hasRead
    this.#listener = listener
  }

  /**
   * A run of rclone begins, with so many at a time; its bytes count from nought. `isBrief`: each object
   * is tried once, and what failed for no lasting reason is to be done again, thoroughly.
   */
  beginRun({ transfers, isBrief = false }: { transfers: number; isBrief?: boolean }): void {
    // Transfers at work fail together when the network goes.
    this.#remoteLimit = Math.max(50, 2 * transfers)
    this.#isBrief = isBrief
    this.#inARow = undefined
    this.#copiedNow = 0
    this.#again.clear()
    this.#sentBefore += this.#sent
    this.#sent = 0
  }

  /** Whether rclone gave it up in this run and it is to be done again (in that way). */
  isAgain(key: string, kind = this.#again.get(key)): boolean {
    return this.#again.has(key) && this.#again.get(key) === kind
  }

  /** Takes in what rclone told; gives the reason to stop it, once there is one. */
  take(event: RcloneEvent): Reason | undefined {
    if (event.is === 'moving') {
      this.#sent = event.bytes
      this.#listener.moving(this.#sentBefore + event.bytes, event.speed)
    }
    if (event.is === 'copied' && this.#pending.delete(event.key)) {
      this.#copied += 1
      this.#copiedNow += 1
      this.#inARow = undefined
      this.#listener.copied(event.key)
    }
    if (event.is !== 'error' || !this.#pending.has(event.key)) return undefined
    const reason = readReason(event.message)
    if (event.final) return this.#giveUp(event.key, reason)
    this.#heard.set(event.key, reason.text)
    return undefined
  }

  #giveUp(key: string, said: Reason): Reason | undefined {
    this.given += 1
    // A server that is busy, and not out of order: it takes others.
    const isBusy = this.#isBrief && said.status === 503 && this.#copiedNow > 0
    const reason: Reason = isBusy ? { ...said, kind: 'slow' } : said
    const isBriefly = this.#isBrief && (reason.kind === 'remote' || reason.kind === 'source')
    if (isBriefly || reason.kind === 'slow') {
      this.#heard.set(key, reason.text)
      this.#again.set(key, reason.kind === 'slow' ? 'slow' : 'thoroughly')
    }
    if (reason.kind === 'slow') return reason
    if (isBriefly) {
      const isMany = this.#count(reason) >= this.#remoteLimit
      return isMany && reason.kind === 'remote' ? reason : undefined
    }
    if (reason.kind === 'gone') this.vanished(key)
    else if (reason.kind === 'unreadable') this.failed(key, unreadable(reason.text))
    else this.failed(key, reason.text)
    if (reason.kind === 'refused') {
      this.#refused += 1
      this.lastRefusal = reason
    }
    const count = this.#count(reason)
    const limit = this.#copied === 0 ? REFUSALS_AT_FIRST : REFUSALS_IN_A_ROW
    if (reason.kind === 'refused' && count >= limit) return reason
    const hasRead = this.#hasRead || this.#copied > 0
    const most = hasRead ? UNREADABLE_IN_A_ROW : UNREADABLE_AT_FIRST
    if (reason.kind === 'unreadable' && count >= most) return reason
    if (reason.kind === 'remote' && count >= this.#remoteLimit) return reason
    return undefined
  }

  #count({ kind }: Reason): number {
    const count = this.#inARow?.kind === kind ? this.#inARow.count + 1 : 1
    this.#inARow = { kind, count }
    return count
  }

  isPending(key: string): boolean {
    return this.#pending.has(key)
  }

  /** What rclone said of a key without giving it up. */
  heard(key: string): string | undefined {
    return this.#heard.get(key)
  }

  failed(key: string, reason: string): void {
    if (!this.#pending.delete(key)) return
    this.#failed += 1
    this.#listener.failed(key, reason)
  }

  vanished(key: string): void {
    if (this.#pending.delete(key)) this.#listener.vanished(key)
  }

  /** Nothing was copied, and every failure was a refusal. */
  get onlyRefused(): boolean {
    return this.#copied === 0 && this.#refused > 0 && this.#refused === this.#failed
  }
}

/** Keys that one run of rclone can take. */
export interface Group {
  /** Undefined: rclone finds the type of each by itself. */
  readonly contentType: string | undefined
  readonly keys: readonly string[]
}

/**
 * As few groups as there must be. `right` are the extensions that rclone knows by itself; undefined
 * when the source is a bucket, from which rclone takes over the type that is stored there.
 */
export function groupByType(
  keys: readonly string[],
  right: ReadonlySet<string> | undefined,
): Group[] {
  const groups = new Map<string | undefined, string[]>()
  for (const key of keys) {
    const type = contentTypeOf(key)
    const contentType = isLeftToRclone(extensionOf(key), type, right) ? undefined : type
    const group = groups.get(contentType)
    if (group) group.push(key)
    else groups.set(contentType, [key])
  }
  return [...groups].map(([contentType, keys]) => ({ contentType, keys }))
}

function isLeftToRclone(
  extension: string,
  type: string,
  right: ReadonlySet<string> | undefined,
): boolean {
  if (!right) return type === UNKNOWN_TYPE
  // Without an extension there is nothing that it could guess from.
  return right.has(extension) || (type === UNKNOWN_TYPE && extension.length < 2)
}

/** What a file is that rclone was given and said nothing of. */
export type LeftOver =
  | { readonly is: 'there' }
  | { readonly is: 'vanished' }
  /** `stops`: rclone ends its whole run at such a name. */
  | { readonly is: 'failed'; readonly reason: string; readonly stops: boolean }

const REASONS: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'a link that leads to itself',
  ENAMETOOLONG: 'the name is too long',
  EIO: 'the disk could not read it',
}

/** Looks a file up. Exit code 0 is no proof: rclone passes over names that aren't there. */
export async function leftOver(from: CopyPlace, key: string): Promise<LeftOver> {
  if (from.kind === 'bucket') return { is: 'there' }
  const path = join(from.path, key)
  const code = await (from.look?.(key) ?? failureCode(stat(path)))
  if (code === undefined) return { is: 'there' }
  if (code === 'ENOENT') {
    const isLink = (await failureCode(lstat(path))) === undefined
    if (!isLink) return { is: 'vanished' }
    return { is: 'failed', reason: 'a link that leads nowhere', stops: false }
  }
  const reason = code === 'ENOTDIR' ? 'its folder is a file' : (REASONS[code] ?? code)
  return { is: 'failed', reason, stops: true }
}

/**
 * A folder that is gone or empty as a whole was unmounted or moved: its files have not vanished one by
 * one. Problem `media-gone`.
 */
export async function expectFolder(from: CopyPlace): Promise<void> {
  if (from.kind === 'bucket') return
  const entries = await readdir(from.path).catch(() => [])
  if (entries.length > 0) return
  throw new Problem({
    code: 'media-gone',
    what: `The folder ${from.path} is not there any more, or is empty.`,
    why: 'It was there when this began: it may have been unmounted, moved or deleted.',
    next: `Look at it, then run this again to go on:\n  ls ${shellWord(from.path)}`,
  })
}

async function failureCode(looking: Promise<unknown>): Promise<string | undefined> {
  return looking.then(
    () => undefined,
    (error: NodeJS.ErrnoException) => error.code ?? 'unknown',
  )
}
