import type { Setup } from '../plan/step.ts'
import type { RulePermission } from '../services/cloudflare/port.ts'
import type { NewRule, RulePhase, RulePlace } from '../services/cloudflare/rules-port.ts'

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
export function refOf({ id }: EdgeRule, { mediaHost }: Setup): string {
  return `mastodon-r2-${id}-${mediaHost.replaceAll('.', '_')}`
}

export function zonePlace({ zone }: Setup): RulePlace {
  return { kind: 'zone', zoneId: zone.id }
}
