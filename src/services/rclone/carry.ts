import { Cancelled } from '../../core/problem.ts'
import { copyCommand, folderOf, redact } from './commands.ts'
import { expectFolder, type Group, leftOver, readLine, type Stream, type Tally } from './output.ts'
import { Gauge, type Measured, Pace, type Stride } from './pace.ts'
import type { CopyBatch, CopyListener, CopyPlace } from './port.ts'
import { failed, type Reason, refused, serviceOf, stillTooFast, unreachable } from './trouble.ts'

const LAST_WORDS = 3
const LINES_AT_ONCE = 1000
/** Large files under way at the same time: they fill the line, and leave some of it to the small ones. */
const LARGE_AT_ONCE = 4

export interface Carrying {
  readonly stream: Stream
  /** Until a service may be asked again; ends early when aborted. */
  readonly sleep: (ms: number, signal?: AbortSignal) => Promise<unknown>
  /** Milliseconds. */
  readonly now: () => number
  readonly pace: Pace
  readonly batch: CopyBatch
  readonly tally: Tally
  readonly told: CopyListener
  readonly signal: AbortSignal | undefined
}

/** Runs rclone, as often as it takes; every key of the group has been told when it resolves. */
export async function carry(at: Carrying, group: Group): Promise<void> {
  const { batch, tally, signal } = at
  /** What the network or a server failed at, once: rclone tries these ten times. */
  let thorough: readonly string[] = []
  const pending = () => group.keys.filter((key) => tally.isPending(key))
  for (let keys = pending(); keys.length > 0; keys = pending()) {
    if (signal?.aborted) throw new Cancelled()
    const stride = strideOf(at, keys.length)
    const isBrief = thorough.length === 0 && batch.isLarge !== true
    const those = thorough.length > 0 ? thorough : keys.slice(0, Math.ceil(stride.files))
    const ended = await runOnce(at, { ...group, keys: those }, { stride, isBrief })
    const left = those.filter((key) => tally.isPending(key))
    thorough = left.filter(
      (key) => ended.stoppedBy === 'remote' || tally.isAgain(key, 'thoroughly'),
    )
    await adapt(at, ended)
    if (ended.stoppedBy !== undefined || isAllSlow(ended)) continue
    const rest = left.filter((key) => !tally.isAgain(key))
    if (rest.length > 0) await expectFolder(batch.from)
    const isBroken = ended.exitCode !== 0 && rest.length > 0
    if (isBroken && (await dropStoppers(batch, rest, tally))) continue
    if (isBroken && (ended.exitCode === undefined || ended.gaveUp === 0)) {
      throw failed(ended.exitCode, ended.words)
    }
    for (const key of rest) await tellLeftOver(batch, key, tally)
  }
}

/** Nothing was granted: whatever was not mentioned had no turn. */
function isAllSlow({ slow, measured }: RunEnd): boolean {
  return slow !== undefined && measured.granted === 0
}

function strideOf({ batch, pace }: Carrying, waiting: number): Stride {
  const { transfers: given, latencyMs, from, isLarge } = batch
  if (isLarge) {
    const transfers = given ?? LARGE_AT_ONCE
    return { transfers, perSecond: undefined, files: Number.POSITIVE_INFINITY }
  }
  return pace.next({ given, latencyMs, requests: requestsOf(from), waiting })
}

/** What is in a bucket is read with a request of its own. */
function requestsOf(from: CopyPlace): number {
  return from.kind === 'bucket' ? 2 : 1
}

/** Large files are few: how they fare tells nothing of the rate, unless nothing at all gets through. */
async function adapt({ batch, pace, sleep, told, signal }: Carrying, { measured, slow }: RunEnd) {
  if (batch.isLarge && (measured.refused === 0 || measured.granted > 0)) return
  const before = pace.perSecond
  const verdict = pace.ended(measured)
  if (!slow) return
  if (verdict === 'gaveUp') throw stillTooFast(batch, slow)
  const { perSecond } = pace
  const isNews = verdict.wait > 0 || before === undefined
  if (isNews && perSecond !== undefined) {
    told.slower?.(serviceOf(batch, slow), verdict.wait, perSecond)
  }
  if (verdict.wait > 0) await sleep(verdict.wait * 1000, signal)
}

interface RunEnd {
  readonly exitCode: number | undefined
  /** The last that it said about no single object. */
  readonly words: readonly string[]
  /** Objects that it gave up. */
  readonly gaveUp: number
  readonly measured: Measured
  /** The last time that a service asked for less. */
  readonly slow: Reason | undefined
  /** It was stopped: too much was refused, or nothing gets through. */
  readonly stoppedBy: 'slow' | 'remote' | undefined
}

async function runOnce(
  { stream, batch, tally, signal, now }: Carrying,
  { contentType, keys }: Group,
  { stride, isBrief }: { readonly stride: Stride; readonly isBrief: boolean },
): Promise<RunEnd> {
  const stop = new AbortController()
  const words: string[] = []
  const heard: { stop?: Reason; slow?: Reason } = {}
  const givenBefore = tally.given
  tally.beginRun({ transfers: stride.transfers, isBrief })
  const { size = () => 0 } = batch
  const requests = requestsOf(batch.from)
  const gauge = new Gauge({ stride, files: keys.length, requests, size, now })
  const onLine = (line: string) => {
    const event = readLine(line)
    if (event?.is === 'said') {
      words.push(redact(event.message, [batch.from, batch.to]).slice(0, 300))
      if (words.length > LAST_WORDS) words.shift()
    }
    if (event?.is === 'copied') gauge.copied(event.key)
    const found = event && tally.take(event)
    if (!found) return
    if (found.kind === 'slow') {
      heard.slow = found
      gauge.refused()
      if (!Pace.isEnough(gauge.measured)) return
    }
    heard.stop ??= found
    stop.abort()
  }
  const { perSecond, transfers } = stride
  const folder = folderOf(batch)
  const command = copyCommand({ ...batch, transfers, perSecond, isBrief, contentType })
  const { exitCode } = await stream(command, {
    input: lines(keys),
    onLine,
    ...(folder?.as && { cwd: folder.path }),
    signal: stop.signal,
    ...(signal && { interrupted: signal }),
  })
  const { stop: reason, slow } = heard
  if (reason?.kind === 'refused' || reason?.kind === 'unreadable') throw refused(batch, reason)
  if (reason?.kind === 'remote' && !isBrief) throw unreachable(batch, reason)
  if (signal?.aborted) throw new Cancelled()
  const gaveUp = tally.given - givenBefore
  const stoppedBy = reason && (reason.kind === 'slow' ? 'slow' : 'remote')
  return { exitCode, words, gaveUp, measured: gauge.measured, slow, stoppedBy }
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
