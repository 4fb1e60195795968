import { Problem } from '../core/problem.ts'
import type { Finding, Step, World } from '../plan/step.ts'
import { isForbidden } from '../services/cloudflare/forbidden.ts'
import { permissionNames } from '../services/cloudflare/port.ts'
import type { Rule } from '../services/cloudflare/rules-port.ts'
import { type EdgeRule, refOf, zonePlace } from './edge-rule.ts'
import { recommended } from './recommended.ts'
import { skipped } from './skipped.ts'
import { stays, type Undo } from './undoing.ts'

type Needs = 'cloudflare' | 'setup'
type At = Pick<World, Needs>

/**
 * The rules with our refs, and no others. While the media host goes on serving the bucket they
 * protect what is in it, so taking them away needs its own flag.
 */
export function undoEdge(undo: Undo): Step<Needs> {
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
      return { is: 'change', changes: [{ what: `remove the rules: ${titles}`, risk: 'public' }] }
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

function nothing(seen: readonly Seen[]): Finding {
  const lacking = seen
    .filter(({ rules }) => rules === 'hidden')
    .map(({ edge }) => `"${permissionNames[edge.permission]}"`)
  if (lacking.length === 0) return { is: 'ready', note: 'no rules of this tool' }
  return { is: 'ready', note: `none seen; the API token lacks ${lacking.join(', ')}` }
}

async function goesOnServing({ cloudflare, setup }: At, { wishes }: Undo): Promise<boolean> {
  if (wishes.detachDomain) return false
  return (await cloudflare.findCustomDomain(setup.at, setup.mediaHost)) !== undefined
}
