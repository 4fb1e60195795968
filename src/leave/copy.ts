import { bytesOf, count, counted } from '../core/amounts.ts'
import { Cancelled, Problem } from '../core/problem.ts'
import { prose, type Text } from '../core/to-type.ts'
import { kept, Tally } from '../moving/tally.ts'
import type { Change, Finding, StepIn } from '../plan/step.ts'
import { SENT_IN_PARTS } from '../services/rclone/port.ts'
import { DISK_FULL } from '../services/rclone/trouble.ts'
import { hideSuspended, hidesSuspended, howHidden } from './hide.ts'
import type { ClosableFile, Destination, Failed, Leaving } from './leaving.ts'
import { lookAtSides, type Sides, type Wanted } from './sides.ts'
import { notAll, warned } from './warnings.ts'

/** Files and bytes that are brought before they are put in their places. */
const BATCH_FILES = 2_000
const BATCH_BYTES = 1_073_741_824
/** What is left free on the disk, bytes. */
const SPARE = 1_073_741_824
const NAMED = 5

/**
 * `copy`: all that the destination lacks. The rest belongs to a cut-over: `catch-up` repeats until
 * little is left, `last` runs while Mastodon rests, `after` brings what was stored in between.
 */
export type LeaveRound = 'copy' | 'catch-up' | 'last' | 'after'

function wordsOf(round: LeaveRound, { it, words }: Destination) {
  const { fetch } = words
  const all: Record<LeaveRound, { id: string; title: string; will: string }> = {
    copy: { id: 'copy', title: `Copy to ${it}`, will: '' },
    'catch-up': {
      id: 'copy-catch-up',
      title: 'Copy until little is left',
      will: `${fetch} what ${it} lacks, and again what came meanwhile`,
    },
    last: { id: 'copy-last', title: 'Last copy', will: `${fetch} what came meanwhile` },
    after: {
      id: 'copy-after',
      title: 'Copy what came in between',
      will: `${fetch} what was still stored on R2 during the switch`,
    },
  }
  return all[round]
}

const MOST_ROUNDS = 5
/** So few files the last copy brings as well. */
const FEW = 20
/**
 * What took so long to upload may be stamped with its begin (S3 says so of uploads in parts), and be listed
 * at its end: what was deleted meanwhile may be brought again, and nothing is taken for deleted.
 */
const LONGEST_UPLOAD_MS = 3_600_000
/** S3 tells its clock to the second; no process of Mastodon starts anew sooner. */
const SECOND_MS = 1_000

/** What came of the copies of one step. */
class Copied {
  objects = 0
  bytes = 0
  failures = 0
  isFull = false
  /** The first few that could not be brought. */
  readonly failed: Failed[] = []
  /** As the last pass has found them, before it brought anything. */
  sides: Sides | undefined
  readonly #note: Leaving['note']

  constructor({ note }: Pick<Leaving, 'note'>) {
    this.#note = note
  }

  brought(bytes: number): void {
    this.objects += 1
    this.bytes += bytes
  }

  /** All of them stand in the log; a few are kept. */
  fail(key: string, reason: string): void {
    this.failures += 1
    if (reason === DISK_FULL) this.isFull = true
    this.#note(`not copied: ${JSON.stringify(key)}: ${reason}`)
    if (this.failed.length < NAMED) this.failed.push({ key: kept(key), reason })
  }
}

/**
 * Brings to the destination what it lacks, and what Mastodon has stored anew on R2 since it was brought.
 * All else that is there stays as it is; on a disk a file has its name only once it is whole. A run
 * that was cut off is gone on with.
 */
