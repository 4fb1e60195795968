import { counted } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import type { Migration } from '../migration.ts'
import type { CopyRun } from './run.ts'
import { shown } from './tally.ts'

const MOST_NAMED = 5

/** Problem `copy-incomplete`: what is left and why, by reason, and how to go on. */
export function incomplete(
  { checkpoint, lineFor }: Migration,
  { summary, unread }: CopyRun,
): Problem {
  const folders = unread.map(({ path, reason }) => ({ key: path, reason }))
  const left = [...folders, ...summary.failed]
  const named = left.slice(0, MOST_NAMED).map(({ key, reason }) => `${shown(key)} (${reason})`)
  const more = left.length - named.length
  const rest = more > 0 ? ` and ${more} more, listed in ${checkpoint.path}` : ''
  const isUnread = left.some(({ reason }) => /permission|denied|EACCES|may not/i.test(reason))
  const cure = isUnread
    ? "Give the user that runs this the right to read them (or run it as Mastodon's user or as root); then go on from here:"
    : 'Run the same again; it tries these once more and goes on from here:'
  return new Problem({
    code: 'copy-incomplete',
    what: `${counted(left.length, 'file')} could not be copied; ${counted(summary.objects, 'file')} could.`,
    why: `${named.join(', ')}${rest}.`,
    next: `${cure}\n  ${lineFor('copy')}`,
  })
}
