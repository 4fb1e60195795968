import { randomBytes } from 'node:crypto'
import { isRecord } from '../edge/record.ts'
import type { EdgeState, Phase, SandboxRule, SandboxRuleset } from '../edge/state.ts'
import { type Answer, ok } from './envelope.ts'
import { Refusal } from './refusal.ts'
import { type ApiContext, type ApiRequest, bodyObject, type Handler, param } from './request.ts'
import { ownerOf, permit, phaseNamed } from './rulesets-permission.ts'
import { moved, readPosition } from './rulesets-position.ts'
import { checkExpression, readRule } from './rulesets-rule.ts'

/** There is none until the first rule is made. */
export const getEntrypoint: Handler = (context, request) => {
  const phase = phaseNamed(request, param(request, 'phase'))
  permit(context, request, phase, 'Read')
  const found = findEntrypoint(context, request, phase)
  if (found === undefined) throw new Refusal('no-entrypoint', phase)
  return shown(found)
}

/** Replaces every rule of the phase. A rule with a known id stays the same rule. */
export const putEntrypoint: Handler = (context, request) => {
  const phase = phaseNamed(request, param(request, 'phase'))
  permit(context, request, phase, 'Write')
  const { rules = [], description, name } = bodyObject(request)
  if (!Array.isArray(rules)) throw new Refusal('rule-body', 'rules must be a list')
  const found = findEntrypoint(context, request, phase)
  const fresh = rules.map((body: unknown) => {
    const id = isRecord(body) ? body.id : undefined
    const before = found?.rules.find((rule) => rule.id === id)
    if (id !== undefined && before === undefined) throw new Refusal('no-rule')
    return checked(context, request, readRule(body, phase, context.now(), before), phase)
  })
  limit(context.world.edge, phase, fresh.length)
  const ruleset = found ?? create(context, request, phase)
  if (typeof name === 'string') ruleset.name = name
  if (typeof description === 'string') ruleset.description = description
  return changed(context, ruleset, fresh)
}

/** A root or zone ruleset; there can be one in a phase, whoever made it. */
export const createRuleset: Handler = (context, request) => {
  const body = bodyObject(request)
  const phase = phaseNamed(request, body.phase)
  permit(context, request, phase, 'Write')
  const { kind, name, rules = [] } = body
  const expected = request.params.zone === undefined ? 'root' : 'zone'
  if (kind !== expected) throw new Refusal('rule-body', `kind must be ${expected}`)
  if (typeof name !== 'string' || name === '') throw new Refusal('rule-body', 'a name is needed')
  if (findEntrypoint(context, request, phase)) {
    throw new Refusal('ruleset-kind', `maximum number of ${kind} rulesets for phase ${phase}`)
  }
  if (!Array.isArray(rules)) throw new Refusal('rule-body', 'rules must be a list')
  const fresh = rules.map((rule: unknown) =>
    checked(context, request, readRule(rule, phase, context.now()), phase),
  )
  limit(context.world.edge, phase, fresh.length)
  const ruleset = create(context, request, phase)
  ruleset.name = name
  return changed(context, ruleset, fresh)
}

/** Behind the others unless a position is told. */
export const createRule: Handler = (context, request) => {
  const ruleset = findRuleset(context, request)
  const { position, ...body } = bodyObject(request)
  const rule = checked(
    context,
    request,
    readRule(body, ruleset.phase, context.now()),
    ruleset.phase,
  )
  limit(context.world.edge, ruleset.phase, ruleset.rules.length + 1)
  const rules = [...ruleset.rules, rule]
  return changed(context, ruleset, moved(rules, rule.id, readPosition(position)))
}

/** A new definition, whole, or a new position, or both; the id stays. */
export const updateRule: Handler = (context, request) => {
  const ruleset = findRuleset(context, request)
  const before = findRule(ruleset, request)
  const { position, ...body } = bodyObject(request)
  const onlyMoved = Object.keys(body).length === 0 && position !== undefined
  const read = () => readRule(body, ruleset.phase, context.now(), before)
  const rule = onlyMoved ? before : checked(context, request, read(), ruleset.phase)
  const rules = ruleset.rules.map((other) => (other === before ? rule : other))
  return changed(context, ruleset, moved(rules, rule.id, readPosition(position)))
}

