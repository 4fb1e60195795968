import { bytesOf, count, counted } from '../core/amounts.ts'
import { Problem } from '../core/problem.ts'
import { prose, type Text } from '../core/to-type.ts'
import type { Tally } from '../moving/tally.ts'
import type { Leaving } from './leaving.ts'
import type { Sides } from './sides.ts'

const NAMED = 5

/** What a copy does not touch, and a person should know of. */
export function warned(at: Leaving, sides: Sides): { warnings: Text[] } {
  const { there } = at
  const { on, fetched } = there.words
  const { differs, own, onlyThere, removed, unread, folders, sizesOnly } = sides
  const warnings: Text[] = []
  if (differs.objects > 0) {
    const [are, stay, they, them] = isOne(differs)
      ? ['is', 'stays', 'it is', 'it']
      : ['are', 'stay', 'they are', 'them']
    warnings.push(
      `${counted(differs.objects, 'file')} ${on} ${are} not what the bucket has under that name, and ${stay} as ${they}, such as ${named(differs)}. If the bucket is right, put ${them} aside and copy again.`,
    )
  }
  if (own.objects > 0) {
    const [are, they, stay] = isOne(own) ? ['is', 'it', 'stays'] : ['are', 'they', 'stay']
    warnings.push(
      `${counted(own.objects, 'file')} ${on} ${are} not what R2 has under that name, such as ${named(own)}: stored there since Mastodon uses ${there.it}, ${they} ${stay}. R2 keeps what it has.`,
    )
  }
  if (onlyThere.objects > 0) {
    const [are, them] = isOne(onlyThere) ? ['is', 'it'] : ['are', 'them']
    const before = there.kind === 'disk' ? 'from before the move to R2, and perhaps' : 'perhaps'
    warnings.push(
      `${counted(onlyThere.objects, 'file')} (${bytesOf(onlyThere.bytes)}) ${are} ${on} only, such as ${named(onlyThere)}: ${before} deleted in the bucket since, or stored since Mastodon uses ${there.it}. Nothing removes ${them}; once Mastodon uses ${there.it}, "tootctl media remove-orphans" can look there for what it does not need.`,
    )
  }
  if (removed.objects > 0) {
    const [are, they] = isOne(removed) ? ['is', 'it was'] : ['are', 'they were']
    warnings.push(
      `${counted(removed.objects, 'file')} of the bucket ${are} not ${on}, such as ${named(removed)}: ${they} brought there before the switch, so Mastodon has removed what is missing since. Nothing of that is ${fetched} again.`,
    )
  }
  if (sizesOnly.objects > 0) warnings.push(notComparable(at, sizesOnly))
  if (unread.objects > 0) {
    warnings.push(`Not readable on the disk: ${unread.examples.slice(0, NAMED).join(', ')}.`)
  }
  if (folders.objects > 0) {
    const [stand, is] = isOne(folders) ? ['stands', 'It is'] : ['stand', 'They are']
    warnings.push(
      `${counted(folders.objects, 'empty object')} of the bucket ${stand} for a folder, such as ${named(folders)}. ${is} no media, and left out.`,
    )
  }
  return { warnings }
}

function notComparable({ there }: Leaving, { objects }: Tally): string {
  const why =
    there.kind === 'disk'
      ? 'uploaded in parts of a size that is not known'
      : 'uploaded in parts, or with ETags that are no MD5'
  return `The contents of ${counted(objects, 'file')} could not be compared, only the sizes: ${why}.`
}

function isOne({ objects }: Tally): boolean {
  return objects === 1
}

function named({ examples }: Tally): string {
  return JSON.stringify(examples[0] ?? '')
}

/** Whether something of the bucket is not there as it has to be. */
export function lacks({ missing, renewed, differs, unreadable }: Sides): boolean {
  return [missing, renewed, differs, unreadable].some(({ objects }) => objects > 0)
}

/** Problems `disk-not-equal`, `new-bucket-not-equal`. */
export function notAll(at: Leaving, sides: Sides): Problem {
  const { there } = at
  const { missing, renewed, differs, unreadable } = sides
  const part = ({ objects }: Tally, words: string) =>
    objects > 0 ? [`${count(objects)} ${words}`] : []
  const parts = [
    ...part(missing, 'not there'),
    ...part(renewed, 'stored anew on R2'),
    ...part(differs, 'not the same'),
    ...part(unreadable, `not readable ${there.words.on}`),
  ]
  const [example = ''] = [missing, renewed, differs, unreadable].flatMap(({ examples }) => examples)
  const why = `Of the objects: ${parts.join(', ')}; for example ${JSON.stringify(example)}.`
  const next = nextOf(at, sides)
  if (there.kind === 's3') {
    return new Problem({
      code: 'new-bucket-not-equal',
      what: 'The new bucket does not hold all of the one on R2 yet.',
      why,
      next,
    })
  }
  return new Problem({
    code: 'disk-not-equal',
    what: `${there.name} does not hold all of the bucket yet.`,
    why,
    next,
  })
}

function nextOf(at: Leaving, { missing, renewed, differs, unreadable }: Sides): Text {
  const { there, complete, lineFor } = at
  const isOther = differs.objects > 0
  // Since the switch Mastodon may have stored there what is missing, so no copy brings it by itself.
  const isPutAside = isOther && there.kind === 'disk' && complete.until === undefined
  const isCopied = isPutAside || missing.objects + renewed.objects > 0
  const steps: Text[] = []
  if (unreadable.objects > 0)
    steps.push(`Let Mastodon's user read what is not readable ${there.words.on}.`)
  if (isPutAside) steps.push('Put aside what is not the same.')
  else if (isOther)
    steps.push(
      'No copy replaces what is not the same: where R2 is right, bring it by hand (rclone copyto, or the Cloudflare dashboard).',
    )
  const checksum = isOther || unreadable.objects > 0
  steps.push(
    isCopied
      ? prose`Copy, then compare again:\n  ${lineFor('copy')}`
      : prose`Then compare again:\n  ${lineFor('compare', checksum ? { checksum } : {})}`,
  )
  return steps.reduce((all, step) => prose`${all} ${step}`)
}
