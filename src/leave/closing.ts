import { prose, type Text, type ToType, toType } from '../core/to-type.ts'
import type { Ended } from '../flow/run.ts'
import { NOT_TAKEN_BACK } from '../plan/apply.ts'
import { OF_OTHERS } from '../redirects/single.ts'
import { unfinished } from '../setup/closing.ts'
import { knowsExtraHosts } from '../setup/media-hosts.ts'
import type { Closing } from '../ui/port.ts'
import type { Leaving } from './leaving.ts'
import type { LeaveStage } from './settings.ts'
import { BY_BUCKET } from './take-back-redirect.ts'

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
  /** The settings name the destination, and not all of Mastodon was seen to run with them. */
  readonly unfinished: boolean
}

const section = (title: string, line: Text) => ({ title, lines: [prose`  ${line}`] })

/** The last words of a stage. */
export function leaveClosing(ended: Ended, of: LeaveEnded): Closing {
  const { at, stage, again } = of
  const { report } = ended
  const { it, words } = at.there
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
    const meanwhile = at.isSwitched ? '' : ', while Mastodon goes on with R2'
    const toFetch = section(`To ${words.fetch} it${meanwhile}`, at.lineFor('copy'))
    return { headline: 'Nothing was changed.', sections: [toFetch, ...toFinish(of)] }
  }
  if (stage === 'copy') {
    const wasThere = report.steps.some(({ id, status }) => id === 'copy' && status === 'ready')
    const done = wasThere
      ? `Nothing is left to ${words.fetch}.`
      : `What ${it} lacked was ${words.fetched}.`
    const toSwitch = section(`To switch Mastodon to ${it}`, at.lineFor('cutover'))
    return {
      headline: at.isSwitched ? done : `${done} Mastodon goes on with R2.`,
      sections: [
        section('To see that nothing is missing', at.lineFor('compare')),
        ...(at.isSwitched ? toFinish(of) : [toSwitch]),
      ],
    }
  }
  if (stage === 'cutover') return { headline: storesThere(at), sections: afterwards(of) }
  if (stage === 'redirects') return of.undo ? takenBack(ended, of) : redirected(ended, of)
  return { headline: `Nothing is missing ${words.on}.`, sections: toFinish(of) }
}

/** Of a cut-over that was cut off. */
function toFinish({ at, unfinished }: LeaveEnded): Closing['sections'] {
  if (!unfinished) return []
  const title = `The settings name ${at.there.it}, and not all of Mastodon was seen to run with them. To bring the switch to its end`
  return [section(title, at.lineFor('cutover'))]
}

function storesThere({ there }: Leaving): string {
  return `Mastodon stores its media ${there.words.on}.`
}

function afterwards({ at, mediaHost }: LeaveEnded): Closing['sections'] {
  const { there, lineFor, installation } = at
  const remembered =
    'Other servers, browsers and caches remember addresses there. The bucket is as it was'
  const lines =
    there.kind === 'disk'
      ? [`${remembered}; a way back to R2 stays prepared:`, prose`  ${toType('migrate')}`]
      : [`${remembered}${allowed(installation, mediaHost)}`]
  return [
    { title: 'Keep the bucket on R2 and its media host for some weeks', lines },
    section(
      'To lead its addresses to the new place, by a rule at Cloudflare',
      lineFor('redirects'),
    ),
  ]
}

/** With S3 the pages name one media host, and since 4.4 those of EXTRA_MEDIA_HOSTS. */
function allowed({ version }: Leaving['installation'], mediaHost: string): string {
  return knowsExtraHosts(version)
    ? ", and Mastodon's pages go on allowing media from there."
    : `. Mastodon ${version} can name one media host only (4.4 and later can name more), so browsers may refuse media from ${mediaHost} on its pages.`
}

function redirected({ report }: Ended, { at, mediaHost, base }: LeaveEnded): Closing {
  const keep = `The rule comes before the bucket: keep ${mediaHost} attached to it, or its name leads nowhere.`
  const isOfOthers = report.steps.some(({ note }) => note.endsWith(OF_OTHERS))
  const back = isOfOthers
    ? ['The rule is of others: who goes back to R2 takes it away first, at Cloudflare.']
    : [
        'Who goes back to R2 takes the redirect away first:',
        prose`  ${at.lineFor('redirects', { undo: true })}`,
      ]
  return {
    headline: `https://${mediaHost}/... leads to https://${base}/...`,
    sections: [{ title: 'As long as it is to work', lines: [keep, ...back] }],
  }
}

function takenBack({ report }: Ended, { mediaHost }: LeaveEnded): Closing {
  const [step] = report.steps
  const addresses = `https://${mediaHost}/...`
  if (step?.status !== 'changed') {
    const headline = `Nothing was changed: no rule of this program redirects ${addresses}`
    return { headline, sections: [] }
  }
  const headline = step.note.endsWith(BY_BUCKET)
    ? `${addresses} is answered by the bucket on R2 again.`
    : `The redirect of ${addresses} is taken back.`
  return { headline, sections: [] }
}

function switchHeadline({ report, facts }: Ended, { there }: Leaving): string {
  if (facts.switched)
    return `Mastodon stores its media ${there.words.on}; what follows did not come to its end.`
  // A run before this one wrote it, and only that one knew what stood there.
  const wasThere = report.steps.some(({ id, status }) => id === 'env-switch' && status === 'ready')
  if (wasThere) return `Not finished: the env file names ${there.it}, and stays so.`
  if (report.steps.every(({ status }) => !/^(changed|failed)$/.test(status)))
    return 'Nothing was changed.'
  const isBack = !report.steps.some(({ note }) => note.startsWith(NOT_TAKEN_BACK))
  return isBack
    ? 'Not switched; everything is back as it was.'
    : 'Not switched, and not all of it is back: see what is said above.'
}
