import { bytesOf, count, counted } from '../../core/amounts.ts'
import { Cancelled } from '../../core/problem.ts'
import type { Finding, Step } from '../../plan/step.ts'
import type { Migration } from '../migration.ts'
import { notBelievable } from './believable-extras.ts'
import { type Extras, findExtras, stillGone } from './find-extras.ts'

/** R2's limit for one DeleteObjects request. */
const DELETED_AT_ONCE = 1000

/**
 * Removes from the bucket what this migration put there and Mastodon deleted at the source meanwhile.
 * Only for runs with the flag of its own. What others put there, and the source, are never touched.
 */
export function removeExtras(migration: Migration): Step<'clock'> {
  let found: Extras | undefined
  let hasRemoved = false
  return {
    id: 'remove-extras',
    title: 'Media deleted meanwhile',

    async look({ clock }) {
      found = await findExtras(migration)
      const checkpoint = await migration.checkpoint.read()
      const { switchedAt } = checkpoint ?? {}
      const problem = notBelievable(found, { switchedAt, now: clock.now() })
      if (problem) return { is: 'blocked', problem }
      return hasRemoved && found.objects > 0 ? moreOf(migration, found) : findingOf(found)
    },

    async change() {
      const keys = found?.keys ?? []
      let removed = 0
      for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) {
        if (migration.signal.aborted) throw new Cancelled()
        const gone = await stillGone(migration, keys.slice(at, at + DELETED_AT_ONCE))
        if (gone.length > 0) await migration.bucket().deleteMany(gone)
        removed += gone.length
        migration.tell(`Removed ${count(removed)} of ${count(keys.length)}`)
      }
      hasRemoved = true
      return {}
    },
  }
}

function findingOf({ objects, bytes }: Extras): Finding {
  if (objects === 0) {
    return { is: 'ready', note: 'nothing in the bucket that is gone at the source' }
  }
  const them = objects === 1 ? 'an object' : counted(objects, 'object')
  const what = `remove ${them} (${bytesOf(bytes)}) from the bucket that this migration put there and that ${objects === 1 ? 'is' : 'are'} gone at the source`
  return { is: 'change', changes: [{ what, risk: 'destructive' }] }
}

function moreOf({ lineFor }: Migration, { objects }: Extras): Finding {
  return {
    is: 'later',
    note: `${counted(objects, 'object')} more to remove`,
    next: lineFor('compare', ' --remove-extras'),
  }
}
