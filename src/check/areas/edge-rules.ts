import type { World } from '../../plan/step.ts'
import type { Check, Verdict } from '../../plan/verdict.ts'
import { permissionNames } from '../../services/cloudflare/port.ts'
import { type EdgeRule, wantedRule, zonePlace } from '../../setup/edge-rule.ts'
import { recommended } from '../../setup/recommended.ts'
import { isSameRule } from '../../setup/same-rule.ts'
import { nothingIfForbidden } from './key-in-use.ts'

type At = Pick<World, 'cloudflare' | 'setup'>

/**
 * The rules that `init --edge` keeps. None at all is no fault: what is missing for visitors is told
 * by the checks of the public web, whoever's rules are in force.
 */
export function edgeRulesCheck(at: At): Check<never> {
  return {
    id: 'cloudflare-edge-rules',
    about: 'Cloudflare',
    title: 'Edge rules',
    cost: 'look',
    async look() {
      const seen = await Promise.all(recommended.map((edge) => stateOf(at, edge)))
      const inState = (wanted: State) => seen.filter(({ state }) => state === wanted)
      const spoilt = inState('spoilt').map(({ edge }) => edge)
      const hidden = inState('hidden').map(({ edge }) => permissionNames[edge.permission])
      const kept = inState('kept').map(({ edge }) => edge.title)
      if (spoilt.length > 0) return [changed(spoilt)]
      if (kept.length > 0) return [{ severity: 'ok', saw: `there: ${kept.join(', ')}` }]
      if (hidden.length > 0) {
        return [{ severity: 'skipped', saw: `the API token lacks "${hidden.join('", "')}"` }]
      }
      const saw = 'none of this tool; npx mastodon-r2 init --edge recommended puts some there'
      return [{ severity: 'ok', saw }]
    },
  }
}

type State = 'kept' | 'spoilt' | 'absent' | 'hidden'

async function stateOf(
  { cloudflare, setup }: At,
  edge: EdgeRule,
): Promise<{ readonly edge: EdgeRule; readonly state: State }> {
  const wanted = wantedRule(edge, setup)
  const rules = await cloudflare.listRules(zonePlace(setup), edge.phase).catch(nothingIfForbidden)
  if (rules === undefined) return { edge, state: 'hidden' }
  const ours = rules.find(({ ref }) => ref === wanted.ref)
  if (ours === undefined) return { edge, state: 'absent' }
  return { edge, state: isSameRule(ours, wanted) ? 'kept' : 'spoilt' }
}

function changed(rules: readonly EdgeRule[]): Verdict {
  const titles = rules.map(({ title }) => title).join(', ')
  return {
    severity: 'warning',
    saw: `Switched off, or not as this tool made it: ${titles}.`,
    matters: 'A rule that is there and does not act is easily taken for protection.',
    next: `npx mastodon-r2 init --edge ${rules.map(({ id }) => id).join(',')}`,
  }
}
