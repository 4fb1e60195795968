import { readPolicies, refusedBy } from '../../announce/content-security-policy.ts'
import { visit } from '../../announce/instance-page.ts'
import { Problem } from '../../core/problem.ts'
import type { Check } from '../../plan/verdict.ts'
import { instanceHost, mediaHost } from './instance.ts'

const WEEK_MS = 7 * 24 * 3600 * 1000

/**
 * The service worker fetches media by its own policy, which browsers keep for up to a week
 * (mastodon#28842). Most servers send none with it.
 */
export const workerPolicy: Check<'installation' | 'storage' | 'web' | 'clock'> = {
  id: 'service-worker-csp',
  about: 'Mastodon',
  title: 'Service worker',
  cost: 'look',
  async look(at) {
    const [own, media] = [instanceHost(at), mediaHost(at)]
    if (own === undefined || media === undefined) {
      return [{ severity: 'skipped', saw: 'the instance or the media host is not known' }]
    }
    try {
      const { status, header } = await visit(at.web, own, '/sw.js')
      if (status !== 200) return [{ severity: 'skipped', saw: `/sw.js answers with ${status}` }]
      const policies = readPolicies(header('content-security-policy'))
      if (policies.length === 0) return [{ severity: 'ok', saw: 'has no policy of its own' }]
      const refused = refusedBy(policies, ['connect-src'], media)
      if (refused.length === 0) return [{ severity: 'ok', saw: `its policy names ${media}` }]
      const safe = new Date(at.clock.now().getTime() + WEEK_MS).toISOString().slice(0, 10)
      return [
        {
          severity: 'warning',
          saw: `https://${own}/sw.js has a Content-Security-Policy without ${media} in connect-src.`,
          matters: `Browsers of people who are logged in refuse media ("Refused to connect"), and keep the old policy for up to 7 days: put right today, all is well on ${safe} at the latest.`,
          next: `Look for Content-Security-Policy in the web server's settings, and add https://${media} to connect-src. What comes now:\n  curl -sI https://${own}/sw.js`,
        },
      ]
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return [{ severity: 'skipped', saw: `not seen: ${error.what}` }]
    }
  },
}
