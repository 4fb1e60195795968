/**
 * Rules of a zone or an account: redirects, response headers, caching, blocking. "Nothing there yet"
 * is an empty list; refusals are Problems as in port.ts.
 */
export interface RulesPort {
  /** The phase's rules in their order, everybody's. */
  listRules(at: RulePlace, phase: RulePhase): Promise<readonly Rule[]>
  /** Makes the phase's ruleset when there is none, and puts the rule behind the others. */
  addRule(at: RulePlace, phase: RulePhase, rule: NewRule): Promise<void>
  /** The rule keeps its place. */
  changeRule(at: RulePlace, phase: RulePhase, id: string, rule: NewRule): Promise<void>
  /** Already gone is fine. */
  removeRule(at: RulePlace, phase: RulePhase, id: string): Promise<void>

  /** Redirect lists of the account. */
  listRedirectLists(accountId: string): Promise<readonly RedirectList[]>
  createRedirectList(accountId: string, name: string, description: string): Promise<RedirectList>
  listRedirects(accountId: string, listId: string): Promise<readonly Redirect[]>
  /** Waits until Cloudflare has carried it out; only one such change runs in an account. */
  addRedirects(accountId: string, listId: string, redirects: readonly NewRedirect[]): Promise<void>
  removeRedirects(accountId: string, listId: string, ids: readonly string[]): Promise<void>
  deleteRedirectList(accountId: string, listId: string): Promise<void>

  /** Smart Tiered Cache, for the whole zone: both switches on. */
  isTieredCacheOn(zoneId: string): Promise<boolean>
  setTieredCache(zoneId: string, on: boolean): Promise<void>
}

export type RulePlace =
  | { readonly kind: 'zone'; readonly zoneId: string }
  | { readonly kind: 'account'; readonly accountId: string }

export type RulePhase =
  | 'http_request_dynamic_redirect'
  | 'http_request_redirect'
  | 'http_response_headers_transform'
  | 'http_request_cache_settings'
  | 'http_request_firewall_custom'

export interface NewRule {
  /** Ours, by which the rule is found again, e.g. `mastodon-r2-system-redirect`. */
  readonly ref: string
  readonly description: string
  readonly expression: string
  readonly action: string
  readonly parameters?: Readonly<Record<string, unknown>>
  readonly enabled: boolean
}

export interface Rule extends Omit<NewRule, 'ref'> {
  readonly id: string
  readonly ref: string | undefined
}

export interface RedirectList {
  readonly id: string
  readonly name: string
  readonly description: string
  readonly items: number
}

export interface NewRedirect {
  readonly sourceUrl: string
  readonly targetUrl: string
  readonly status: 301 | 302 | 307 | 308
  readonly comment: string
}

export interface Redirect extends NewRedirect {
  readonly id: string
  readonly subpathMatching: boolean
  readonly preservePathSuffix: boolean
  readonly preserveQueryString: boolean
}
