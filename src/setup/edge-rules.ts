import { counted } from '../core/amounts.ts'
import type { Setup } from '../plan/step.ts'
import type {
  NewRule,
  Rule,
  RulePermission,
  RulePhase,
  RulePlace,
} from '../services/cloudflare/port.ts'

/** One rule of the media host's zone that this tool keeps. */
export interface EdgeRule {
  /** The step's id, and a part of the rule's ref. */
  readonly id: string
  readonly title: string
  readonly phase: RulePhase
  readonly permission: RulePermission
  /** What it does and why, for the plan; `ready` when it is there. */
  readonly does: string
  readonly ready: string
  /** `known`: the rule that is there, in which a person may have chosen something. */
  of(setup: Setup, known?: Rule): Pick<NewRule, 'expression' | 'action' | 'parameters'>
}

/** The whole rule as it is wanted, and the one that is there; found by its ref. */
export function wantedRule(
  edge: EdgeRule,
  setup: Setup,
  rules: readonly Rule[],
): { readonly wanted: NewRule; readonly ours: Rule | undefined } {
  const ref = refOf(edge, setup)
  const ours = rules.find((rule) => rule.ref === ref)
  const description = `mastodon-r2: ${edge.title} (${setup.mediaHost})`
  return { wanted: { ref, description, ...edge.of(setup, ours), enabled: true }, ours }
}

/** The host is part of it: a zone may hold the media hosts of several servers, or an old one. */
export function refOf({ id }: EdgeRule, { mediaHost }: Setup): string {
  return `mastodon-r2-${id}-${mediaHost.replaceAll('.', '_')}`
}

export function zonePlace({ zone }: Setup): RulePlace {
  return { kind: 'zone', zoneId: zone.id }
}

/** Whether the rule does what is wanted; Cloudflare may add parameters of its own. */
export function isSameRule(known: Rule, wanted: NewRule): boolean {
  return (
    known.enabled === wanted.enabled &&
    known.action === wanted.action &&
    plain(known.expression) === plain(wanted.expression) &&
    holds(known.parameters ?? {}, wanted.parameters ?? {})
  )
}

/** Without the parentheses around the whole and with single spaces, as the dashboard may write it. */
function plain(expression: string): string {
  const spaced = expression.trim().replaceAll(/\s+/g, ' ')
  const inner = /^\(([^()]*)\)$/.exec(spaced)?.[1]
  return inner ?? spaced
}

function holds(known: unknown, wanted: unknown): boolean {
  if (Array.isArray(wanted)) {
    return (
      Array.isArray(known) &&
      known.length === wanted.length &&
      wanted.every((item, index) => holds(known[index], item))
    )
  }
  if (typeof wanted !== 'object' || wanted === null) return known === wanted
  if (typeof known !== 'object' || known === null) return false
  const named = new Map(Object.entries(known).map(([name, value]) => [name.toLowerCase(), value]))
  return Object.entries(wanted).every(([name, value]) =>
    holds(named.get(name.toLowerCase()), value),
  )
}

/** Do not store at all (docs, cache: cache rules settings). */
const NO_STORE = -1

/** How long the edge keeps media: seconds, as browsers may (`origin`), or as it is (undefined). */
export type EdgeTime = number | 'origin' | undefined

/**
 * By default Cloudflare caches by extension, without MOV, M4A, WAV and others, and it keeps a 404
 * for three minutes (docs, cache: default cache behavior, edge TTL).
 */
export function cacheRule(time: EdgeTime): EdgeRule {
  const long = typeof time === 'number' ? inWords(time) : undefined
  return {
    id: 'cache-everything',
    title: 'Cache rule',
    phase: 'http_request_cache_settings',
    permission: 'cache-rules',
    does:
      long === undefined
        ? 'cache every kind of media, as long as its own Cache-Control says, and no 404: fewer paid reads, and a file that comes late is seen at once'
        : `cache every kind of media for ${long}, and no error: what is deleted leaves Cloudflare's cache after that, and what is not is read from R2 again. Browsers keep it as long as its own Cache-Control says`,
    ready: `every kind of media is cached${long === undefined ? '' : ` for ${long}`}, no 404`,
    of: ({ mediaHost }, known) => ({
      expression: `http.host eq "${mediaHost}"`,
      action: 'set_cache_settings',
      parameters: {
        cache: true,
        ...edgeSide(time ?? chosenTime(known)),
        browser_ttl: { mode: 'respect_origin' },
      },
    }),
  }
}

/** A time of the edge's own would hold for answers of every kind, so errors are not kept at all. */
function edgeSide(time: number | 'origin'): Readonly<Record<string, unknown>> {
  if (time === 'origin') {
    const status_code_ttl = [{ status_code: 404, value: NO_STORE }]
    return { edge_ttl: { mode: 'respect_origin', status_code_ttl } }
  }
  const errors = { status_code_range: { from: 400, to: 599 }, value: NO_STORE }
  return { edge_ttl: { mode: 'override_origin', default: time, status_code_ttl: [errors] } }
}

/** The memory of a choice is the rule itself. */
function chosenTime(known: Rule | undefined): number | 'origin' {
  const { edge_ttl: edge } = known?.parameters ?? {}
  if (typeof edge !== 'object' || edge === null) return 'origin'
  const { mode, default: seconds } = edge as Readonly<Record<string, unknown>>
  return mode === 'override_origin' && typeof seconds === 'number' && seconds > 0
    ? seconds
    : 'origin'
}

/** `30 days`, `2 hours` */
function inWords(seconds: number): string {
  const hours = Math.round(seconds / 3600)
  return hours % 24 === 0 ? counted(hours / 24, 'day') : counted(hours, 'hour')
}

export const cacheEverything = cacheRule(undefined)

const FOLDERS = ['/backups/', '/imports/']

/**
 * Archives and imports of users lie in the bucket as well. Mastodon hands them out by signed links
 * to the S3 endpoint, which this rule does not touch.
 */
export const privateFolders: EdgeRule = {
  id: 'private-folders',
  title: 'Private folders',
  phase: 'http_request_firewall_custom',
  permission: 'custom-rules',
  does: "refuse /backups/ and /imports/ on the media host: they hold users' archives, which Mastodon hands out by signed links elsewhere",
  ready: '/backups/ and /imports/ are refused on the media host',
  of: ({ mediaHost }) => {
    const paths = FOLDERS.map((path) => `starts_with(http.request.uri.path, "${path}")`)
    const expression = `http.host eq "${mediaHost}" and (${paths.join(' or ')})`
    return { expression, action: 'block' }
  },
}

const set = (value: string) => ({ operation: 'set', value })

/** The headers that Mastodon's own nginx example gives to media, and that R2 does not. */
export const securityHeaders: EdgeRule = {
  id: 'security-headers',
  title: 'Protective headers',
  phase: 'http_response_headers_transform',
  permission: 'response-headers',
  does: "send nosniff and Content-Security-Policy: default-src 'none' with media, so that a file dressed up as an image can't act as a page",
  ready: 'nosniff and Content-Security-Policy are set',
  of: ({ mediaHost }) => ({
    expression: `http.host eq "${mediaHost}"`,
    action: 'rewrite',
    parameters: {
      headers: {
        'X-Content-Type-Options': set('nosniff'),
        'Content-Security-Policy': set("default-src 'none'; form-action 'none'"),
      },
    },
  }),
}

/** Every rule of this tool for the media host, in the order in which they are put there. */
export const recommended: readonly EdgeRule[] = [securityHeaders, cacheEverything, privateFolders]
