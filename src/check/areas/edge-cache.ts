import type { Check } from '../../plan/verdict.ts'
import type { VisitAt } from './visit.ts'
import { type Go, visitedCheck } from './visited.ts'

/** cf-cache-status of the second request for one image (Cloudflare docs, cache/concepts). */
export function edgeCacheCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-edge-cache',
    title: 'Edge cache',
    judge({ plain, scripted }) {
      const [status] = scripted.header('cf-cache-status')
      const [first] = plain.header('cf-cache-status')
      if (status === 'HIT') {
        return [{ severity: 'ok', saw: 'the second request was answered from the cache' }]
      }
      const saw =
        status === undefined
          ? 'The answers have no cf-cache-status.'
          : `Two requests for one image were ${first ?? 'unknown'}, then ${status}.`
      return [
        {
          severity: 'note',
          saw,
          matters:
            'What is not cached is read from the bucket each time: slower, and counted as a read operation. One MISS more may be chance.',
          next: 'If it stays so, look at Cache Rules and Development Mode of the zone in the Cloudflare dashboard, or put a rule there: npx mastodon-r2 init --edge cache-everything',
        },
      ]
    },
  })
}
