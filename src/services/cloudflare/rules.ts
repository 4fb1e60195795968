import type { BasePhases } from 'cloudflare/resources/rulesets/phases'
import type { RuleCreateParams, RuleEditParams } from 'cloudflare/resources/rulesets/rules'
import { Problem } from '../../core/problem.ts'
import type { Call } from './client.ts'
import { createAndLook } from './create-and-look.ts'
import { Refusal } from './refusal.ts'
import { withinPlan } from './rules-limit.ts'
import { NO_RULES_YET } from './rules-permissions.ts'
import type { NewRule, Rule, RulePhase, RulePlace, RulesPort } from './rules-port.ts'
import { listOfObjects } from './well-formed.ts'

interface Ruleset {
  readonly id: string
  readonly rules: readonly Rule[]
}

/**
 * Rules one by one: others' rules are neither sent back nor moved. Only where a phase has no ruleset
 * yet it is put as a whole, with ours as its one rule.
 */
export function rules(
  call: Call,
): Pick<RulesPort, 'listRules' | 'addRule' | 'changeRule' | 'removeRule'> {
  async function find(at: RulePlace, phase: RulePhase): Promise<Ruleset | undefined> {
    try {
      return describe(
        await call('repeatable', (sdk) => sdk.rulesets.phases.get(phase, placeOf(at))),
      )
    } catch (error) {
      if (error instanceof Refusal && isNoRulesYet(error)) return undefined
      throw error
    }
  }

  async function create(at: RulePlace, phase: RulePhase, rule: NewRule): Promise<unknown> {
    const place = placeOf(at)
    const ruleset = await find(at, phase)
    const known = ruleset?.rules.find(({ ref }) => ref === rule.ref)
    if (known) return change(at, phase, known.id, rule)
    if (ruleset === undefined) {
      const body = { ...place, rules: [sent(rule)] } as Parameters<BasePhases['update']>[1]
      return call<unknown>('create', (sdk) => sdk.rulesets.phases.update(phase, body))
    }
    const body = { ...place, ...sent(rule) } as RuleCreateParams
    return call<unknown>('create', (sdk) => sdk.rulesets.rules.create(ruleset.id, body))
  }

  async function change(at: RulePlace, phase: RulePhase, id: string, rule: NewRule) {
    const ruleset = await find(at, phase)
    if (!ruleset?.rules.some((known) => known.id === id)) throw gone(rule)
    const body = { ...placeOf(at), ...sent(rule), ruleset_id: ruleset.id } as RuleEditParams
    await call<unknown>('repeatable', (sdk) => sdk.rulesets.rules.edit(id, body))
  }

  async function listRules(at: RulePlace, phase: RulePhase): Promise<readonly Rule[]> {
    return (await find(at, phase))?.rules ?? []
  }

  return {
    listRules,

    /** A rule with the same ref is changed instead of made a second time. */
    async addRule(at, phase, rule) {
      const isThere = async () =>
        (await listRules(at, phase)).some((known) => known.ref === rule.ref)
      await withinPlan(phase, () =>
        createAndLook({ create: () => create(at, phase, rule), isThere }),
      )
    },

    async changeRule(at, phase, id, rule) {
      await withinPlan(phase, () => change(at, phase, id, rule))
    },

    async removeRule(at, phase, id) {
      const ruleset = await find(at, phase)
      if (!ruleset?.rules.some((known) => known.id === id)) return
      const place = { ...placeOf(at), ruleset_id: ruleset.id }
      try {
        await call<unknown>('repeatable', (sdk) => sdk.rulesets.rules.delete(id, place))
      } catch (error) {
        if (!(error instanceof Refusal) || error.status !== 404) throw error
      }
    },
  }
}

function isNoRulesYet({ status, numbers }: Refusal): boolean {
  return status === 404 && numbers.includes(NO_RULES_YET)
}

function placeOf(at: RulePlace) {
  return at.kind === 'zone' ? { zone_id: at.zoneId } : { account_id: at.accountId }
}

function sent({ ref, description, expression, action, parameters, enabled }: NewRule) {
  const action_parameters = parameters === undefined ? {} : { action_parameters: parameters }
  return { ref, description, expression, action, ...action_parameters, enabled }
}

/** A ruleset without rules may come without the list. */
function describe({ id, rules: all }: { id: string; rules?: unknown }): Ruleset {
  const rules = listOfObjects(all).map((rule) => {
    const { id: ruleId, ref, description, expression, action, action_parameters, enabled } = rule
    return {
      id: text(ruleId),
      ref: typeof ref === 'string' ? ref : undefined,
      description: text(description),
      expression: text(expression),
      action: text(action),
      ...(typeof action_parameters === 'object' && action_parameters !== null
        ? { parameters: action_parameters as Record<string, unknown> }
        : {}),
      enabled: enabled !== false,
    }
  })
  return { id, rules }
}

function text(value: unknown): string {
  return typeof value === 'string' ? value : ''
}

function gone({ description }: NewRule): Problem {
  return new Problem({
    code: 'cloudflare-rule-gone',
    what: 'A rule at Cloudflare is not there any more.',
    why: `"${description}" was removed while this run was under way.`,
    next: 'Run this again: it looks first, and makes the rule anew.',
  })
}
