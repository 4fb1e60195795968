import type { RulePermission } from '../../services/cloudflare/port.ts'
import type { NewRule, RulePhase, RulePlace } from '../../services/cloudflare/rules-port.ts'
import type { Setup } from '../step.ts'

/** One rule of the media host's zone that this tool keeps. */
export interface EdgeRule {
  /** The step's id; with `mastodon-r2-` before it, the rule's ref. */
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
  return { ref: refOf(edge), description, ...edge.of(setup), enabled: true }
}

export function refOf({ id }: EdgeRule): string {
  return `mastodon-r2-${id}`
}

export function zonePlace({ zone }: Setup): RulePlace {
  return { kind: 'zone', zoneId: zone.id }
}
