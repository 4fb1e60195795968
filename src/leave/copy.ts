import { bytesOf, count, counted } from '../core/amounts.ts'
import { Cancelled, Problem } from '../core/problem.ts'
import { prose, type Text } from '../core/to-type.ts'
import type { Finding, StepIn } from '../plan/step.ts'
import { SENT_IN_PARTS } from '../services/rclone/port.ts'
import { DISK_FULL } from '../services/rclone/trouble.ts'
import type { ListedObject } from '../services/s3/port.ts'
import type { Leaving } from './leaving.ts'
import { lookAtSides, type Sides } from './sides.ts'

/** Files and bytes that are fetched before they are put in their places. */
const BATCH_FILES = 2_000
const BATCH_BYTES = 1_073_741_824
/** What is left free on the disk, bytes. */
const SPARE = 1_073_741_824
const NAMED = 5

interface Copied {
  objects: number
  bytes: number
  readonly failed: { readonly key: string; readonly reason: string }[]
}

/**
 * Brings to the disk what it lacks. What is there stays as it is, so a run that was cut off is gone on
 * with; a file has its name only once it is whole.
 */
export function copyToDisk(at: Leaving): StepIn<unknown> {
  let copied: Copied | undefined
  let last: Promise<Sides> | undefined
  return {
    id: 'copy',
    title: 'Copy to the disk',

    async look(): Promise<Finding> {
      last = lookAtSides(at)
      const sides = await last
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
      const hidden = await at.hidden()
      await at.landing.open()
      try {
        let waiting: ListedObject[] = []
        let bytes = 0
        const carry = async () => {
          const batch = waiting
          waiting = []
          bytes = 0
          await fetchBatch(at, batch, { done, hidden })
        }
        await lookAtSides(at, {
          async onMissing(objects) {
            for (const object of objects) {
              waiting.push(object)
              bytes += object.size
              if (waiting.length >= BATCH_FILES || bytes >= BATCH_BYTES) await carry()
            }
          },
        })
        if (waiting.length > 0) await carry()
      } finally {
        await at.landing.close()
      }
      return {}
    },

    reached: () => copied && `${counted(copied.objects, 'file')}, ${bytesOf(copied.bytes)} fetched`,
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

/** What a copy does not touch, and a person should know of. */
export function warned({ differs, onlyOnDisk, unread }: Sides): { warnings: Text[] } {
  const warnings: Text[] = []
  if (differs.objects > 0) {
    warnings.push(
      `${counted(differs.objects, 'file')} on the disk ${differs.objects === 1 ? 'is' : 'are'} not what the bucket has under that name, and ${differs.objects === 1 ? 'stays' : 'stay'} as ${differs.objects === 1 ? 'it is' : 'they are'}, such as ${named(differs.examples)}. If the bucket is right, put ${differs.objects === 1 ? 'it' : 'them'} aside and copy again.`,
    )
  }
  if (onlyOnDisk.objects > 0) {
    warnings.push(
      `${counted(onlyOnDisk.objects, 'file')} (${bytesOf(onlyOnDisk.bytes)}) ${onlyOnDisk.objects === 1 ? 'is' : 'are'} on the disk only, such as ${named(onlyOnDisk.examples)}: left from before the move to R2, and perhaps deleted in the bucket since. Nothing removes ${onlyOnDisk.objects === 1 ? 'it' : 'them'}; "tootctl media remove-orphans" does, once Mastodon uses the disk.`,
    )
  }
  if (unread.objects > 0) {
    warnings.push(`Not readable on the disk: ${unread.examples.slice(0, NAMED).join(', ')}.`)
  }
  return { warnings }
}

function named(examples: readonly string[]): string {
  return JSON.stringify(examples[0] ?? '')
}

function outcome(at: Leaving, copied: Copied, sides: Sides): Finding {
  if (copied.failed.length === 0 && sides.missing.objects === 0) {
    return { is: 'ready', note: `${lineOf(copied, 0)}; ${noteOf(sides)}`, ...warned(sides) }
  }
  // Stored in the bucket while this ran.
  if (copied.failed.length === 0) {
    const note = `${lineOf(copied, 0)}; ${count(sides.missing.objects)} came meanwhile`
    return { is: 'ready', note, ...warned(sides) }
  }
  return { is: 'blocked', problem: incomplete(at, copied) }
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
