import { Problem } from '../../core/problem.ts'
import { type Check, troubleOf, type Verdict } from '../../plan/verdict.ts'
import { whole } from '../../setup/public-read.ts'
import { type Answers, IMAGE_TYPE, type VisitAt } from './visit.ts'
import { type Go, visitedCheck } from './visited.ts'

const NEXT =
  'npx mastodon-r2 init (it shows whether the host serves this bucket). If all is right there, look for a Worker, a rule or an Access policy on the media host in the Cloudflare dashboard.'
const MATTERS = 'The media host does not serve what is uploaded to the bucket: images are broken.'

/** An uploaded image comes back to an anonymous visitor: 200, same bytes, right type; HEAD too. */
export function contentCheck(go: Go): Check<keyof VisitAt> {
  const check = visitedCheck(go, { id: 'public-content', title: 'Public read', judge })
  return {
    ...check,
    async look(at) {
      const visit = await go(at)
      if (visit.is === 'seen') return judge(visit.answers)
      if (visit.is === 'not made') return check.look(at)
      return [troubleOf(visit.problem, { matters: `${MATTERS} ${visit.problem.why}` })]
    },
  }
}

function judge({ url, plain, sent, head }: Answers): Verdict[] {
  try {
    whole(url, plain, sent, IMAGE_TYPE)
  } catch (error) {
    if (!(error instanceof Problem)) throw error
    return [troubleOf(error, { matters: MATTERS, next: NEXT })]
  }
  const [length] = head.header('content-length')
  if (head.status !== 200 || (length !== undefined && Number(length) !== sent.length)) {
    return [
      {
        severity: 'warning',
        saw: `HEAD gave status ${head.status}, ${length ?? 'no'} bytes; GET gave 200, ${sent.length} bytes.`,
        matters: 'Other servers ask with HEAD first, and may leave the media out.',
        next: 'Look for a Worker, a rule or an Access policy on the media host in the Cloudflare dashboard.',
      },
    ]
  }
  return [{ severity: 'ok', saw: 'status, bytes and type are right, with GET and HEAD' }]
}
