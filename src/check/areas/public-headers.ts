import { MEDIA_CACHE_CONTROL } from '../../flow/storage-block.ts'
import type { Check } from '../../plan/verdict.ts'
import type { VisitAt } from './visit.ts'
import { type Go, visitedCheck } from './visited.ts'

/** Cache-Control arrives as Mastodon sets it; zone settings and rules can overwrite it. */
export function cacheControlCheck(go: Go): Check<keyof VisitAt> {
  return visitedCheck(go, {
    id: 'public-cache-control',
    title: 'Cache-Control',
    judge({ plain }) {
      const sent = plain.header('cache-control').join(', ')
      if (sent === MEDIA_CACHE_CONTROL) return [{ severity: 'ok', saw: sent }]
      return [
        {
          severity: 'note',
          saw: `It comes as "${sent}", and Mastodon set "${MEDIA_CACHE_CONTROL}".`,
          matters: 'Media never changes. Browsers that may not keep it load it again and again.',
          next: 'In the Cloudflare dashboard, under Caching, set Browser Cache TTL to "Respect Existing Headers", and look for rules about this header.',
        },
      ]
    },
  })
}