export function copyThere(at: Leaving, round: LeaveRound = 'copy'): StepIn<unknown> {
  const { there } = at
  const { id, title, will } = wordsOf(round, there)
  let copied: Copied | undefined
  let notHidden: readonly Text[] = []
  return {
    id,
    title,

    async look(): Promise<Finding> {
      if (copied) return outcome(at, round, copied, notHidden)
      if (round !== 'copy') {
        const hides = round === 'catch-up' ? await hidesSuspended(at) : []
        return { is: 'change', changes: [{ what: will, risk: 'safe' }, ...hides] }
      }
      const sides = await lookAtSides(at)
      at.tell('')
      const { objects, bytes } = toBring(sides)
      const told = warned(at, sides)
      if (objects === 0) return { is: 'ready', note: noteOf(at, sides), ...told }
      await at.rclone.version()
      const free = await there.free()
      if (free !== undefined && free < bytes + SPARE)
        return { is: 'blocked', problem: tooSmall(at, bytes, free) }
      const hidden = await at.hidden()
      const changes = changesOf(at, sides, hidden)
      return { is: 'change', changes, ...told }
    },

    async change() {
      const done = new Copied(at)
      copied = done
      // By R2's own clock, which also tells when an object was stored.
      const began = await at.bucket().serverTime()
      at.complete.begunAt ??= began?.getTime()
      if (round === 'catch-up') notHidden = await hideSuspended(at)
      const most = round === 'catch-up' ? MOST_ROUNDS : 1
      for (let nth = 1; nth <= most; nth += 1) {
        const before = done.objects
        done.sides = await bringWanted(at, done)
        // Found only after a switch, it would leave posts with the wrong picture.
        if (round === 'catch-up' && !at.isSwitched && done.sides.differs.objects > 0)
          throw notAll(at, { ...done.sides, missing: new Tally(), renewed: new Tally() })
        if (done.failures > 0 || done.objects - before <= FEW) break
      }
      if (round === 'after') notHidden = await hideSuspended(at)
      if (round === 'last' && began && done.failures === 0) await complete(at, began)
      return {}
    },

    reached: () => copied && broughtLine(at, copied),
  }
}

/** From here on Mastodon may store at the destination. */
async function complete({ complete, there, isSwitched }: Leaving, began: Date): Promise<void> {
  complete.until = began.getTime() - LONGEST_UPLOAD_MS
  if (isSwitched) return
  const ended = await there.time().catch(() => undefined)
  complete.switchedAt = ended && ended.getTime() + SECOND_MS
}

function toBring({ missing, renewed }: Sides) {
  return { objects: missing.objects + renewed.objects, bytes: missing.bytes + renewed.bytes }
}

/** One pass over both sides, what is wanted brought as it is found. */
async function bringWanted(at: Leaving, done: Copied): Promise<Sides> {
  const { there } = at
  const hidden = await at.hidden()
  let waiting: Wanted[] = []
  let bytes = 0
  const carry = async () => {
    const batch = waiting
    waiting = []
    bytes = 0
    await bringBatch(at, batch, { done, hidden })
  }
  const onWanted = async (wanted: readonly Wanted[]) => {
    for (const one of wanted) {
      waiting.push(one)
      bytes += one.object.size
      if (waiting.length >= BATCH_FILES || bytes >= BATCH_BYTES) await carry()
    }
  }
  await there.open()
  try {
    const sides = await lookAtSides(at, { onWanted })
    if (waiting.length > 0) await carry()
    return sides
  } finally {
    await there.close()
    at.tell('')
  }
}

interface Bringing {
  readonly done: Copied
  readonly hidden: ReadonlySet<string>
}

async function bringBatch(
  at: Leaving,
  batch: readonly Wanted[],
  { done, hidden }: Bringing,
): Promise<void> {
  const { rclone, there, signal, transfers } = at
  const wanted = new Map(batch.map((one) => [one.object.key, one]))
  const size = (key: string) => wanted.get(key)?.object.size ?? 0
  const isClosed = (key: string) => there.isClosed(key, hidden)
  const fileOf = (key: string): ClosableFile => {
    return { key, isClosed: isClosed(key), replaces: wanted.get(key)?.replaces }
  }
  const brought: string[] = []
  const listener = {
    copied: (key: string) => void brought.push(key),
    failed: (key: string, reason: string) => done.fail(key, reason),
    // Mastodon has deleted it meanwhile.
    vanished: () => undefined,
    moving: (bytes: number) => at.tell(broughtLine(at, done, bytes)),
    slower: (service: string, seconds: number) =>
      at.say(`${service} asks to go on more slowly; waiting ${seconds} s.`),
  }
  const place = async () => {
    const files = brought.splice(0).map(fileOf)
    const failed = await there.place(files)
    const bad = new Set(failed.map(({ key }) => key))
    for (const { key, reason } of failed) done.fail(key, reason)
    for (const { key } of files) if (!bad.has(key)) done.brought(size(key))
  }
  const carried = batch.map(({ object }) => object).filter(({ key }) => rclone.canCarry(key))
  const kinds = there.closedApart ? [false, true] : [undefined]
  const groups = [false, true].flatMap((isLarge) => kinds.map((apart) => ({ isLarge, apart })))
  for (const { isLarge, apart } of groups) {
    const keys = carried.flatMap(({ key, size: bytes }) => {
      const isOfIt = apart === undefined || isClosed(key) === apart
      return bytes > SENT_IN_PARTS === isLarge && isOfIt ? [key] : []
    })
    if (keys.length === 0) continue
    const asked = { from: at.from, to: there.to(apart === true), keys, isLarge, transfers, size }
    try {
      await rclone.copy({ ...asked, hasRead: done.objects > 0 }, listener, signal)
    } finally {
      // What a stopped run has brought need not be brought again.
      await place()
    }
  }
  if (done.isFull) throw full(at)
  for (const { key, size: bytes } of batch.map(({ object }) => object)) {
    if (signal.aborted) throw new Cancelled()
    if (!rclone.canCarry(key)) await bringAlone(at, fileOf(key), bytes, done)
  }
  at.tell(broughtLine(at, done))
}

