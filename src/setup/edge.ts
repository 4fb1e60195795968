import { Problem } from '../core/problem.ts'
import { prose } from '../core/to-type.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { permissionNames, type Rule } from '../services/cloudflare/port.ts'
import { isForbidden } from '../services/cloudflare/refusal.ts'
import type { EdgeName } from '../settings/names.ts'
import {
  cacheRule,
  type EdgeRule,
  type EdgeTime,
  isSameRule,
  privateFolders,
  recommended,
  refOf,
  securityHeaders,
  wantedRule,
  zonePlace,
} from './edge-rules.ts'
import { stays, type Undo } from './undoing.ts'

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
      try {
        const rules = await cloudflare.listRules(zonePlace(setup), edge.phase)
        const { wanted, ours } = wantedRule(edge, setup, rules)
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
      const place = zonePlace(setup)
      try {
        const rules = await cloudflare.listRules(place, edge.phase)
        const { wanted, ours } = wantedRule(edge, setup, rules)
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

const makers: Record<EdgeName, (time: EdgeTime) => Step> = {
  'security-headers': () => keepRule(securityHeaders),
  'cache-everything': (time) => keepRule(cacheRule(time)),
  'private-folders': () => keepRule(privateFolders),
  'tiered-cache': tieredCache,
}

/** Fresh steps for what `--edge` wishes; a run needs its own, as they remember what they did. */
export function edgeSteps(wished: readonly EdgeName[], time?: EdgeTime): readonly Step[] {
  return wished.map((name) => makers[name](time))
}
