import { randomBytes } from 'node:crypto'
import {
  accountPhases,
  type EdgeState,
  isRecord,
  type Phase,
  type SandboxRule,
  type SandboxRuleset,
  zonePhases,
} from '../edge/state.ts'
import { isPermitted, type Resource } from './permits.ts'
import { type Answer, ok, Refusal } from './refusal.ts'
import {
  type ApiContext,
  type ApiRequest,
  bodyObject,
  type Handler,
  isObject,
  param,
} from './request.ts'
import { checkExpression, readRule } from './rulesets-rule.ts'

/** The permission groups that open each phase, without Read and Write at their end. */
const groups: Readonly<Record<Phase, readonly string[]>> = {
  http_request_dynamic_redirect: ['Dynamic URL Redirects'],
  http_response_headers_transform: ['Zone Transform Rules'],
  http_request_cache_settings: ['Cache Settings'],
  http_request_firewall_custom: ['Zone WAF'],
  http_request_redirect: ['Account Rulesets', 'Mass URL Redirects'],
}

/** Whom the rulesets of a path belong to: a zone or an account, by id. */
function ownerOf({ params }: ApiRequest): string {
  return params.zone ?? params.account ?? ''
}

/** The phase by its name, where it fits a zone or an account. */
function phaseNamed(request: ApiRequest, name: unknown): Phase {
  const fitting: readonly Phase[] = request.params.zone === undefined ? accountPhases : zonePhases
  const known = fitting.find((phase) => phase === name)
  if (known === undefined) throw new Refusal('ruleset-phase', String(name))
  return known
}

/** Refuses a token that may not do this to rules of the phase; writing includes reading. */
function permit(
  { world }: ApiContext,
  request: ApiRequest,
  phase: Phase,
  doing: 'Read' | 'Write',
): void {
  const names = groups[phase].flatMap((group) => [
    `${group} Write`,
    ...(doing === 'Read' ? [`${group} Read`] : []),
  ])
  if (!isPermitted(request.actor, names, resourceOf(world.zones, request))) {
    throw new Refusal('not-permitted')
  }
}

function resourceOf(zones: ApiContext['world']['zones'], { params }: ApiRequest): Resource {
  const { account = '', zone } = params
  if (zone === undefined) return { is: 'account', id: account }
  const accountId = zones.find(({ id }) => id === zone)?.accountId ?? ''
  return { is: 'zone', id: zone, accountId }
}

/** Where a rule should stand: before or after another one, or at a place counted from 1. */
type Position = { readonly before?: string; readonly after?: string; readonly index?: number }

function readPosition(value: unknown): Position | undefined {
  if (value === undefined) return undefined
  if (!isObject(value) || Object.keys(value).length !== 1) throw bad()
  const { before, after, index } = value
  if (typeof before === 'string') return { before }
  if (typeof after === 'string') return { after }
  if (Number.isInteger(index) && Number(index) >= 1) return { index: Number(index) }
  throw bad()
}

/** The rules with the one of that id at its new place. An empty id means first, or last. */
function moved(
  rules: readonly SandboxRule[],
  id: string,
  position: Position | undefined,
): SandboxRule[] {
  const rule = rules.find((one) => one.id === id)
  if (position === undefined || rule === undefined) return [...rules]
  const others = rules.filter((one) => one !== rule)
  const { before, after, index } = position
  const place = (other: string) => {
    const found = others.findIndex((one) => one.id === other)
    if (found < 0) throw new Refusal('no-rule')
    return found
  }
  let at = (index ?? 1) - 1
  if (before !== undefined) at = before === '' ? 0 : place(before)
  if (after !== undefined) at = after === '' ? others.length : place(after) + 1
  return others.toSpliced(at, 0, rule)
}

function bad(): Refusal {
  return new Refusal('rule-body', 'position needs one of before, after, index')
}

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
