import { randomBytes } from 'node:crypto'
import { parse } from '../edge/parse.ts'
import { RuleLanguageError } from '../edge/rule-language-error.ts'
import { partOf } from '../edge/rules.ts'
import type { Phase, SandboxRule } from '../edge/state.ts'
import type { ValueType } from '../edge/vocabulary.ts'
import { Refusal } from './refusal.ts'
import { isObject, type JsonObject } from './request.ts'
import { readParameters } from './rulesets-parameters.ts'

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