export const deleteRule: Handler = (context, request) => {
  const ruleset = findRuleset(context, request)
  const gone = findRule(ruleset, request)
  const rules = ruleset.rules.filter((rule) => rule !== gone)
  return changed(context, ruleset, rules)
}

function findEntrypoint({ world }: ApiContext, request: ApiRequest, phase: Phase) {
  const owner = ownerOf(request)
  return world.edge.rulesets.find((known) => known.owner === owner && known.phase === phase)
}

/** The ruleset of the path, for writing. */
function findRuleset(context: ApiContext, request: ApiRequest): SandboxRuleset {
  const id = param(request, 'ruleset')
  const owner = ownerOf(request)
  const found = context.world.edge.rulesets.find((one) => one.id === id && one.owner === owner)
  if (found === undefined) throw new Refusal('no-ruleset')
  permit(context, request, found.phase, 'Write')
  return found
}

function findRule({ rules }: SandboxRuleset, request: ApiRequest): SandboxRule {
  const found = rules.find(({ id }) => id === param(request, 'rule'))
  if (found === undefined) throw new Refusal('no-rule')
  return found
}

/** What depends on more than the rule's own form: expressions in it, and the list it names. */
function checked(
  { world }: ApiContext,
  request: ApiRequest,
  rule: SandboxRule,
  phase: Phase,
): SandboxRule {
  const { from_value: value, from_list: list } = rule.parameters
  const target = isRecord(value) && isRecord(value.target_url) ? value.target_url : {}
  if (typeof target.expression === 'string') checkExpression(target.expression, 'text', phase)
  if (isRecord(list)) {
    const known = world.edge.lists.some(
      ({ name, accountId }) => name === list.name && accountId === request.params.account,
    )
    if (!known) throw new Refusal('rule-body', `there is no list ${String(list.name)}`)
  }
  return rule
}

function limit({ limits }: EdgeState, phase: Phase, count: number): void {
  const of = {
    http_request_firewall_custom: limits.firewallRules,
    http_request_redirect: limits.bulkRules,
  }
  const most = phase in of ? of[phase as keyof typeof of] : limits.zoneRules
  if (count > most) throw new Refusal('rule-limit', `${count} out of ${most} in ${phase}`)
}

function create({ world, now }: ApiContext, request: ApiRequest, phase: Phase): SandboxRuleset {
  const ruleset: SandboxRuleset = {
    id: randomBytes(16).toString('hex'),
    owner: ownerOf(request),
    kind: request.params.zone === undefined ? 'root' : 'zone',
    phase,
    name: 'default',
    description: '',
    rules: [],
    version: 0,
    updatedAt: now(),
  }
  world.edge.rulesets.push(ruleset)
  return ruleset
}

function changed({ now }: ApiContext, ruleset: SandboxRuleset, rules: SandboxRule[]): Answer {
  ruleset.rules = rules
  ruleset.version += 1
  ruleset.updatedAt = now()
  return shown(ruleset)
}

function shown(ruleset: SandboxRuleset): Answer {
  const { id, name, description, kind, phase, version, updatedAt, rules } = ruleset
  return ok({
    id,
    name,
    description,
    kind,
    phase,
    version: String(version),
    last_updated: new Date(updatedAt).toISOString(),
    rules: rules.map((rule) => ({
      id: rule.id,
      ref: rule.ref,
      version: String(rule.version),
      action: rule.action,
      ...(Object.keys(rule.parameters).length > 0 ? { action_parameters: rule.parameters } : {}),
      expression: rule.expression,
      description: rule.description,
      enabled: rule.enabled,
      last_updated: new Date(rule.updatedAt).toISOString(),
    })),
  })
}