/** A name that rclone can't be told of; none that Mastodon makes up is like that. */
async function bringAlone(
  { there, bucket }: Leaving,
  file: ClosableFile,
  bytes: number,
  done: Copied,
): Promise<void> {
  try {
    await there.add(file, (await bucket().get(file.key)).body)
    done.brought(bytes)
  } catch (error) {
    if (error instanceof Cancelled) throw error
    done.fail(file.key, error instanceof Problem ? error.what : String((error as Error).message))
  }
}

function broughtLine({ there }: Leaving, { objects, bytes }: Copied, moving = 0): string {
  return `${counted(objects, 'file')}, ${bytesOf(bytes + moving)} ${there.words.fetched}`
}

function noteOf({ there }: Leaving, { same, differs }: Sides): string {
  return `all of the bucket is ${there.words.on}: ${counted(same.objects + differs.objects, 'file')}, ${bytesOf(same.bytes + differs.bytes)}`
}

function changesOf(at: Leaving, sides: Sides, hidden: ReadonlySet<string>): readonly Change[] {
  const { there } = at
  const { same, renewed } = sides
  const { objects, bytes } = toBring(sides)
  const have = same.objects === 0 ? '' : `; ${count(same.objects)} are there already`
  const anew =
    renewed.objects === 0 ? '' : `, of these ${count(renewed.objects)} stored anew since they came`
  const how = howHidden(at)
  const closed =
    hidden.size === 0 ? '' : `; those of suspended users as Mastodon hides them (${how})`
  const what = `${there.words.fetch} ${counted(objects, 'file')} (${bytesOf(bytes)}) to ${there.name}${anew}${have}${closed}`
  return [{ what, risk: 'safe' }]
}

function outcome(
  at: Leaving,
  round: LeaveRound,
  copied: Copied,
  warnings: readonly Text[],
): Finding {
  if (copied.failures > 0) return { is: 'blocked', problem: incomplete(at, round, copied) }
  const { sides } = copied
  const line = broughtLine(at, copied)
  if (sides === undefined || round !== 'copy') return { is: 'ready', note: line, warnings }
  const were = `${counted(sides.same.objects, 'file')} (${bytesOf(sides.same.bytes)}) were there already`
  return { is: 'ready', note: `${line}; ${were}`, ...warned(at, sides) }
}

function incomplete(
  { lineFor, there }: Leaving,
  round: LeaveRound,
  { objects, failures, failed }: Copied,
): Problem {
  const again = lineFor(round === 'copy' ? 'copy' : 'cutover')
  const { fetch, fetched } = there.words
  const named = failed.map(({ key, reason }) => `${JSON.stringify(key)} (${reason})`)
  const left = failures - failed.length
  const more = left > 0 ? `, and ${count(left)} more, which stand in the log of this run` : ''
  return new Problem({
    code: 'leave-incomplete',
    what: `${counted(failures, 'file')} could not be ${fetched}; ${count(objects)} could.`,
    why: `${named.join(', ')}${more}.`,
    next: prose`Put right what is named; this then tries to ${fetch} these once more and goes on from here:\n  ${again}`,
  })
}

function tooSmall({ there, lineFor }: Leaving, bytes: number, free: number): Problem {
  return new Problem({
    code: 'media-disk-too-small',
    what: `${there.name} has room for ${bytesOf(free)}, and ${bytesOf(bytes)} would come.`,
    why: `${bytesOf(SPARE)} are left free for Mastodon. Nothing was fetched.`,
    next: prose`Make room, or let Mastodon remove what it can fetch again (tootctl media remove, tootctl preview_cards remove), then:\n  ${lineFor('copy')}`,
    exit: 2,
  })
}

function full({ there, lineFor }: Leaving): Problem {
  return new Problem({
    code: 'media-disk-full',
    what: `The disk of ${there.name} is full; the copy was stopped.`,
    why: 'What has its name there is whole.',
    next: prose`Make room, then go on from here:\n  ${lineFor('copy')}`,
  })
}
