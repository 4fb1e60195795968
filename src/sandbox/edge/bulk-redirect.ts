import type { SandboxList, SandboxRedirect } from './state.ts'

/** A redirect's source URL taken apart; its scheme may be absent. */
interface Source {
  readonly scheme: string | undefined
  readonly host: string
  readonly path: string
}

/** Where the redirect of a list that fits `url` best leads to. */
export interface BulkTarget {
  readonly location: string
  readonly status: number
}

/** Whether the named list has a redirect for the URL. */
export function isListed(lists: readonly SandboxList[], name: string, url: string): boolean {
  return findRedirect(lists, name, url) !== undefined
}

/** Matching and target as in Cloudflare's docs (rules, bulk-redirects: how it works, parameters). */
export function bulkTarget(
  lists: readonly SandboxList[],
  name: string,
  url: string,
): BulkTarget | undefined {
  const redirect = findRedirect(lists, name, url)
  if (redirect === undefined) return undefined
  const { pathname, search } = new URL(url)
  const source = sourceOf(redirect.sourceUrl)
  const isBelow = redirect.subpathMatching && redirect.preservePathSuffix
  const suffix = isBelow ? pathname.slice(withoutSlash(source.path).length) : ''
  const target = suffix === '' ? redirect.targetUrl : joined(redirect.targetUrl, suffix)
  const query = redirect.preserveQueryString ? search : ''
  return { location: `${target}${query}`, status: redirect.status }
}

/** Host, path and the scheme where given; undefined for what Cloudflare does not take as a source. */
export function readSource(sourceUrl: string): Source | undefined {
  const form = /^(?:(https?):\/\/)?([a-z0-9.-]+\.[a-z0-9-]+)(\/[^?#\s]*)?$/i
  const [, scheme, host, path = '/'] = form.exec(sourceUrl) ?? []
  return host === undefined ? undefined : { scheme, host: host.toLowerCase(), path }
}

/** The exact host before its parents, then the longest path. */
function findRedirect(
  lists: readonly SandboxList[],
  name: string,
  url: string,
): SandboxRedirect | undefined {
  const items = lists.find((list) => list.name === name)?.items ?? []
  return items
    .filter((item) => fits(item, new URL(url)))
    .map((item) => ({ item, source: sourceOf(item.sourceUrl) }))
    .sort(
      (a, b) =>
        b.source.host.length - a.source.host.length || b.source.path.length - a.source.path.length,
    )[0]?.item
}

function fits(item: SandboxRedirect, { protocol, hostname, pathname }: URL): boolean {
  const { scheme, host, path } = sourceOf(item.sourceUrl)
  const sameHost = hostname === host || (item.includeSubdomains && hostname.endsWith(`.${host}`))
  const base = withoutSlash(path)
  const below = item.subpathMatching && pathname.startsWith(`${base}/`)
  const samePath = pathname === path || (item.subpathMatching && pathname === base)
  return (scheme === undefined || `${scheme}:` === protocol) && sameHost && (samePath || below)
}

function sourceOf(sourceUrl: string): Source {
  const source = readSource(sourceUrl)
  if (source === undefined) throw new Error(`${sourceUrl} is no source URL.`)
  return source
}

function joined(target: string, suffix: string): string {
  return `${withoutSlash(target)}/${suffix.replace(/^\//, '')}`
}

function withoutSlash(text: string): string {
  return text.replace(/\/$/, '')
}
