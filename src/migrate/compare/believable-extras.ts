import { counted } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import type { Extras } from './find-extras.ts'

/** So few are believed to have been deleted, whatever share of the whole they are. */
const FEW = 20
const DAY_MS = 86_400_000
/** So long after the switch the local files still tell what Mastodon had deleted before it. */
const TRUSTED_DAYS = 7

/**
 * Why what is gone at the source is not removed from the bucket; undefined when it may be. A disk that
 * isn't mounted, or local files that were removed after the switch, look just like deleted media.
 */
export function notBelievable(
  extras: Extras,
  { switchedAt, now }: { readonly switchedAt: string | undefined; readonly now: Date },
): Problem | undefined {
  const { objects, files, inBoth, folders, unread } = extras
  if (objects === 0) return undefined
  const what = `Nothing is removed from the bucket: ${counted(objects, 'object')} would be, and that is doubtful.`
  const refused = (why: string, next: string) =>
    new Problem({ code: 'extras-doubtful', what, why, next })
  const mounted = 'Check that all disks are mounted and that nothing was moved, and run this again.'
  if (unread !== undefined) {
    return refused(
      `The source could not be read at ${unread === '' ? 'its root' : unread}.`,
      mounted,
    )
  }
  if (files === 0) return refused('The source holds no file at all.', mounted)
  const days = switchedAt === undefined ? 0 : (now.getTime() - Date.parse(switchedAt)) / DAY_MS
  if (days > TRUSTED_DAYS) {
    return refused(
      `Mastodon was switched to R2 more than ${TRUSTED_DAYS} days ago and deletes in the bucket itself since then; what is gone at the old place may have been removed there by hand.`,
      'Leave them. They cost little: a GB is about 1.5 cents a month.',
    )
  }
  for (const [name, folder] of folders) {
    if (folder.files > 0 || folder.extras <= FEW) continue
    return refused(
      `All of ${name}/ is gone at the source (${counted(folder.extras, 'object')}).`,
      mounted,
    )
  }
  if (objects > FEW && objects > inBoth) {
    return refused('More is gone at the source than is left there.', mounted)
  }
  return undefined
}
