import { bytesOf, count, counted } from '../core/amounts.ts'
import { Cancelled, Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import { Tally } from '../moving/tally.ts'
import type { Finding, StepIn } from '../plan/step.ts'
import { SENT_IN_PARTS } from '../services/rclone/port.ts'
import { DISK_FULL } from '../services/rclone/trouble.ts'
import type { ListedObject } from '../services/s3/port.ts'
import type { Leaving } from './leaving.ts'
import { lookAtSides, notAll, type Sides, warned } from './sides.ts'

/** Files and bytes that are fetched before they are put in their places. */
const BATCH_FILES = 2_000
const BATCH_BYTES = 1_073_741_824
/** What is left free on the disk, bytes. */
const SPARE = 1_073_741_824
const NAMED = 5

/**
 * `copy`: all that the disk lacks. The rest belongs to a cut-over: `catch-up` repeats until little is
 * left, `last` runs while Mastodon rests, `after` brings what was stored in between.
 */
export type LeaveRound = 'copy' | 'catch-up' | 'last' | 'after'

const rounds: Record<LeaveRound, { id: string; title: string; will: string }> = {
  copy: { id: 'copy', title: 'Copy to the disk', will: '' },
  'catch-up': {
    id: 'copy-catch-up',
    title: 'Copy until little is left',
    will: 'fetch what the disk lacks, and again what came meanwhile',
  },
  last: { id: 'copy-last', title: 'Last copy', will: 'fetch what came meanwhile' },
  after: {
    id: 'copy-after',
    title: 'Copy what came in between',
    will: 'fetch what was still stored in the bucket during the switch',
  },
}

const MOST_ROUNDS = 5
/** So few files the last copy fetches as well. */
const FEW = 20

interface Copied {
  objects: number
  bytes: number
  readonly failed: { readonly key: string; readonly reason: string }[]
}

/**
 * Brings to the disk what it lacks. What is there stays as it is, so a run that was cut off is gone on
 * with; a file has its name only once it is whole.
 */
export function copyToDisk(at: Leaving, round: LeaveRound = 'copy'): StepIn<unknown> {
  const { id, title, will } = rounds[round]
  let copied: Copied | undefined
  return {
    id,
    title,

    async look(): Promise<Finding> {
      if (copied && round !== 'copy') return outcome(at, copied)
      if (round !== 'copy') return { is: 'change', changes: [{ what: will, risk: 'safe' }] }
      const sides = await lookAtSides(at)
      at.tell('')
      if (copied) return outcome(at, copied, sides)
      if (sides.missing.objects === 0) return { is: 'ready', note: noteOf(sides), ...warned(sides) }
      await at.rclone.version()
      const free = await at.landing.free()
      if (free < sides.missing.bytes + SPARE)
        return { is: 'blocked', problem: tooSmall(at, sides, free) }
      const hidden = await at.hidden()
      return { is: 'change', changes: changesOf(at, sides, hidden.size), ...warned(sides) }
    },

    async change() {
      const done: Copied = { objects: 0, bytes: 0, failed: [] }
      copied = done
      const most = round === 'catch-up' ? MOST_ROUNDS : 1
      for (let nth = 1; nth <= most; nth += 1) {
        const before = done.objects
        const sides = await fetchMissing(at, done)
        // Found only after a switch, it would leave posts with the wrong picture.
        if (round === 'catch-up' && sides.differs.objects > 0)
          throw notAll(at, { ...sides, missing: new Tally() })
        if (done.failed.length > 0 || done.objects - before <= FEW) break
      }
      return {}
    },

    reached: () => copied && `${counted(copied.objects, 'file')}, ${bytesOf(copied.bytes)} fetched`,
  }
}

/** One pass over both sides, what is missing fetched as it is found. */
async function fetchMissing(at: Leaving, done: Copied): Promise<Sides> {
  const hidden = await at.hidden()
  let waiting: ListedObject[] = []
  let bytes = 0
  const carry = async () => {
    const batch = waiting
    waiting = []
    bytes = 0
    await fetchBatch(at, batch, { done, hidden })
  }
  await at.landing.open()
  try {
    const sides = await lookAtSides(at, {
      async onMissing(objects) {
        for (const object of objects) {
          waiting.push(object)
          bytes += object.size
          if (waiting.length >= BATCH_FILES || bytes >= BATCH_BYTES) await carry()
        }
      },
    })
    if (waiting.length > 0) await carry()
    return sides
  } finally {
    await at.landing.close()
    at.tell('')
  }
}

interface Fetching {
  readonly done: Copied
  readonly hidden: ReadonlySet<string>
}

async function fetchBatch(
  at: Leaving,
  batch: readonly ListedObject[],
  { done, hidden }: Fetching,
): Promise<void> {
  const { rclone, landing, signal, transfers } = at
  const sizes = new Map(batch.map(({ key, size }) => [key, size]))
  const size = (key: string) => sizes.get(key) ?? 0
  const fetched: string[] = []
  const listener = {
    copied: (key: string) => void fetched.push(key),
    failed: (key: string, reason: string) => void done.failed.push({ key, reason }),
    // Mastodon has deleted it meanwhile.
    vanished: () => undefined,
    moving: (bytes: number) => at.tell(lineOf(done, bytes)),
    slower: (service: string, seconds: number) =>
      at.say(`${service} asks to go on more slowly; waiting ${seconds} s.`),
  }
  const place = async () => {
    const files = fetched.splice(0).map((key) => ({ key, isClosed: hidden.has(key) }))
    const failed = await landing.place(files)
    const bad = new Set(failed.map(({ key }) => key))
    done.failed.push(...failed)
    for (const { key } of files) {
      if (bad.has(key)) continue
      done.objects += 1
      done.bytes += size(key)
    }
  }
  const carried = batch.filter(({ key }) => rclone.canCarry(key))
  for (const isLarge of [false, true]) {
    const keys = carried.flatMap((one) => (one.size > SENT_IN_PARTS === isLarge ? [one.key] : []))
    if (keys.length === 0) continue
    const asked = { from: at.from, to: at.stage, keys, isLarge, transfers, size }
    try {
      await rclone.copy({ ...asked, hasRead: done.objects > 0 }, listener, signal)
    } finally {
      // What a stopped run has fetched need not be fetched again.
      await place()
    }
  }
  if (done.failed.some(({ reason }) => reason === DISK_FULL)) throw full(at)
  for (const { key, size } of batch) {
    if (signal.aborted) throw new Cancelled()
    if (!rclone.canCarry(key)) await fetchAlone(at, key, size, { done, hidden })
  }
  at.tell(lineOf(done, 0))
}

/** A name that rclone can't be told of; none that Mastodon makes up is like that. */
async function fetchAlone(
  at: Leaving,
  key: string,
  size: number,
  { done, hidden }: Fetching,
): Promise<void> {
  try {
    if (hidden.has(key)) throw new Error('its name can not be fetched hidden')
    await at.bringBack.add(key, (await at.bucket().get(key)).body)
    done.objects += 1
    done.bytes += size
  } catch (error) {
    if (error instanceof Cancelled) throw error
    const reason = error instanceof Problem ? error.what : String((error as Error).message)
    done.failed.push({ key, reason })
  }
}

function lineOf({ objects, bytes }: Copied, moving: number): string {
  return `${counted(objects, 'file')}, ${bytesOf(bytes + moving)} fetched`
}

function noteOf({ same, differs }: Sides): string {
  return `all of the bucket is on the disk: ${counted(same.objects + differs.objects, 'file')}, ${bytesOf(same.bytes + differs.bytes)}`
}

function changesOf({ landing }: Leaving, { missing, same }: Sides, hidden: number) {
  const have = same.objects === 0 ? '' : `; ${count(same.objects)} are there already`
  const closed = hidden === 0 ? '' : `; those of suspended users as Mastodon hides them (mode 0600)`
  const what = `fetch ${counted(missing.objects, 'file')} (${bytesOf(missing.bytes)}) to ${landing.folder}${have}${closed}`
  return [{ what, risk: 'safe' as const }]
}

function outcome(at: Leaving, copied: Copied, sides?: Sides): Finding {
  if (copied.failed.length > 0) return { is: 'blocked', problem: incomplete(at, copied) }
  if (sides === undefined) return { is: 'ready', note: lineOf(copied, 0) }
  if (sides.missing.objects === 0) {
    return { is: 'ready', note: `${lineOf(copied, 0)}; ${noteOf(sides)}`, ...warned(sides) }
  }
  // Stored in the bucket while this ran.
  const note = `${lineOf(copied, 0)}; ${count(sides.missing.objects)} came meanwhile`
  return { is: 'ready', note, ...warned(sides) }
}

function incomplete({ lineFor }: Leaving, { objects, failed }: Copied): Problem {
  const shown = failed
    .slice(0, NAMED)
    .map(({ key, reason }) => `${JSON.stringify(key)} (${reason})`)
  const more = failed.length > NAMED ? ` and ${count(failed.length - NAMED)} more` : ''
  return new Problem({
    code: 'leave-incomplete',
    what: `${counted(failed.length, 'file')} could not be fetched; ${count(objects)} could.`,
    why: `${shown.join(', ')}${more}.`,
    next: prose`Put right what is named; the same line then tries these once more and goes on from here:\n  ${lineFor('copy')}`,
  })
}

function tooSmall({ landing, lineFor }: Leaving, { missing }: Sides, free: number): Problem {
  return new Problem({
    code: 'media-disk-too-small',
    what: `${landing.folder} has room for ${bytesOf(free)}, and ${bytesOf(missing.bytes)} would come.`,
    why: `${bytesOf(SPARE)} are left free for Mastodon. Nothing was fetched.`,
    next: prose`Make room, or let Mastodon remove what it can fetch again (tootctl media remove, tootctl preview_cards remove), then:\n  ${lineFor('copy')}`,
    exit: 2,
  })
}

function full({ landing, lineFor }: Leaving): Problem {
  return new Problem({
    code: 'media-disk-full',
    what: `The disk of ${landing.folder} is full; the copy was stopped.`,
    why: 'What has its name there is whole.',
    next: prose`Make room, then go on from here:\n  ${lineFor('copy')}`,
  })
}
