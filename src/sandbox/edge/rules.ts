import type { World } from '../world.ts'
import { isListed } from './bulk-redirect.ts'
import { evaluate } from './language.ts'
import { parse } from './parse.ts'
import { RuleLanguageError } from './rule-language-error.ts'
import { settleOperations } from './settle-operations.ts'
import type { Phase, SandboxList, SandboxRule } from './state.ts'
import type { ValueType, Visit } from './vocabulary.ts'

/** A world as of now, for looking rules up. */
export interface EdgeAt {
  readonly world: World
  /** Milliseconds since the epoch. */
  readonly now: number
}

/**
 * The switched-on rules of the phase that fit the visit, in their order: those of the host's zone,
 * or of its account. Throws RuleLanguageError that names the rule which can't be evaluated.
 */
export function matchingRules(at: EdgeAt, phase: Phase, visit: Visit): SandboxRule[] {
  const zone = zoneOf(at.world, visit.host)
  if (zone === undefined || zone.paused) return []
  const owner = phase === 'http_request_redirect' ? zone.accountId : zone.id
  const ruleset = at.world.edge.rulesets.find(
    (known) => known.owner === owner && known.phase === phase,
  )
  return (ruleset?.rules ?? []).filter(
    (rule) => rule.enabled && valueFor(at, phase, rule, rule.expression, 'boolean', visit) === true,
  )
}

/** The value of an expression that belongs to the rule. */
export function valueFor(
  at: EdgeAt,
  phase: Phase,
  rule: SandboxRule,
  expression: string,
  type: ValueType,
  visit: Visit,
): string | number | boolean {
  const lists = listsFor(at, visit.host)
  try {
    const parsed = parse(expression, type, partOf(phase))
    return evaluate(parsed, visit, (name, value) => isListed(lists, name, value))
  } catch (error) {
    if (!(error instanceof RuleLanguageError)) throw error
    throw new RuleLanguageError(`rule "${rule.ref}" of ${phase}: ${error.message}`)
  }
}

/** The lists of the host's account as of now. */
export function listsFor({ world, now }: EdgeAt, host: string): SandboxList[] {
  settleOperations(world.edge, now)
  const accountId = zoneOf(world, host)?.accountId
  return world.edge.lists.filter((list) => list.accountId === accountId)
}

/** Whether expressions of the phase are about the answer, too. */
export function partOf(phase: Phase): 'request' | 'response' {
  return phase.startsWith('http_response') ? 'response' : 'request'
}

/** The zone with the longest name that the host lies in. */
function zoneOf(world: World, host: string) {
  return world.zones
    .filter(({ name }) => host === name || host.endsWith(`.${name}`))
    .sort((a, b) => b.name.length - a.name.length)[0]
}
