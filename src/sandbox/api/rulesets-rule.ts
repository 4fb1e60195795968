import { randomBytes } from 'node:crypto'
import { RuleLanguageError, type ValueType } from '../edge/language.ts'
import { parse } from '../edge/parse.ts'
import { partOf } from '../edge/rules.ts'
import type { EdgeState, Phase, SandboxRule, SandboxTiering } from '../edge/state.ts'
import { type Answer, ok, Refusal } from './refusal.ts'
import { bodyObject, type Handler, isObject, type JsonObject, param } from './request.ts'

/** The parameters of a phase's action, in form; expressions in them are for checkTargets. */
function readParameters(value: unknown, phase: Phase): JsonObject {
  if (value !== undefined && !isObject(value)) throw bad('action_parameters must be an object')
  const parameters = value ?? {}
  checks[phase](parameters)
  return parameters
}

const checks: Readonly<Record<Phase, (parameters: JsonObject) => void>> = {
  http_request_dynamic_redirect(parameters) {
    only(parameters, ['from_value'])
    const from = needed(parameters, 'from_value')
    only(from, ['target_url', 'status_code', 'preserve_query_string'])
    const target = needed(from, 'target_url')
    only(target, ['value', 'expression'])
    const given = Object.values(target)
    if (given.length !== 1 || !isText(given[0])) {
      throw bad('target_url holds either a value or an expression')
    }
    if (isText(target.value) && !/^(https?:\/\/[^/\s]+|\/)/.test(target.value)) {
      throw bad('the target URL is not a URL')
    }
    oneOf(from.status_code, [301, 302, 303, 307, 308], 'status_code')
    oneOf(from.preserve_query_string, [true, false], 'preserve_query_string')
  },

  http_request_redirect(parameters) {
    only(parameters, ['from_list'])
    const from = needed(parameters, 'from_list')
    only(from, ['name', 'key'])
    if (!isText(from.name)) throw bad('from_list needs the name of a list')
    if (from.key !== 'http.request.full_uri') throw bad('key must be http.request.full_uri')
  },

  http_response_headers_transform(parameters) {
    only(parameters, ['headers'])
    const headers = Object.entries(needed(parameters, 'headers'))
    if (headers.length === 0) throw bad('headers is empty')
    for (const [name, operation] of headers) {
      if (!/^[A-Za-z0-9_-]+$/.test(name) || /^(x-)?cf-|^server$/i.test(name)) {
        throw bad(`the header ${name} can not be changed`)
      }
      if (!isObject(operation)) throw bad(`headers.${name} must be an object`)
      const removes = operation.operation === 'remove'
      only(operation, removes ? ['operation'] : ['operation', 'value'])
      if (operation.operation === undefined) throw bad('operation is missing')
      oneOf(operation.operation, ['set', 'add', 'remove'], 'operation')
      if (!removes && !isText(operation.value)) throw bad(`headers.${name} needs a value`)
    }
  },

  http_request_cache_settings(parameters) {
    only(parameters, ['cache', 'edge_ttl', 'browser_ttl', 'respect_strong_etags'])
    if (Object.keys(parameters).length === 0) throw bad('action_parameters is empty')
    oneOf(parameters.cache, [true, false], 'cache')
    oneOf(parameters.respect_strong_etags, [true, false], 'respect_strong_etags')
    const modes = ['respect_origin', 'bypass_by_default', 'override_origin']
    checkTtl(parameters.edge_ttl, modes, 'edge_ttl')
    checkTtl(parameters.browser_ttl, [...modes, 'bypass'], 'browser_ttl')
  },

  http_request_firewall_custom(parameters) {
    // A page of one's own is for paid plans.
    if (parameters.response !== undefined) throw new Refusal('not-entitled', 'a custom response')
    only(parameters, [])
  },
}

function checkTtl(value: unknown, modes: readonly string[], name: string): void {
  if (value === undefined) return
  if (!isObject(value) || value.mode === undefined) throw bad(`${name} needs a mode`)
  only(value, ['mode', 'default', ...(name === 'edge_ttl' ? ['status_code_ttl'] : [])])
  oneOf(value.mode, modes, `${name}.mode`)
  if ((value.mode === 'override_origin') !== Number.isInteger(value.default)) {
    throw bad(`${name}.default belongs to override_origin`)
  }
  const { status_code_ttl: list = [] } = value
  if (!Array.isArray(list)) throw bad('status_code_ttl must be a list')
  for (const entry of list) checkStatusTtl(entry)
}

function checkStatusTtl(entry: unknown): void {
  if (!isObject(entry) || !Number.isInteger(entry.value) || Object.keys(entry).length !== 2) {
    throw bad('status_code_ttl: a status or a range, and a value in seconds')
  }
  const { status_code: code, status_code_range: range } = entry
  const codes = code === undefined && isObject(range) ? [range.from, range.to] : [code]
  const isStatus = (one: unknown) =>
    Number.isInteger(one) && Number(one) >= 100 && Number(one) < 1000
  const given = codes.filter((one) => one !== undefined)
  if (given.length === 0 || !given.every(isStatus)) throw bad('status_code_ttl: a status is wrong')
}

