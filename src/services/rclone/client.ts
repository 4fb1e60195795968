import { Cancelled, Problem } from '../../core/problem.ts'
import { type About, askAbout } from './about.ts'
import { canCarry } from './can-carry.ts'
import { copyCommand, inherits, versionCommand } from './commands.ts'
import { contentTypeOf } from './content-types.ts'
import { type Group, groupByType } from './groups.ts'
import { expectFolder, leftOver } from './left-over.ts'
import { readLine } from './output.ts'
import type { CopyBatch, CopyListener, RclonePort } from './port.ts'
import type { Reason } from './reason.ts'
import { redact } from './redact.ts'
import type { Stream } from './stream.ts'
import { Tally } from './tally.ts'
import { failed, refused, unreachable } from './trouble.ts'
import { isNewEnough, parseVersion, rcloneMissing, rcloneTooOld } from './version.ts'

const LAST_WORDS = 3
const LINES_AT_ONCE = 1000

/** rclone through `StreamPort.stream`. */
export function connectRclone({ stream }: { readonly stream: Stream }): RclonePort {
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
      const tally = new Tally(batch.keys, batch.transfers, guarded(batch, listener))
      for (const key of batch.keys) {
        if (!canCarry(key)) tally.failed(key, 'a name that rclone can not be told')
      }
      const keys = batch.keys.filter((key) => tally.isPending(key))
      if (keys.length === 0) return
      for (const group of groupByType(keys, await typesFor(batch))) {
        await carry(stream, batch, group, tally, signal)
      }
      if (tally.onlyRefused && tally.lastRefusal) throw refused(batch, tally.lastRefusal)
    },
  }
}

/** Where nothing else told it; says what is wrong with a program that is none of rclone's. */
async function askVersion(stream: Stream): Promise<string> {
  const output: string[] = []
  const onLine = (line: string) => void output.push(line)
  await orMissing(stream(versionCommand(), { onLine, inherits }))
  const version = parseVersion(output.join('\n'))
  if (version === undefined) throw failed(1, output.slice(0, LAST_WORDS))
  return version
}

/** Runs rclone; every key of the group has been told when it resolves. */
async function carry(
  stream: Stream,
  batch: CopyBatch,
  group: Group,
  tally: Tally,
  signal: AbortSignal | undefined,
): Promise<void> {
  const pending = () => group.keys.filter((key) => tally.isPending(key))
  for (let keys = pending(); keys.length > 0; keys = pending()) {
    if (signal?.aborted) throw new Cancelled()
    const ended = await runOnce(stream, batch, { ...group, keys }, tally, signal)
    tally.nextRun()
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

interface RunEnd {
  readonly exitCode: number | undefined
  /** The last that it said about no single object. */
  readonly words: readonly string[]
  /** Objects that it gave up. */
  readonly gaveUp: number
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
      inherits,
      signal: stop.signal,
      ...(signal && { interrupted: signal }),
    }),
  )
  if (reason?.kind === 'refused') throw refused(batch, reason)
  if (reason) throw unreachable(batch.to.endpoint, reason)
  if (signal?.aborted) throw new Cancelled()
  return { exitCode, words, gaveUp: tally.given - givenBefore }
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
