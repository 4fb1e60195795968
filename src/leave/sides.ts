import { bytesOf, count, counted } from '../core/amounts.ts'
import { Cancelled, Problem } from '../core/problem.ts'
import { fewAtOnce, merge } from '../core/streams.ts'
import { prose, type Text } from '../core/to-type.ts'
import { sameContent } from '../moving/content.ts'
import { sideBySide } from '../moving/side-by-side.ts'
import { Tally } from '../moving/tally.ts'
import type { MediaFile, Oddity } from '../services/media/port.ts'
import type { ListedObject } from '../services/s3/port.ts'
import { isProbe } from '../setup/proof.ts'
import type { Leaving } from './leaving.ts'

/** Contents that are read at the same time. */
const READ_AT_ONCE = 4
const NAMED = 5

/** Bucket and disk, as one pass over both has found them. */
export interface Sides {
  readonly same: Tally
  /** In the bucket, and not on the disk. */
  readonly missing: Tally
  /** On both, and not the same. */
  readonly differs: Tally
  /** Older than the move to R2, or deleted in the bucket since: on the disk only. */
  readonly onlyOnDisk: Tally
  /** Folders or files of the disk that could not be read. */
  readonly unread: Tally
}

export interface Looking {
  readonly checksum?: boolean
  /** Told of what the disk lacks, in the order of the keys; waited for. */
  onMissing?(objects: readonly ListedObject[]): Promise<void>
}

/**
 * One LIST request per 1,000 objects, and one walk through the folder. What is stored meanwhile may
 * or may not be seen. Throws Cancelled, and the Problems of both sides.
 */
export async function lookAtSides(at: Leaving, looking: Looking = {}): Promise<Sides> {
  const { disk, signal } = at
  const sides: Sides = {
    same: new Tally(),
    missing: new Tally(),
    differs: new Tally(),
    onlyOnDisk: new Tally(),
    unread: new Tally(),
  }
  const onOddity = ({ kind, path }: Oddity) => {
    if (kind === 'unreadable') sides.unread.add(path, 0)
  }
  const reading = fewAtOnce(READ_AT_ONCE)
  const { files, objects } = sideBySide(disk.files({ signal, onOddity }), at.bucket(), signal)
  let seen = 0
  for await (const pairs of merge(files, objects)) {
    if (signal.aborted) throw new Cancelled()
    const missing: ListedObject[] = []
    for (const { file, object } of pairs) {
      if (!object) sides.onlyOnDisk.add(file.key, file.size)
      else if (isProbe(object.key)) continue
      else if (!file) missing.push(object)
      else if (file.size !== object.size) sides.differs.add(file.key, file.size)
      else if (looking.checksum) await reading.begin(() => contents(at, sides, file, object))
      else sides.same.add(file.key, file.size)
    }
    for (const { key, size } of missing) sides.missing.add(key, size)
    if (missing.length > 0) await looking.onMissing?.(missing)
    seen += pairs.length
    at.tell(`Looked at ${counted(seen, 'file')}; ${count(sides.missing.objects)} not on the disk`)
  }
  await reading.end()
  return sides
}

async function contents(
  { disk }: Leaving,
  { same, differs }: Sides,
  file: MediaFile,
  object: ListedObject,
): Promise<void> {
  const told = await sameContent(file, object, disk.content?.bind(disk))
  const tally = told === 'same' || told === 'unknown' ? same : differs
  tally.add(file.key, file.size)
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
      `${counted(onlyOnDisk.objects, 'file')} (${bytesOf(onlyOnDisk.bytes)}) ${onlyOnDisk.objects === 1 ? 'is' : 'are'} on the disk only, such as ${named(onlyOnDisk.examples)}: from before the move to R2, and perhaps deleted in the bucket since, or stored since Mastodon uses the disk. Nothing removes ${onlyOnDisk.objects === 1 ? 'it' : 'them'}; once Mastodon uses the disk, "tootctl media remove-orphans" can look there for what it does not need.`,
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

/** Problem `disk-not-equal`. */
export function notAll({ lineFor, landing }: Leaving, { missing, differs }: Sides): Problem {
  const parts = [
    missing.objects > 0 ? `${count(missing.objects)} not there` : '',
    differs.objects > 0 ? `${count(differs.objects)} not the same` : '',
  ].filter((part) => part !== '')
  const [example = ''] = [...missing.examples, ...differs.examples]
  const aside = differs.objects > 0 ? ' What is not the same has to be put aside first.' : ''
  return new Problem({
    code: 'disk-not-equal',
    what: `${landing.folder} does not hold all of the bucket yet.`,
    why: `Of the objects: ${parts.join(', ')}; for example ${JSON.stringify(example)}.${aside}`,
    next: prose`Copy, then compare again:\n  ${lineFor('copy')}`,
  })
}
