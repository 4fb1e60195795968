import { Problem } from '../../core/problem.ts'
import { toType } from '../../core/to-type.ts'
import { type Check, troubleOf } from '../../plan/verdict.ts'
import { corsOnce } from '../../setup/public-read.ts'
import type { VisitAt } from './visit.ts'
import { type Go, visitedCheck } from './visit.ts'

const MATTERS =
  'Browsers block what scripts read: audio never plays, and images fail on reload (Mastodon 4.2 and newer).'

/** One Access-Control-Allow-Origin, on a copy that was first asked for without Origin, too. */
export function corsCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-cors',
    title: 'CORS',
    judge({ url, plain, scripted, origin }) {
      try {
        corsOnce(url, plain, scripted, origin)
      } catch (error) {
        if (!(error instanceof Problem)) throw error
        const next = error.code === 'public-cors' ? { next: toType('init') } : {}
        return [troubleOf(error, { matters: MATTERS, ...next })]
      }
      return [{ severity: 'ok', saw: `${origin} may read media, and it is said once` }]
    },
  })
}
