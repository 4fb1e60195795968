import type { OutgoingHttpHeaders } from 'node:http'

/** What the sandbox keeps of rules, redirect lists and cache switches: plain data. */
export interface EdgeState {
  readonly rulesets: SandboxRuleset[]
  readonly lists: SandboxList[]
  readonly operations: SandboxOperation[]
  readonly tiering: SandboxTiering[]
  /** How long a change of a list takes, milliseconds. */
  operationMs: number
  readonly limits: EdgeLimits
  /** What its zones keep from others: Hotlink Protection, and a challenge for what is no browser. */
  readonly refuses: Set<StrangerRefusal>
  /** What the cache holds, and until when (milliseconds since the epoch) it remembers a 404. */
  readonly cached: Map<string, KeptAnswer>
  readonly missing: Map<string, number>
}

/** An answer that the edge keeps. */
export interface KeptAnswer {
  readonly host: string
  /** Path and query. */
  readonly url: string
  /** Pages of another origin have copies of their own (Cloudflare docs, cache/how-to/cache-keys). */
  readonly origin: string | undefined
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body: Buffer
  /** Milliseconds since the epoch. */
  readonly since: number
  readonly until: number
}

export const strangerRefusals = ['hotlinks', 'bots'] as const

export type StrangerRefusal = (typeof strangerRefusals)[number]

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
    refuses: new Set(),
    cached: new Map(),
    missing: new Map(),
  }
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** Carries out what is due by now, in the order in which it came; milliseconds since the epoch. */
export function settleOperations(edge: EdgeState, now: number): void {
  const { operations, operationMs } = edge
  const first = operations.findLastIndex(({ outcome }) => outcome !== undefined) + 1
  for (const operation of operations.slice(first)) {
    if (operation.startedAt + operationMs > now) return
    operation.outcome = carryOut(edge, operation)
  }
}

function carryOut(edge: EdgeState, operation: SandboxOperation): SandboxOperation['outcome'] {
  const at = operation.startedAt + edge.operationMs
  const list = edge.lists.find(({ id }) => id === operation.listId)
  if (list === undefined) return { at, error: 'the list does not exist' }
  const { remove, add } = operation
  const kept = remove === 'all' ? [] : list.items.filter(({ id }) => !remove.includes(id))
  const taken = add.find((item) => kept.some(({ sourceUrl }) => sourceUrl === item.sourceUrl))
  if (taken !== undefined) return { at, error: `duplicate of the source URL ${taken.sourceUrl}` }
  const others = edge.lists.filter(
    ({ id, accountId }) => id !== list.id && accountId === list.accountId,
  )
  const total = [...others.flatMap(({ items }) => items), ...kept, ...add].length
  if (total > edge.limits.redirects) return { at, error: 'exceeded the maximum number of items' }
  list.items = [...kept, ...add]
  list.updatedAt = at
  return { at }
}
