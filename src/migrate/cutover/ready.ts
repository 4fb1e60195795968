import { ANNOUNCED_DAYS, safeFrom } from '../../announce/notes.ts'
import { counted } from '../../core/amounts.ts'
import { Problem } from '../../core/problem.ts'
import { prose, type Text, type ToType } from '../../core/to-type.ts'
import { leftResting, switchedByHand } from '../../moving/quiet.ts'
import type { Finding, Step } from '../../plan/step.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'
import { NAME_REFUSED } from '../../services/rclone/port.ts'
import type { Migration } from '../migration.ts'
import { type Cutover, variantWords } from './cutover.ts'

/** What has to be true before Mastodon is switched. Looks only. */
export function readyToSwitch(
  { bucket, checkpoint, lineFor }: Pick<Migration, 'bucket' | 'checkpoint' | 'lineFor'>,
  cutover: Cutover,
): Step<'place' | 'clock'> {
  return {
    id: 'ready-to-switch',
    title: 'Before the switch',

    async look({ place, clock }): Promise<Finding> {
      if (cutover.services.commands === undefined) return refused(switchedByHand())
      const known = await checkpoint.read()
      if (known?.completeSince === undefined) return refused(notCopied(lineFor('copy')))
      const failed = known.failed.filter(({ reason }) => reason !== NAME_REFUSED)
      if (failed.length > cutover.maxLoss) return refused(missing(failed, lineFor('copy')))
      await bucket().headBucket()
      const unannounced = announcementWarning(known, {
        host: place.mediaHost,
        now: clock.now(),
        line: lineFor('announce'),
      })
      const warnings = [
        ...(unannounced === undefined ? [] : [unannounced]),
        ...(await leftResting(cutover.services)),
      ]
      if (place.installation.kind === 'docker' && cutover.variant !== 'stop') warnings.push(renewed)
      const note = `the media was copied (${known.completeSince.slice(0, 10)}); ${variantWords[cutover.variant]}`
      return { is: 'ready', note, warnings }
    },
  }
}

const renewed =
  'Containers take new settings only when they are made anew: the web part is away until it has started again, most often less than a minute.'

function refused(problem: Problem): Finding {
  return { is: 'blocked', problem }
}

function announcementWarning(
  { announcedAt }: Checkpoint,
  { host, now, line }: { readonly host: string; readonly now: Date; readonly line: ToType },
): Text | undefined {
  const may = 'browsers of people who are logged in may refuse media from it until then'
  if (announcedAt === undefined) {
    return prose`${host} was not announced: for up to ${ANNOUNCED_DAYS} days after the switch ${may.replace(' until then', '')}. To announce it first: ${line}`
  }
  const from = safeFrom(announcedAt)
  if (from <= now) return undefined
  const day = from.toISOString().slice(0, 10)
  return `${host} was announced on ${announcedAt.slice(0, 10)}; a switch is safe from ${day}, and ${may}.`
}

function notCopied(copyLine: ToType): Problem {
  return new Problem({
    code: 'copy-missing',
    what: 'No copy of the media has come to its end yet.',
    why: 'Switched now, Mastodon would show posts without their pictures.',
    next: prose`Copy it first:\n  ${copyLine}`,
  })
}

function missing(failed: Checkpoint['failed'], copyLine: ToType): Problem {
  const [first] = failed
  const named = first === undefined ? '' : `, the first: ${first.key} (${first.reason})`
  return new Problem({
    code: 'copy-failed',
    what: `${counted(failed.length, 'file')} could not be copied yet${named}.`,
    why: 'Switched now, their posts would be shown without them.',
    next: prose`Run the copy again:\n  ${copyLine}\nTo go without them, say how many may be missing: --max-loss N`,
  })
}
