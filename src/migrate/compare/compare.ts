import { bytesOf, count, counted } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import { prose, type Text } from '../../core/to-type.ts'
import type { ContentReader } from '../../moving/content.ts'
import { letRead } from '../../moving/unread.ts'
import { type Comparison, lostFiles } from '../../plan/report-schema.ts'
import type { Facts, Finding, Step } from '../../plan/step.ts'
import type { Migration } from '../migration.ts'
import { type CompareOptions, compareSides } from './sides.ts'

export interface CompareWishes extends Omit<CompareOptions, 'content'> {
  /** Told of every comparison, of unequal sides too; it is the place to note `equalAt`. */
  compared(comparison: Comparison): Promise<void> | void
  /** Files that may be missing or different without stopping what follows; none unless told. */
  readonly maxLoss?: number
  /** In a run that changes something first: the fact that tells that it has. */
  readonly after?: keyof Facts
}

/** Compares source and bucket, and changes neither. Ready when nothing is missing and nothing differs. */
export function compareMedia(migration: Migration, wishes: CompareWishes): Step<'clock' | 'facts'> {
  const { after, compared, maxLoss = 0, ...options } = wishes
  return {
    id: 'compare',
    title: 'Both sides',
    async look({ clock, facts }) {
      if (after !== undefined && facts[after] === undefined) {
        return { is: 'waiting', on: after, will: 'compare source and bucket, file by file' }
      }
      const content = contentOf(migration)
      const how = content === undefined ? options : { ...options, content }
      const comparison = await compareSides(migration, how, clock.now())
      await compared(comparison)
      return findingOf(migration, comparison, maxLoss)
    },
  }
}

function contentOf({ source }: Migration): ContentReader | undefined {
  return source.content?.bind(source)
}

function findingOf(migration: Migration, comparison: Comparison, maxLoss: number): Finding {
  const { same, equal } = comparison
  const problem = equal ? undefined : notEqual(migration, comparison)
  const lost = lostFiles(comparison)
  if (problem && lost > maxLoss) return { is: 'blocked', problem }
  const but = problem ? ` but for ${counted(lost, 'file')}, as --max-loss allows` : ''
  const note = `equal${but}: ${counted(same.objects, 'file')}, ${bytesOf(same.bytes)}`
  const warnings = [...(problem ? [problem.why] : []), ...warningsOf(migration, comparison)]
  return { is: 'ready', note, warnings }
}

function notEqual(
  migration: Migration,
  { missing, sizeDiffers, contentDiffers, unreadable }: Comparison,
): Problem {
  const differing = sizeDiffers.objects + contentDiffers.objects
  const parts = [
    missing.objects > 0 ? `${count(missing.objects)} missing` : '',
    differing > 0 ? `${count(differing)} different` : '',
    unreadable.objects > 0 ? `${count(unreadable.objects)} not readable at the source` : '',
  ].filter((part) => part !== '')
  const [example = ''] = [missing, sizeDiffers, contentDiffers, unreadable].flatMap(
    ({ examples }) => examples,
  )
  return new Problem({
    code: 'not-equal',
    what: 'The bucket does not hold all of the media yet.',
    why: `Of the files at the source: ${parts.join(', ')}; for example ${JSON.stringify(example)}.`,
    next: nextOf(migration, missing.objects + differing, unreadable),
  })
}

function nextOf(
  { lineFor, source }: Migration,
  unequal: number,
  { objects, examples: [first = ''] }: Comparison['unreadable'],
): Text {
  const command = lineFor('copy')
  const copy = 'Copy what is missing or different, then compare again:'
  if (unequal > 0) return prose`${copy}\n  ${command}`
  if (source.kind === 'local') return letRead(source, first, command)
  const files = objects === 1 ? 'that file' : 'those files'
  return prose`Let the access key read ${files} at ${source.name} (its owner may be another; what is archived has to be restored), then copy again:\n  ${command}\nTo go on without: --max-loss ${objects}`
}

function warningsOf(
  { lineFor }: Migration,
  { extra, headers, contents, oddities }: Comparison,
): Text[] {
  const warnings: Text[] = []
  if (extra.objects > 0) {
    warnings.push(
      prose`${counted(extra.objects, 'object')} in the bucket (${bytesOf(extra.bytes)}) ${extra.objects === 1 ? 'was' : 'were'} deleted at the source after the copy and can still be seen by everyone. To remove: ${lineFor('compare', { removeExtras: true })}`,
    )
  }
  if (headers && headers.wrong.objects > 0) {
    const [first] = headers.wrong.examples
    const example = first ? `, e.g. ${first.header} of ${JSON.stringify(first.key)}` : ''
    warnings.push(
      `${count(headers.wrong.objects)} of ${counted(headers.sampled, 'object')} that were looked at ${headers.wrong.objects === 1 ? 'has' : 'have'} other headers than Mastodon gives${example}. The media is whole; browsers may cache it worse or show it wrongly.`,
    )
  }
  if (contents && contents.notComparable > 0) {
    warnings.push(
      `The contents of ${counted(contents.notComparable, 'file')} could not be compared, only the sizes: uploaded in parts of a size that is not known.`,
    )
  }
  if (oddities > 0) {
    warnings.push(
      `${count(oddities)} ${oddities === 1 ? 'entry' : 'entries'} at the source ${oddities === 1 ? 'is' : 'are'} no plain file (a link that leads nowhere or outside, a pipe, an odd name) and ${oddities === 1 ? 'was' : 'were'} not compared.`,
    )
  }
  return warnings
}
