import { bytesOf, count, counted } from '../core/amounts.ts'
import { Cancelled, Problem } from '../core/problem.ts'
import { fewAtOnce, merge } from '../core/streams.ts'
import { prose, type Text } from '../core/to-type.ts'
import { sameContent, sameEtag } from '../moving/content.ts'
import { sideBySide } from '../moving/side-by-side.ts'
import { Tally } from '../moving/tally.ts'
import type { MediaFile, Oddity } from '../services/media/port.ts'
import type { ListedObject } from '../services/s3/port.ts'
import { isFolder } from '../setup/old-provider.ts'
import { isProbe } from '../setup/proof.ts'
import type { Leaving } from './leaving.ts'

/** Contents that are read at the same time. */
const READ_AT_ONCE = 4
const NAMED = 5
/** Milliseconds that the clocks of two providers may be apart, as far as S3 signatures let them. */
const CLOCK_MARGIN_MS = 900_000

/** Bucket and destination, as one pass over both has found them. */
export interface Sides {
  readonly same: Tally
  /** In the bucket, and not at the destination. */
  readonly missing: Tally
  /** On both, and not the same. */
  readonly differs: Tally
  /** Older than the move to R2, or deleted in the bucket since: at the destination only. */
  readonly onlyThere: Tally
  /** Missing, and known to have been brought: Mastodon has removed it since. */
  readonly removed: Tally
  /** Folders or files of the disk that could not be read. */
  readonly unread: Tally
  /** Empty objects of the bucket that stand for a folder: no media, and left out. */
  readonly folders: Tally
}

export interface Looking {
  readonly checksum?: boolean
  /** Told of what the destination lacks, in the order of the keys; waited for. */
  onMissing?(objects: readonly ListedObject[]): Promise<void>
  /** Told of what is something else there; waited for. */
  onOther?(objects: readonly ListedObject[]): Promise<void>
}

/**
 * One LIST request per 1,000 objects, and one walk through the folder or a listing of the other bucket.
 * What is stored meanwhile may or may not be seen. Throws Cancelled, and the Problems of both sides.
 */
export async function lookAtSides(at: Leaving, looking: Looking = {}): Promise<Sides> {
  const { there, signal } = at
  const until = at.complete.until ?? Number.NEGATIVE_INFINITY
  const sides: Sides = {
    same: new Tally(),
    missing: new Tally(),
    differs: new Tally(),
    onlyThere: new Tally(),
    removed: new Tally(),
    unread: new Tally(),
    folders: new Tally(),
  }
  const onOddity = ({ kind, path }: Oddity) => {
    if (kind === 'unreadable') sides.unread.add(path, 0)
  }
  const reading = fewAtOnce(READ_AT_ONCE)
  const found = there.source.files({ signal, onOddity })
  const { files, objects } = sideBySide(found, at.bucket(), signal)
  let seen = 0
  for await (const pairs of merge(files, objects)) {
    if (signal.aborted) throw new Cancelled()
    const missing: ListedObject[] = []
    const others: ListedObject[] = []
    for (const { file, object } of pairs) {
      if (isProbe((file ?? object).key)) continue
      if (object && isFolder(object)) sides.folders.add(object.key, 0)
      else if (!object) sides.onlyThere.add(file.key, file.size)
      else if (!file && object.lastModified < until) sides.removed.add(object.key, object.size)
      else if (!file) missing.push(object)
      else if (isOther(file, object)) others.push(object)
      else if (looking.checksum) await reading.begin(() => contents(at, sides, file, object))
      else sides.same.add(file.key, file.size)
    }
    for (const { key, size } of missing) sides.missing.add(key, size)
    for (const { key, size } of others) sides.differs.add(key, size)
    if (missing.length > 0) await looking.onMissing?.(missing)
    if (others.length > 0) await looking.onOther?.(others)
    seen += pairs.length
    const lacks = `${count(sides.missing.objects)} not ${there.words.on}`
    at.tell(`Looked at ${counted(seen, 'file')}; ${lacks}`)
  }
  await reading.end()
  return sides
}

