import { prose, type Text, type ToType, toType } from '../core/to-type.ts'
import type { Ended } from '../flow/run.ts'
import { NOT_TAKEN_BACK } from '../plan/apply.ts'
import { unfinished } from '../setup/closing.ts'
import type { Closing } from '../ui/port.ts'
import type { Leaving } from './leaving.ts'
import type { LeaveStage } from './settings.ts'

interface LeaveEnded {
  readonly at: Leaving
  readonly stage: LeaveStage
  readonly again: ToType
  /** On R2. */
  readonly mediaHost: string
  /** Where addresses of media begin at the new place; for redirects. */
  readonly base: string
  /** The redirect is taken back. */
  readonly undo: boolean
}

const section = (title: string, line: Text) => ({ title, lines: [prose`  ${line}`] })

/** The last words of a stage. */
export function leaveClosing(ended: Ended, of: LeaveEnded): Closing {
  const { at, stage, again } = of
  const { report } = ended
  const { it, words, kind } = at.there
  if (report.problem) {
    const headline = stage === 'cutover' ? switchHeadline(ended, at) : unfinished({ report })
    return { headline, sections: [section('To go on from here', again)] }
  }
  if (report.dryRun) {
    return {
      headline: 'That is the plan. Nothing was changed.',
      sections: [section('To carry it out', again)],
    }
  }
  if (stage === 'survey') {
    const title = `To ${words.fetch} it, while Mastodon goes on with R2`
    return { headline: 'Nothing was changed.', sections: [section(title, at.lineFor('copy'))] }
  }
  if (stage === 'copy') {
    const holds = `${it.replace(/^./, (letter) => letter.toUpperCase())} holds what ${kind === 'disk' ? 'the bucket' : 'R2'} held.`
    const goesOn = at.isSwitched ? '' : ' Mastodon goes on with R2.'
    return {
      headline: `${holds}${goesOn}`,
      sections: [
        section('To see that nothing is missing', at.lineFor('compare')),
        ...(at.isSwitched ? [] : [section(`To switch Mastodon to ${it}`, at.lineFor('cutover'))]),
      ],
    }
  }
  if (stage === 'cutover') return { headline: storesThere(at), sections: afterwards(at) }
  if (stage === 'redirects') return redirectsClosing(of)
  return {
    headline: kind === 'disk' ? 'The disk holds all of the bucket.' : 'Both buckets are equal.',
    sections: [],
  }
}

function storesThere({ there }: Leaving): string {
  return `Mastodon stores its media ${there.words.on}.`
}

function afterwards({ there, lineFor }: Leaving): Closing['sections'] {
  const remembered =
    'Other servers, browsers and caches remember addresses there. The bucket is as it was'
  const lines =
    there.kind === 'disk'
      ? [`${remembered}; a way back to R2 stays prepared:`, prose`  ${toType('migrate')}`]
      : [`${remembered}, and Mastodon's pages go on allowing media from there.`]
  return [
    { title: 'Keep the bucket on R2 and its media host for some weeks', lines },
    section(
      'To lead its addresses to the new place, by a rule at Cloudflare',
      lineFor('redirects'),
    ),
  ]
}

function redirectsClosing({ undo, mediaHost, base }: LeaveEnded): Closing {
  if (undo) {
    const headline = `https://${mediaHost}/... is answered by the bucket on R2 again.`
    return { headline, sections: [] }
  }
  const lines = [
    `The rule comes before the bucket: keep ${mediaHost} attached to it, or its name leads nowhere.`,
    'Who goes back to R2 takes the redirect away first: the same line with --undo.',
  ]
  return {
    headline: `https://${mediaHost}/... leads to https://${base}/...`,
    sections: [{ title: 'As long as it is to work', lines }],
  }
}

function switchHeadline({ report, facts }: Ended, { there }: Leaving): string {
  if (facts.switched)
    return `Mastodon stores its media ${there.words.on}; what follows did not come to its end.`
  // A run before this one wrote it, and only that one knew what stood there.
  const wasThere = report.steps.some(({ id, status }) => id === 'env-switch' && status === 'ready')
  if (wasThere) return `Not finished: the env file names ${there.it}, and stays so.`
  const isBack = !report.steps.some(({ note }) => note.startsWith(NOT_TAKEN_BACK))
  return isBack
    ? 'Not switched; everything is back as it was.'
    : 'Not switched, and not all of it is back: see what is said above.'
}
