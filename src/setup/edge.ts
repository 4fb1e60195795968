import type { Finding, Step } from '../plan/step.ts'
import { permissionNames } from '../services/cloudflare/port.ts'
import { type EdgeRule, wantedRule, zonePlace } from './edge-rule.ts'
import { isSameRule } from './same-rule.ts'
import { skipped } from './skipped.ts'

/**
 * Puts the rule behind those of others, or renews it at its place; found again by its ref. What the
 * token or the plan does not allow is left out, never a failure.
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
        const others = rules.filter((rule) => rule !== ours).length
        const kept = others === 0 ? '' : `; ${others} of others ${others === 1 ? 'stays' : 'stay'}`
        const what = `${ours ? 'renew: ' : ''}${edge.does}${kept}`
        return { is: 'change', changes: [{ what, risk: 'public' }] }
      } catch (error) {
        return skipped(error, permissionNames[edge.permission])
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
        refusal = skipped(error, permissionNames[edge.permission])
      }
      return {}
    },
  }
}
