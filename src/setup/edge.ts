import { Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import type { Run } from '../flow/flow.ts'
import type { Remembered } from '../flow/mastodon-here.ts'
import type { Finding, Setup, Step, World } from '../plan/step.ts'
import {
  type NewRule,
  permissionNames,
  type Rule,
  type RulePermission,
  type RulePhase,
  type RulePlace,
} from '../services/cloudflare/port.ts'
import { isForbidden } from '../services/cloudflare/refusal.ts'
import type { SetupCatalog } from '../settings/catalog.ts'
import type { EdgeName } from '../settings/names.ts'
import { stays, type Undo } from './undoing.ts'

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
  of(setup: Setup): Pick<NewRule, 'expression' | 'action' | 'parameters'>
}

/** The whole rule, found again by its ref. */
export function wantedRule(edge: EdgeRule, setup: Setup): NewRule {
  const description = `mastodon-r2: ${edge.title} (${setup.mediaHost})`
  return { ref: refOf(edge, setup), description, ...edge.of(setup), enabled: true }
}

/** The host is part of it: a zone may hold the media hosts of several servers, or an old one. */
function refOf({ id }: EdgeRule, { mediaHost }: Setup): string {
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

const TOKENS = 'https://dash.cloudflare.com/?to=/:account/api-tokens'
const USER_TOKENS = 'https://dash.cloudflare.com/profile/api-tokens'

/** What the plan, or the kind of token, does not allow; see services/cloudflare/port.ts. */
const NOT_FOR_THIS_ACCOUNT = /^cloudflare-(plan-limit|not-in-plan|1011)$/

/**
 * An extra that can't be had is left out, and the setup goes on; anything else is thrown on.
 * `permission` as the dashboard names it.
 */
export function skipped(error: unknown, permission: string): Finding {
  if (!(error instanceof Problem)) throw error
  if (isForbidden(error)) {
    return {
      is: 'later',
      note: `skipped: the API token lacks "${permission}"`,
      next: `Add "${permission}" to the token at ${TOKENS} (a user token: ${USER_TOKENS}), and run this again.`,
    }
  }
  if (!NOT_FOR_THIS_ACCOUNT.test(error.code)) throw error
  return { is: 'later', note: `skipped: ${error.what}`, next: error.next }
}

/** The same of a rule that is wished for: whatever it was refused for, the setup goes on without it. */
function leftOut(error: unknown, title: string, permission: string): Finding {
  if (!(error instanceof Problem)) throw error
  const warnings = [`${title}: left out. Media is served without it.`]
  if (isForbidden(error) || NOT_FOR_THIS_ACCOUNT.test(error.code)) {
    return { ...skipped(error, permission), warnings } as Finding
  }
  return {
    is: 'later',
    note: prose`skipped: ${error.what} ${error.why}`,
    next: error.next,
    warnings,
  }
}

/** Taken without an error, and not there: as good as refused. */
function notTaken(title: string): Finding {
  return {
    is: 'later',
    note: 'skipped: Cloudflare took it without an error, and does not show it',
    next: `${title}: run the same command again; everything else stays as it is.`,
    warnings: [`${title}: left out. Media is served without it.`],
  }
}

/**
 * Puts the rule behind those of others, or renews it at its place; found again by its ref. What is
 * refused is left out, never a failure: media is served without it.
 */
export function keepRule(edge: EdgeRule): Step<'cloudflare' | 'setup'> {
  let carriedOut = false
  let refusal: Finding | undefined

  return {
    id: edge.id,
    title: edge.title,

    async look({ cloudflare, setup }): Promise<Finding> {
      if (refusal) return refusal
      const wanted = wantedRule(edge, setup)
      try {
        const rules = await cloudflare.listRules(zonePlace(setup), edge.phase)
        const ours = rules.find(({ ref }) => ref === wanted.ref)
        // Once Cloudflare has taken it, how it writes it down does not matter.
        if (ours && (isSameRule(ours, wanted) || (carriedOut && ours.enabled))) {
          return { is: 'ready', note: edge.ready }
        }
        if (carriedOut) return notTaken(edge.title)
        const others = rules.filter((rule) => rule !== ours).length
        const kept = others === 0 ? '' : `; ${others} of others ${others === 1 ? 'stays' : 'stay'}`
        const what = `${ours ? 'renew: ' : ''}${edge.does}${kept}`
        return { is: 'change', changes: [{ what, risk: 'public' }] }
      } catch (error) {
        return leftOut(error, edge.title, permissionNames[edge.permission])
      }
    },

    async change({ cloudflare, setup }) {
      const wanted = wantedRule(edge, setup)
      const place = zonePlace(setup)
      try {
        const rules = await cloudflare.listRules(place, edge.phase)
        const ours = rules.find(({ ref }) => ref === wanted.ref)
        if (ours) await cloudflare.changeRule(place, edge.phase, ours.id, wanted)
        else await cloudflare.addRule(place, edge.phase, wanted)
        carriedOut = true
      } catch (error) {
        refusal = leftOut(error, edge.title, permissionNames[edge.permission])
      }
      return {}
    },
  }
}

/** Cloudflare recommends it for R2; it is a switch of the whole zone, so it is asked for by itself. */
export function tieredCache(): Step<'cloudflare' | 'setup'> {
  let refusal: Finding | undefined
  let carriedOut = false

  return {
    id: 'tiered-cache',
    title: 'Smart Tiered Cache',

    async look({ cloudflare, setup }): Promise<Finding> {
      if (refusal) return refusal
      try {
        if (await cloudflare.isTieredCacheOn(setup.zone.id)) return { is: 'ready', note: 'on' }
        if (carriedOut) return notTaken('Smart Tiered Cache')
        const what = `switch Smart Tiered Cache on for the whole zone ${setup.zone.name}: data centers ask each other before they read from R2, fewer paid reads`
        return { is: 'change', changes: [{ what, risk: 'public' }] }
      } catch (error) {
        return leftOut(error, 'Smart Tiered Cache', permissionNames['zone-settings'])
      }
    },

    async change({ cloudflare, setup }) {
      try {
        await cloudflare.setTieredCache(setup.zone.id, true)
        carriedOut = true
      } catch (error) {
        refusal = leftOut(error, 'Smart Tiered Cache', permissionNames['zone-settings'])
      }
      return {}
    },
  }
}

/** Do not store at all (docs, cache: cache rules settings). */
const NO_STORE = -1

/**
 * By default Cloudflare caches by extension, without MOV, M4A, WAV and others, and it keeps a 404
 * for three minutes (docs, cache: default cache behavior, edge TTL).
 */
export const cacheEverything: EdgeRule = {
  id: 'cache-everything',
  title: 'Cache rule',
  phase: 'http_request_cache_settings',
  permission: 'cache-rules',
  does: 'cache every kind of media, as long as its own Cache-Control says, and no 404: fewer paid reads, and a file that comes late is seen at once',
  ready: 'every kind of media is cached, no 404',
  of: ({ mediaHost }) => ({
    expression: `http.host eq "${mediaHost}"`,
    action: 'set_cache_settings',
    parameters: {
      cache: true,
      edge_ttl: {
        mode: 'respect_origin',
        status_code_ttl: [{ status_code: 404, value: NO_STORE }],
      },
      browser_ttl: { mode: 'respect_origin' },
    },
  }),
}

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

type Needs = 'cloudflare' | 'setup'
type At = Pick<World, Needs>

/**
 * The rules with our refs, and no others. While the media host goes on serving the bucket they
 * protect what is in it, so taking them away needs its own flag.
 */
export function undoEdgeRules(undo: Undo): Step<Needs> {
  let refusal: Finding | undefined

  return {
    id: 'edge-rules',
    title: 'Edge rules',

    async look(at): Promise<Finding> {
      if (refusal) return refusal
      const seen = await Promise.all(recommended.map((edge) => seeOwn(at, edge)))
      const mine = seen.filter(({ rules }) => rules !== 'hidden' && rules.length > 0)
      if (mine.length === 0) return nothing(seen)
      if (!undo.wishes.dropEdgeRules && (await goesOnServing(at, undo))) {
        return stays(`${at.setup.mediaHost} goes on serving the bucket`, 'dropEdgeRules')
      }
      const titles = mine.map(({ edge }) => edge.title).join(', ')
      const what = `remove the rules: ${titles}`
      return {
        is: 'change',
        changes: [{ what, risk: 'public', goes: true }],
        warnings: hidden(seen),
      }
    },

    async change(at) {
      for (const edge of recommended) {
        const { rules } = await seeOwn(at, edge)
        if (rules === 'hidden') continue
        try {
          const place = zonePlace(at.setup)
          for (const { id } of rules) await at.cloudflare.removeRule(place, edge.phase, id)
        } catch (error) {
          refusal = skipped(error, permissionNames[edge.permission])
        }
      }
      return {}
    },
  }
}

interface Seen {
  readonly edge: EdgeRule
  readonly rules: readonly Rule[] | 'hidden'
}

/** `hidden` where the token may not look; whoever put rules there had one that may. */
async function seeOwn({ cloudflare, setup }: At, edge: EdgeRule): Promise<Seen> {
  try {
    const rules = await cloudflare.listRules(zonePlace(setup), edge.phase)
    return { edge, rules: rules.filter(({ ref }) => ref === refOf(edge, setup)) }
  } catch (error) {
    if (error instanceof Problem && isForbidden(error)) return { edge, rules: 'hidden' }
    throw error
  }
}

function hidden(seen: readonly Seen[]): string[] {
  const lacking = lackingFor(seen)
  if (lacking.length === 0) return []
  return [`Edge rules: the API token lacks ${lacking.join(', ')}; there may be more.`]
}

function lackingFor(seen: readonly Seen[]): string[] {
  return seen
    .filter(({ rules }) => rules === 'hidden')
    .map(({ edge }) => `"${permissionNames[edge.permission]}"`)
}

function nothing(seen: readonly Seen[]): Finding {
  const lacking = lackingFor(seen)
  if (lacking.length === 0) return { is: 'ready', note: 'no rules of this tool' }
  return { is: 'ready', note: `none seen; the API token lacks ${lacking.join(', ')}` }
}

async function goesOnServing({ cloudflare, setup }: At, { wishes }: Undo): Promise<boolean> {
  if (wishes.detachDomain) return false
  return (await cloudflare.findCustomDomain(setup.at, setup.mediaHost)) !== undefined
}

/**
 * Rules at the edge are an extra: a person who sets up for the first time is asked, before the token
 * is, because they need permissions of their own. `--yes` and later runs go without the question.
 */
export async function chooseEdge(
  { ui, settings }: Run<SetupCatalog>,
  { storage }: Pick<Remembered, 'storage'>,
): Promise<void> {
  const isLater = storage === 'r2' || settings.on('announce')
  if (!ui.canAsk || settings.get('edge') !== undefined || settings.on('yes') || isLater) return
  const answer = await ui.choose({
    message:
      'Should Cloudflare also protect and cache the media host? These are rules in your zone.',
    options: [
      {
        value: 'recommended',
        label: 'Yes, as recommended',
        hint: 'protective headers, everything cached, archives of users refused',
      },
      { value: 'none', label: 'No', hint: 'can be added later: init --edge recommended' },
    ],
  })
  settings.offer('edge', answer, 'you')
}

const makers: Record<EdgeName, () => Step> = {
  'security-headers': () => keepRule(securityHeaders),
  'cache-everything': () => keepRule(cacheEverything),
  'private-folders': () => keepRule(privateFolders),
  'tiered-cache': tieredCache,
}

/** Fresh steps for what `--edge` wishes; a run needs its own, as they remember what they did. */
export function edgeSteps(wished: readonly EdgeName[]): readonly Step[] {
  return wished.map((name) => makers[name]())
}