/** Of another size, or stored anew since it was copied; ETags tell that where both are an MD5. */
function isOther(file: MediaFile, object: ListedObject): boolean {
  if (file.size !== object.size) return true
  const isNewer = object.lastModified > file.changedAt - CLOCK_MARGIN_MS
  return file.etag !== undefined && isNewer && sameEtag(file.etag, object.etag) === false
}

async function contents(
  { there: { source } }: Leaving,
  { same, differs }: Sides,
  file: MediaFile,
  object: ListedObject,
): Promise<void> {
  const told = await sameContent(file, object, source.content?.bind(source))
  const tally = told === 'same' || told === 'unknown' ? same : differs
  tally.add(file.key, file.size)
}

/** What a copy does not touch, and a person should know of. */
export function warned(at: Leaving, sides: Sides): { warnings: Text[] } {
  const { differs, onlyThere, removed, unread, folders } = sides
  const { there } = at
  const { on, fetched } = there.words
  const warnings: Text[] = []
  if (differs.objects > 0) {
    const [are, stay, they, them] =
      differs.objects === 1 ? ['is', 'stays', 'it is', 'it'] : ['are', 'stay', 'they are', 'them']
    warnings.push(
      `${counted(differs.objects, 'file')} ${on} ${are} not what the bucket has under that name, and ${stay} as ${they}, such as ${named(differs)}. If the bucket is right, put ${them} aside and copy again.`,
    )
  }
  if (onlyThere.objects > 0) {
    const [are, them] = onlyThere.objects === 1 ? ['is', 'it'] : ['are', 'them']
    const before = there.kind === 'disk' ? 'from before the move to R2, and perhaps' : 'perhaps'
    warnings.push(
      `${counted(onlyThere.objects, 'file')} (${bytesOf(onlyThere.bytes)}) ${are} ${on} only, such as ${named(onlyThere)}: ${before} deleted in the bucket since, or stored since Mastodon uses ${there.it}. Nothing removes ${them}; once Mastodon uses ${there.it}, "tootctl media remove-orphans" can look there for what it does not need.`,
    )
  }
  if (removed.objects > 0) {
    const [are, they] = removed.objects === 1 ? ['is', 'it was'] : ['are', 'they were']
    warnings.push(
      `${counted(removed.objects, 'file')} of the bucket ${are} not ${on}, such as ${named(removed)}: ${they} brought there before the switch, so Mastodon has removed what is missing since. Nothing of that is ${fetched} again.`,
    )
  }
  if (unread.objects > 0) {
    warnings.push(`Not readable on the disk: ${unread.examples.slice(0, NAMED).join(', ')}.`)
  }
  if (folders.objects > 0) {
    const [stand, is] = folders.objects === 1 ? ['stands', 'It is'] : ['stand', 'They are']
    warnings.push(
      `${counted(folders.objects, 'empty object')} of the bucket ${stand} for a folder, such as ${named(folders)}. ${is} no media, and left out.`,
    )
  }
  return { warnings }
}

function named({ examples }: Tally): string {
  return JSON.stringify(examples[0] ?? '')
}

/** Problems `disk-not-equal`, `new-bucket-not-equal`. */
export function notAll({ lineFor, there }: Leaving, { missing, differs }: Sides): Problem {
  const parts = [
    missing.objects > 0 ? `${count(missing.objects)} not there` : '',
    differs.objects > 0 ? `${count(differs.objects)} not the same` : '',
  ].filter((part) => part !== '')
  const [example = ''] = [...missing.examples, ...differs.examples]
  const next = prose`Copy, then compare again:\n  ${lineFor('copy')}`
  const why = `Of the objects: ${parts.join(', ')}; for example ${JSON.stringify(example)}.`
  if (there.kind === 's3') {
    return new Problem({
      code: 'new-bucket-not-equal',
      what: 'The new bucket does not hold all of the one on R2 yet.',
      why,
      next,
    })
  }
  const aside = differs.objects > 0 ? ' What is not the same has to be put aside first.' : ''
  return new Problem({
    code: 'disk-not-equal',
    what: `${there.name} does not hold all of the bucket yet.`,
    why: `${why}${aside}`,
    next,
  })
}
