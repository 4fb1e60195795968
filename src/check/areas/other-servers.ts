import { Problem } from '../../core/problem.ts'
import type { Check, Verdict } from '../../plan/verdict.ts'
import type { WebResponse } from '../../services/public-web/port.ts'
import type { Strange } from './as-stranger.ts'
import { type Go, type VisitAt, visitedCheck } from './visit.ts'

const WHO: Record<Strange['refusedFor'][number], string> = {
  agent: 'a server such as another Mastodon (by its User-Agent)',
  referer: 'a browser that shows it on a page of another site (by its Referer)',
  both: 'another server that names a page (neither User-Agent nor Referer alone is refused)',
}

/** Cloudflare's numbers for a refusal of its own (Cloudflare docs, 1xxx errors). */
const NUMBERS: Readonly<Record<string, string>> = {
  1006: 'a rule against this address',
  1007: 'a rule against this address',
  1008: 'a rule against this address',
  1009: 'a rule against this country',
  1010: 'Browser Integrity Check',
  1011: 'Hotlink Protection',
  1015: 'a rate limit',
  1020: 'a custom rule',
}

/** Other servers and their pages get the media, too: no hotlink protection, no bot rule is in the way. */
export function otherServersCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-other-servers',
    title: 'Other servers',
    judge: ({ strange }) => [judge(strange)],
  })
}

function judge({ answer, refusedFor }: Strange): Verdict {
  if (refusedFor.length === 0) {
    return { severity: 'ok', saw: "another server's request, from a page of its own, is answered" }
  }
  const ray = answer instanceof Problem ? undefined : answer.header('cf-ray')[0]
  const seen = ray === undefined ? '' : ` The Ray ID of the request: ${ray}.`
  return {
    severity: 'note',
    saw: `The media host answers this program, and refuses ${refusedFor.map((who) => WHO[who]).join(' and ')}: ${refusal(answer)}.`,
    matters:
      'Other servers then show no pictures of yours, and apps and pages elsewhere may not either.',
    next: `${cure(answer, refusedFor)}${seen}`,
  }
}

function refusal(answer: WebResponse | Problem): string {
  if (answer instanceof Problem) return answer.what.replace(/\.$/, '')
  const { status } = answer
  if (isChallenge(answer)) return `status ${status}, a challenge (cf-mitigated: challenge)`
  const number = numberOf(answer)
  const named = number === undefined ? undefined : NUMBERS[number]
  if (named !== undefined) return `status ${status}, Cloudflare's error ${number}: ${named}`
  if (number !== undefined) return `status ${status}, Cloudflare's error ${number}`
  return status === 200 ? 'another file comes instead' : `status ${status}`
}

function isChallenge(answer: WebResponse): boolean {
  return answer.header('cf-mitigated').some((value) => /^challenge$/i.test(value.trim()))
}

function numberOf({ status, body }: WebResponse): string | undefined {
  if (status < 400) return undefined
  const text = Buffer.from(body.subarray(0, 65_536)).toString('latin1')
  return /\berror(?: code)?:?\s*(1\d{3})\b/i.exec(text)?.[1]
}

function cure(answer: WebResponse | Problem, refusedFor: Strange['refusedFor']): string {
  const isReferer = refusedFor.length === 1 && refusedFor[0] === 'referer'
  const number = answer instanceof Problem ? undefined : numberOf(answer)
  const events =
    'In the Cloudflare dashboard, Security > Events names what refused it; let that leave out the media host.'
  if (number === '1011' || (isReferer && number === undefined)) {
    return 'In the Cloudflare dashboard, switch Hotlink Protection (Scrape Shield) off for the media host, with a Configuration Rule, or for the whole zone; if it is off, a rule or a Worker looks at the Referer.'
  }
  if (!(answer instanceof Problem) && isChallenge(answer)) {
    return `${events} Bot Fight Mode knows no exceptions: it can only be switched off for the whole zone.`
  }
  return events
}
