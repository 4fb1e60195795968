import type {
  LifecycleGetResponse,
  LifecycleUpdateResponse,
} from 'cloudflare/resources/r2/buckets/lifecycle'
import { ok, Refusal } from './refusal.ts'
import { bodyObject, findBucket, type Handler, isObject } from './request.ts'

type Rule = LifecycleGetResponse.Rule

const maxRules = 1000

/** What a new bucket holds: multipart uploads end after seven days. `conditions` has no prefix. */
export function defaultLifecycle(): unknown[] {
  const condition = { type: 'Age', maxAge: 604_800 }
  const transition = { abortMultipartUploadsTransition: { condition } }
  return [{ id: 'Default Multipart Abort Rule', enabled: true, conditions: {}, ...transition }]
}

export const getLifecycle: Handler = (context, request) =>
  ok<LifecycleGetResponse>({ rules: findBucket(context, request).lifecycle as Rule[] })

/** Replaces all rules. */
export const putLifecycle: Handler = (context, request) => {
  const bucket = findBucket(context, request)
  const { rules = [] } = bodyObject(request)
  if (!Array.isArray(rules) || rules.length > maxRules || !rules.every(isRule)) {
    throw new Refusal('lifecycle')
  }
  if (new Set(rules.map(({ id }) => id)).size < rules.length) {
    throw new Refusal('lifecycle', 'Two rules have the same id.')
  }
  bucket.lifecycle = rules
  return ok<LifecycleUpdateResponse>({})
}

function isRule(rule: unknown): rule is Rule {
  if (!isObject(rule) || !isObject(rule.conditions)) return false
  const { prefix } = rule.conditions
  return (
    typeof rule.id === 'string' &&
    rule.id !== '' &&
    typeof rule.enabled === 'boolean' &&
    (prefix === undefined || typeof prefix === 'string') &&
    [rule.abortMultipartUploadsTransition, rule.deleteObjectsTransition].every(isTransition) &&
    (rule.storageClassTransitions === undefined ||
      (Array.isArray(rule.storageClassTransitions) &&
        rule.storageClassTransitions.every((one) => isTransition(one) && isToArchive(one))))
  )
}

function isTransition(transition: unknown): boolean {
  if (transition === undefined) return true
  if (!isObject(transition)) return false
  const { condition } = transition
  if (condition === undefined) return true
  if (!isObject(condition)) return false
  const byAge = condition.type === 'Age' && Number.isInteger(condition.maxAge)
  const byDate = condition.type === 'Date' && !Number.isNaN(Date.parse(String(condition.date)))
  return byAge || byDate
}

function isToArchive(transition: unknown): boolean {
  return isObject(transition) && transition.storageClass === 'InfrequentAccess'
}
