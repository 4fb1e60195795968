import type { Installation } from '../services/mastodon/port.ts'
import type { PublicWebPort, WebResponse } from '../services/public-web/port.ts'
import { knowsExtraHosts, usesObjectStorage, withExtraHost } from '../setup/media-hosts.ts'

/** Directives of one Content-Security-Policy, by name in small letters. */
export type ContentSecurityPolicy = ReadonlyMap<string, readonly string[]>

/** Several headers, or several policies in one, all hold at the same time. */
export function readPolicies(headers: readonly string[]): ContentSecurityPolicy[] {
  return headers
    .flatMap((header) => header.split(','))
    .filter((policy) => policy.trim() !== '')
    .map((policy) => {
      const directives = new Map<string, readonly string[]>()
      for (const directive of policy.split(';')) {
        const [name = '', ...sources] = directive.trim().split(/\s+/)
        const key = name.toLowerCase()
        // Of two directives of one name browsers take the first (W3C CSP3, 2.2.1).
        if (key !== '' && !directives.has(key)) directives.set(key, sources)
      }
      return directives
    })
}

/** Those of the directives by which some policy refuses files of `https://host`. */
export function refusedBy(
  policies: readonly ContentSecurityPolicy[],
  names: readonly string[],
  host: string,
): string[] {
  return names.filter((name) =>
    policies.some((policy) => {
      const sources = policy.get(name) ?? policy.get('default-src')
      return sources !== undefined && !sources.some((source) => covers(source, host))
    }),
  )
}

/** A source that names a path covers only files below it, so it counts for none but `/`. */
function covers(source: string, host: string): boolean {
  const text = source.toLowerCase()
  if (text === '*' || text === 'https:') return true
  const [, scheme, name = '', port, path = ''] =
    /^(?:([a-z][a-z0-9+.-]*):\/\/)?([^/:']+)(?::(\d+|\*))?(\/.*)?$/.exec(text) ?? []
  // http: covers https:, too (CSP3, 6.7.2.8).
  if (scheme !== undefined && scheme !== 'https' && scheme !== 'http') return false
  if (
    port !== undefined &&
    port !== '443' &&
    port !== '*' &&
    !(scheme === 'http' && port === '80')
  ) {
    return false
  }
  if (path !== '' && path !== '/') return false
  return name.startsWith('*.') ? host.endsWith(name.slice(1)) : name === host
}

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

/** A page of the instance, at most three redirects on its own host followed. Throws the port's Problems. */
export async function visit(
  web: PublicWebPort,
  host: string,
  path: string,
): Promise<WebResponse & { readonly url: string }> {
  let url = new URL(`https://${host}${path}`)
  for (let left = 3; ; left -= 1) {
    const response = await web.fetch(url.href, { headers: { accept: 'text/html, */*' } })
    const [location] = response.header('location')
    const isRedirect = response.status >= 300 && response.status < 400 && location !== undefined
    const next = isRedirect && URL.canParse(location, url.href) ? new URL(location, url) : undefined
    if (next?.host !== url.host || left === 0) return { ...response, url: url.href }
    url = next
  }
}