function needed(holder: JsonObject, name: string): JsonObject {
  const value = holder[name]
  if (!isObject(value)) throw bad(`${name} is missing`)
  return value
}

function only(holder: JsonObject, names: readonly string[]): void {
  const other = Object.keys(holder).find((name) => !names.includes(name))
  if (other !== undefined) throw bad(`${other} is not known here`)
}

function oneOf(value: unknown, allowed: readonly unknown[], name: string): void {
  if (value !== undefined && !allowed.includes(value)) throw bad(`${name} is not valid`)
}

function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== ''
}

function bad(reason: string): Refusal {
  return new Refusal('rule-body', reason)
}

/** What a rule may hold; the last two are Cloudflare's own, and are ignored when sent. */
const keys = [
  ...['id', 'ref', 'description', 'expression', 'action', 'action_parameters', 'enabled'],
  ...['version', 'last_updated'],
]

const actions: Readonly<Record<Phase, string>> = {
  http_request_dynamic_redirect: 'redirect',
  http_request_redirect: 'redirect',
  http_response_headers_transform: 'rewrite',
  http_request_cache_settings: 'set_cache_settings',
  http_request_firewall_custom: 'block',
}

/**
 * The rule in a body, checked; `before` is the one that it takes the place of. Only actions and
 * parameters that the sandbox carries out are taken.
 */
export function readRule(
  body: unknown,
  phase: Phase,
  now: number,
  before?: SandboxRule,
): SandboxRule {
  if (!isObject(body)) throw new Refusal('rule-body', 'an object is needed')
  const unknown = Object.keys(body).find((key) => !keys.includes(key))
  if (unknown !== undefined) throw new Refusal('rule-body', `unknown field ${unknown}`)
  const { action, expression, description = '', enabled = true } = body
  if (action !== actions[phase]) {
    throw new Refusal('rule-body', `unknown action ${String(action)} in the phase ${phase}`)
  }
  if (typeof expression !== 'string' || typeof description !== 'string') {
    throw new Refusal('rule-body', 'expression and description must be text')
  }
  if (typeof enabled !== 'boolean') throw new Refusal('rule-body', 'enabled must be true or false')
  checkExpression(expression, 'boolean', phase)
  const parameters = readParameters(body.action_parameters, phase)
  const id = before?.id ?? randomBytes(16).toString('hex')
  return {
    id,
    ref: readRef(body, before?.ref ?? id),
    description,
    expression,
    action,
    parameters,
    enabled,
    version: (before?.version ?? 0) + 1,
    updatedAt: now,
  }
}

/** Refuses what Cloudflare's rule language, or the part of it that the sandbox knows, has not. */
export function checkExpression(text: string, type: ValueType, phase: Phase): void {
  try {
    parse(text, type, partOf(phase))
  } catch (error) {
    if (!(error instanceof RuleLanguageError)) throw error
    throw new Refusal(error.notInPlan ? 'not-entitled' : 'rule-expression', error.message)
  }
}

/** The reference of a rule is its id unless told. */
function readRef({ ref }: JsonObject, fallback: string): string {
  if (ref === undefined) return fallback
  if (typeof ref !== 'string' || ref === '') throw new Refusal('rule-body', 'ref must be text')
  return ref
}

type Switch = 'tiered' | 'smart'

const ids: Readonly<Record<Switch, string>> = {
  tiered: 'tiered_caching',
  smart: 'tiered_cache_smart_topology_enable',
}

export const getTieredCache = read('tiered')
export const setTieredCache = write('tiered')
export const getSmartTieredCache = read('smart')
export const setSmartTieredCache = write('smart')

function read(name: Switch): Handler {
  return ({ world }, request) => shown(name, switchesOf(world.edge, param(request, 'zone')))
}

function write(name: Switch): Handler {
  return ({ world }, request) => {
    const { value } = bodyObject(request)
    if (value !== 'on' && value !== 'off') throw new Refusal('cache-switch')
    const switches = switchesOf(world.edge, param(request, 'zone'))
    switches[name] = value
    return shown(name, switches)
  }
}

/** Both are off in a new zone. */
function switchesOf({ tiering }: EdgeState, zoneId: string): SandboxTiering {
  const found = tiering.find((known) => known.zoneId === zoneId)
  if (found) return found
  const fresh: SandboxTiering = { zoneId, tiered: 'off', smart: 'off' }
  tiering.push(fresh)
  return fresh
}

function shown(name: Switch, switches: SandboxTiering): Answer {
  const modified_on = '2024-01-01T00:00:00.000000Z'
  return ok({ id: ids[name], value: switches[name], editable: true, modified_on })
}
