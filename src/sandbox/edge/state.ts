/** What the sandbox keeps of rules, redirect lists and cache switches: plain data. */
export interface EdgeState {
  readonly rulesets: SandboxRuleset[]
  readonly lists: SandboxList[]
  readonly operations: SandboxOperation[]
  readonly tiering: SandboxTiering[]
  /** How long a change of a list takes, milliseconds. */
  operationMs: number
  readonly limits: EdgeLimits
}

/** What the plan allows; Cloudflare's Free plan unless told. */
export interface EdgeLimits {
  /** Rules of one phase in a zone. */
  zoneRules: number
  /** WAF custom rules of a zone. */
  firewallRules: number
  /** Bulk redirect rules of an account. */
  bulkRules: number
  /** Lists of an account. */
  lists: number
  /** URL redirects of an account, over all lists. */
  redirects: number
}

export type Phase = (typeof zonePhases)[number] | (typeof accountPhases)[number]

export const zonePhases = [
  'http_request_dynamic_redirect',
  'http_response_headers_transform',
  'http_request_cache_settings',
  'http_request_firewall_custom',
] as const

export const accountPhases = ['http_request_redirect'] as const

export interface SandboxRuleset {
  readonly id: string
  /** Id of the zone or the account that it belongs to. */
  readonly owner: string
  readonly kind: 'zone' | 'root'
  readonly phase: Phase
  name: string
  description: string
  rules: SandboxRule[]
  version: number
  /** Milliseconds since the epoch. */
  updatedAt: number
}

export interface SandboxRule {
  readonly id: string
  readonly ref: string
  readonly description: string
  readonly expression: string
  readonly action: string
  readonly parameters: Readonly<Record<string, unknown>>
  readonly enabled: boolean
  readonly version: number
  readonly updatedAt: number
}

export interface SandboxList {
  readonly id: string
  readonly accountId: string
  readonly name: string
  readonly description: string
  readonly createdAt: number
  updatedAt: number
  items: SandboxRedirect[]
}

export interface SandboxRedirect {
  readonly id: string
  readonly sourceUrl: string
  readonly targetUrl: string
  readonly status: 301 | 302 | 307 | 308
  readonly subpathMatching: boolean
  readonly preservePathSuffix: boolean
  readonly preserveQueryString: boolean
  readonly includeSubdomains: boolean
  readonly comment: string | undefined
  readonly createdAt: number
}

/** A change of a list that has been accepted; carried out once `operationMs` have passed. */
export interface SandboxOperation {
  readonly id: string
  readonly accountId: string
  readonly listId: string
  readonly startedAt: number
  readonly add: readonly SandboxRedirect[]
  /** Ids; `all` before `add` for a replacement. */
  readonly remove: readonly string[] | 'all'
  /** Set when it is over. */
  outcome: { readonly at: number; readonly error?: string } | undefined
}

export interface SandboxTiering {
  readonly zoneId: string
  /** Tiered Cache. */
  tiered: 'on' | 'off'
  /** Smart Tiered Cache. */
  smart: 'on' | 'off'
}

/** Nothing there, limits of the Free plan. */
export function createEdgeState(): EdgeState {
  return {
    rulesets: [],
    lists: [],
    operations: [],
    tiering: [],
    operationMs: 200,
    limits: { zoneRules: 10, firewallRules: 5, bulkRules: 15, lists: 5, redirects: 10_000 },
  }
}
