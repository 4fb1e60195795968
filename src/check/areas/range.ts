import { Problem } from '../../core/problem.ts'
import { type Check, troubleOf } from '../../plan/verdict.ts'
import { partOnly } from '../../setup/public-read.ts'
import type { VisitAt } from './visit.ts'
import { type Go, visitedCheck } from './visit.ts'

const MATTERS = 'Nobody can seek in a video, and Safari plays none at all.'
const NEXT =
  'Look for a Worker or a rule on the media host in the Cloudflare dashboard that changes answers.'

/** Parts of a file (206), without which browsers can't seek in videos, and Safari plays none. */
export function rangeCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-range',
    title: 'Parts of files',
    judge({ url, range, sent }) {
      try {
        partOnly(url, range, sent)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        return [troubleOf(error, { matters: MATTERS, next: NEXT })]
      }
      return [{ severity: 'ok', saw: 'a part of a file comes with status 206' }]
    },
  })
}
