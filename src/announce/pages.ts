import type { Installation } from '../services/mastodon/port.ts'
import { knowsExtraHosts, usesObjectStorage, withExtraHost } from '../setup/media-hosts.ts'
import { readPolicies, refusedBy } from './content-security-policy.ts'

/** Images, players, and the reloads of the service worker (mastodon#27446). */
const NEEDED = ['img-src', 'media-src', 'connect-src']

export type PageNames = 'host' | 'no-policy' | 'not-host'

/** What the Content-Security-Policy of the instance's page says of the media host. */
export function pageNames(headers: readonly string[], mediaHost: string): PageNames {
  const policies = readPolicies(headers)
  if (policies.length === 0) return 'no-policy'
  return refusedBy(policies, NEEDED, mediaHost).length === 0 ? 'host' : 'not-host'
}

/**
 * The lines that make Mastodon's pages name a host that it does not store media at yet; undefined
 * where its version can't. Its policy names S3_ALIAS_HOST even while S3_ENABLED is not true
 * (app/lib/content_security_policy.rb); with a provider in use that line is taken.
 */
export function announcingLines(
  { settings, version }: Pick<Installation, 'settings' | 'version'>,
  mediaHost: string,
): ReadonlyMap<string, string> | undefined {
  const extra = ['EXTRA_MEDIA_HOSTS', withExtraHost(settings, mediaHost)] as const
  if (usesObjectStorage(settings)) return knowsExtraHosts(version) ? new Map([extra]) : undefined
  const alias = ['S3_ALIAS_HOST', mediaHost] as const
  // glitch-soc used to name the alias only while S3_ENABLED is true.
  const isGlitch = /glitch/.test(version ?? '')
  return new Map(isGlitch && knowsExtraHosts(version) ? [alias, extra] : [alias])
}
