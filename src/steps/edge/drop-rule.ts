import { type EdgeRule, refOf, zonePlace } from '../../plan/edge-rules/edge-rule.ts'
import { skipped } from '../../plan/edge-rules/skipped.ts'
import type { Finding, Step } from '../../plan/step.ts'
import { permissionNames } from '../../services/cloudflare/port.ts'

/** Takes exactly this rule away. */
export function dropRule(edge: EdgeRule): Step<'cloudflare' | 'setup'> {
  let refusal: Finding | undefined

  return {
    id: edge.id,
    title: edge.title,

    async look({ cloudflare, setup }): Promise<Finding> {
      if (refusal) return refusal
      try {
        const rules = await cloudflare.listRules(zonePlace(setup), edge.phase)
        if (!rules.some(({ ref }) => ref === refOf(edge))) {
          return { is: 'ready', note: 'no rule of this tool' }
        }
        return { is: 'change', changes: [{ what: 'remove the rule', risk: 'public' }] }
      } catch (error) {
        return skipped(error, permissionNames[edge.permission])
      }
    },

    async change({ cloudflare, setup }) {
      const place = zonePlace(setup)
      try {
        const rules = await cloudflare.listRules(place, edge.phase)
        for (const { id } of rules.filter(({ ref }) => ref === refOf(edge))) {
          await cloudflare.removeRule(place, edge.phase, id)
        }
      } catch (error) {
        refusal = skipped(error, permissionNames[edge.permission])
      }
      return {}
    },
  }
}
