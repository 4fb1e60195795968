import type { OutgoingHttpHeaders } from 'node:http'
import type { World } from '../world.ts'
import { evaluate, RuleLanguageError, type ValueType, type Visit } from './language.ts'
import { parse } from './parse.ts'
import {
  isRecord,
  type Phase,
  type SandboxList,
  type SandboxRedirect,
  type SandboxRule,
  type StrangerRefusal,
  settleOperations,
} from './state.ts'

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
function isListed(lists: readonly SandboxList[], name: string, url: string): boolean {
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

/** A world as of now, for looking rules up. */
export interface EdgeAt {
  readonly world: World
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * The switched-on rules of the phase that fit the visit, in their order: those of the host's zone,
 * or of its account. Throws RuleLanguageError that names the rule which can't be evaluated.
 */
function matchingRules(at: EdgeAt, phase: Phase, visit: Visit): SandboxRule[] {
  const zone = zoneOf(at.world, visit.host)
  if (zone === undefined || zone.paused) return []
  const owner = phase === 'http_request_redirect' ? zone.accountId : zone.id
  const ruleset = at.world.edge.rulesets.find(
    (known) => known.owner === owner && known.phase === phase,
  )
  return (ruleset?.rules ?? []).filter(
    (rule) => rule.enabled && valueFor(at, phase, rule, rule.expression, 'boolean', visit) === true,
  )
}

/** The value of an expression that belongs to the rule. */
function valueFor(
  at: EdgeAt,
  phase: Phase,
  rule: SandboxRule,
  expression: string,
  type: ValueType,
  visit: Visit,
): string | number | boolean {
  const lists = listsFor(at, visit.host)
  try {
    const parsed = parse(expression, type, partOf(phase))
    return evaluate(parsed, visit, (name, value) => isListed(lists, name, value))
  } catch (error) {
    if (!(error instanceof RuleLanguageError)) throw error
    throw new RuleLanguageError(`rule "${rule.ref}" of ${phase}: ${error.message}`)
  }
}

/** The lists of the host's account as of now. */
function listsFor({ world, now }: EdgeAt, host: string): SandboxList[] {
  settleOperations(world.edge, now)
  const accountId = zoneOf(world, host)?.accountId
  return world.edge.lists.filter((list) => list.accountId === accountId)
}

/** Whether expressions of the phase are about the answer, too. */
export function partOf(phase: Phase): 'request' | 'response' {
  return phase.startsWith('http_response') ? 'response' : 'request'
}

/** The zone with the longest name that the host lies in. */
function zoneOf(world: World, host: string) {
  return world.zones
    .filter(({ name }) => host === name || host.endsWith(`.${name}`))
    .sort((a, b) => b.name.length - a.name.length)[0]
}

/** What Cloudflare answers by itself, before the origin is asked. */
export type EdgeAnswer =
  | { readonly is: 'redirect'; readonly status: number; readonly location: string }
  | { readonly is: 'blocked' }

/**
 * Redirects and blocks in the order of Cloudflare's phases: single redirects, custom rules, bulk
 * redirects. Throws RuleLanguageError for a rule that the sandbox does not evaluate.
 */
export function answerAtEdge(at: EdgeAt, visit: Visit): EdgeAnswer | undefined {
  const [single] = matchingRules(at, 'http_request_dynamic_redirect', visit)
  if (single) return singleRedirect(at, single, visit)
  if (matchingRules(at, 'http_request_firewall_custom', visit).length > 0) return { is: 'blocked' }
  for (const rule of matchingRules(at, 'http_request_redirect', visit)) {
    const answer = bulkRedirect(at, rule, visit)
    if (answer) return answer
  }
  return undefined
}

/** Files that Hotlink Protection is about (Cloudflare docs, waf/tools/scrape-shield/hotlink-protection). */
const HOTLINKED = /\.(gif|ico|jpe?g|png)$/i

/** What the zone keeps from others, where that is switched on: before any rule is looked at. */
export function refusedToStrangers(
  { world }: EdgeAt,
  { host, path }: Pick<Visit, 'host' | 'path'>,
  headers: { readonly referer?: string | undefined; readonly 'user-agent'?: string | undefined },
): StrangerRefusal | undefined {
  const zone = zoneOf(world, host)
  if (zone === undefined || zone.paused) return undefined
  const { refuses } = world.edge
  const isServer = /\bhttp\.rb\b|\bMastodon\//.test(headers['user-agent'] ?? '')
  if (refuses.has('bots') && isServer) return 'bots'
  const { referer = '' } = headers
  const from = URL.canParse(referer) ? new URL(referer).hostname : ''
  const isOwn = from === '' || from === zone.name || from.endsWith(`.${zone.name}`)
  return refuses.has('hotlinks') && HOTLINKED.test(path) && !isOwn ? 'hotlinks' : undefined
}

function singleRedirect(at: EdgeAt, rule: SandboxRule, visit: Visit): EdgeAnswer {
  const { from_value: from } = rule.parameters
  const value = isRecord(from) ? from : {}
  const target = isRecord(value.target_url) ? value.target_url : {}
  const phase = 'http_request_dynamic_redirect'
  const url =
    typeof target.expression === 'string'
      ? valueFor(at, phase, rule, target.expression, 'text', visit)
      : String(target.value)
  const keeps = value.preserve_query_string === true && visit.query !== ''
  const location = keeps ? `${String(url).split('?')[0]}?${visit.query}` : String(url)
  return { is: 'redirect', status: Number(value.status_code ?? 302), location }
}

function bulkRedirect(
  at: EdgeAt,
  { parameters }: SandboxRule,
  { host, path, query }: Visit,
): EdgeAnswer | undefined {
  const name = isRecord(parameters.from_list) ? String(parameters.from_list.name) : ''
  const url = `https://${host}${path}${query === '' ? '' : `?${query}`}`
  const found = bulkTarget(listsFor(at, host), name, url)
  return found && { is: 'redirect', ...found }
}

/** What the cache rules say about a visit. */
export interface CacheSettings {
  /** true: kept whatever its extension; false: never; undefined: as by default. */
  readonly cache: boolean | undefined
  /** Seconds that an answer of that status is kept: 0 or less for not at all, undefined: default. */
  keepSeconds(status: number): number | undefined
}

/** All rules that fit count; a later one overrides what an earlier one set. */
export function cacheSettings(at: EdgeAt, visit: Visit): CacheSettings {
  const rules = matchingRules(at, 'http_request_cache_settings', visit)
  const merged: Record<string, unknown> = Object.assign(
    {},
    ...rules.map(({ parameters }) => parameters),
  )
  const edge = isRecord(merged.edge_ttl) ? merged.edge_ttl : {}
  const byStatus = Array.isArray(edge.status_code_ttl) ? edge.status_code_ttl.filter(isRecord) : []
  return {
    cache: typeof merged.cache === 'boolean' ? merged.cache : undefined,
    keepSeconds(status) {
      const found = byStatus.find((entry) => covers(entry, status))
      if (found) return Number(found.value)
      return edge.mode === 'override_origin' ? Number(edge.default) : undefined
    },
  }
}

function covers(entry: Readonly<Record<string, unknown>>, status: number): boolean {
  if (entry.status_code !== undefined) return entry.status_code === status
  const range = isRecord(entry.status_code_range) ? entry.status_code_range : {}
  return status >= Number(range.from ?? 0) && status <= Number(range.to ?? 999)
}

/** The headers of an answer after the response header rules; `visit.code` is its status. */
export function responseHeaders(
  at: EdgeAt,
  visit: Visit,
  headers: OutgoingHttpHeaders,
): OutgoingHttpHeaders {
  const changed = { ...headers }
  for (const rule of matchingRules(at, 'http_response_headers_transform', visit)) {
    const operations = isRecord(rule.parameters.headers) ? rule.parameters.headers : {}
    for (const [name, operation] of Object.entries(operations)) {
      if (isRecord(operation)) apply(changed, name.toLowerCase(), operation)
    }
  }
  return changed
}

function apply(
  headers: OutgoingHttpHeaders,
  name: string,
  { operation, value }: Readonly<Record<string, unknown>>,
): void {
  const before = headers[name]
  delete headers[name]
  if (operation === 'remove') return
  const added = operation === 'add' && before !== undefined
  headers[name] = added ? [before, String(value)].flat().map(String) : String(value)
}
