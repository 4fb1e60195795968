import { type ContentSecurityPolicy, readPolicies, refusedBy, visit } from '../../announce/pages.ts'
import { Problem } from '../../core/problem.ts'
import { prose } from '../../core/to-type.ts'
import type { Check, CheckWorld, Verdict } from '../../plan/verdict.ts'
import { restartLine } from './running.ts'

type HostsAt = Pick<CheckWorld, 'installation' | 'storage' | 'web'>

/** Where people open Mastodon. */
export function instanceHost({ installation }: Pick<HostsAt, 'installation'>): string | undefined {
  return installation.webDomain ?? installation.localDomain
}

/** The host of media, when the settings name a usable one. */
export function mediaHost({ storage }: Pick<HostsAt, 'storage'>): string | undefined {
  const host = storage.mediaHost ?? ''
  return /^[a-z0-9-]+(\.[a-z0-9-]+)+$/.test(host) ? host : undefined
}

type Needs = 'installation' | 'storage' | 'web'
type At = Pick<CheckWorld, Needs>

/** Images, players, and the reloads of the service worker (mastodon#27446). */
const NEEDED = ['img-src', 'media-src', 'connect-src']

/** Browsers load media only from hosts that the instance's own pages name in their policy. */
export const pagePolicy: Check<Needs> = {
  id: 'instance-csp',
  about: 'Mastodon',
  title: 'Content-Security-Policy',
  cost: 'look',
  async look(at) {
    const [own, media] = [instanceHost(at), mediaHost(at)]
    if (media === undefined) return [skipped('no usable media host is set')]
    if (own === undefined) return [skipped('LOCAL_DOMAIN is not known')]
    try {
      const { status, header, url } = await visit(at.web, own, '/')
      const policies = readPolicies(header('content-security-policy'))
      if (policies.length === 0) return [none(url, status)]
      const refused = refusedBy(policies, NEEDED, media)
      if (refused.length > 0) return [refusal(at, { url, media, refused, policies })]
      return [{ severity: 'ok', saw: `${own} names ${media} for images, players and scripts` }]
    } catch (error) {
      if (!(error instanceof Problem)) throw error
      return [unseen(own, error)]
    }
  },
}

function skipped(saw: string): Verdict {
  return { severity: 'skipped', saw }
}

function none(url: string, status: number): Verdict {
  if (status >= 400) {
    return {
      severity: 'note',
      saw: `${url} answered with status ${status}, and no Content-Security-Policy.`,
      matters: 'So it can not be told whether browsers will load media from the media host.',
      next: `Look at what answers there:\n  curl -sI ${url}`,
    }
  }
  return {
    severity: 'note',
    saw: `${url} sends no Content-Security-Policy.`,
    matters: 'Mastodon sends one; something in front takes it away. Media loads, less protected.',
    next: `Look for the header in the web server's settings. What comes now:\n  curl -sI ${url}`,
  }
}

function refusal(
  { installation }: At,
  seen: {
    readonly url: string
    readonly media: string
    readonly refused: readonly string[]
    readonly policies: readonly ContentSecurityPolicy[]
  },
): Verdict {
  const { url, media, refused, policies } = seen
  const isDouble = policies.length > 1
  return {
    severity: 'fault',
    saw: `The Content-Security-Policy of ${url} does not name ${media} in ${refused.join(', ')}.`,
    matters: isDouble
      ? 'Browsers refuse media from there. Two policies are sent, and both must allow it: one is likely added by the web server or a Cloudflare rule.'
      : 'Browsers refuse media from there ("Refused to load"). Mastodon names the host once its web processes have read the settings.',
    next: prose`Type this (if it does not help, look for Content-Security-Policy in the web server's settings):\n  ${restartLine(installation, { role: 'web' })}`,
  }
}

function unseen(own: string, { what, next }: Problem): Verdict {
  return {
    severity: 'note',
    saw: `https://${own}/ could not be looked at: ${what}`,
    matters: 'So it can not be told whether browsers will load media from the media host.',
    next: /custom domain|bucket/.test(String(next))
      ? `Try it by hand:\n  curl -sI https://${own}/`
      : next,
  }
}

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
