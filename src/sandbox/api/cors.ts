import type {
  CORSDeleteResponse,
  CORSGetResponse,
  CORSUpdateResponse,
} from 'cloudflare/resources/r2/buckets/cors'
import { ok } from './envelope.ts'
import { findBucket } from './find-bucket.ts'
import { Refusal } from './refusal.ts'
import { bodyObject, type Handler, isObject } from './request.ts'

type Rule = CORSGetResponse.Rule

const methods: readonly unknown[] = ['GET', 'PUT', 'POST', 'DELETE', 'HEAD']
const ruleKeys = ['id', 'allowed', 'exposeHeaders', 'maxAgeSeconds']
const allowedKeys = ['origins', 'methods', 'headers']
const maxAge = 86_400

export const getCors: Handler = (context, request) => {
  const { cors } = findBucket(context, request)
  if (cors === undefined) throw new Refusal('no-cors')
  return ok<CORSGetResponse>({ rules: cors as Rule[] })
}

/** Replaces all rules. Keys of S3's own CORS format are refused. */
export const putCors: Handler = (context, request) => {
  const bucket = findBucket(context, request)
  const { rules } = bodyObject(request)
  if (!Array.isArray(rules)) throw new Refusal('cors', 'rules must be a list.')
  if (!rules.every(isRule)) throw new Refusal('cors')
  bucket.cors = rules
  return ok<CORSUpdateResponse>({})
}

export const deleteCors: Handler = (context, request) => {
  findBucket(context, request).cors = undefined
  return ok<CORSDeleteResponse>({})
}

function isRule(rule: unknown): rule is Rule {
  if (!isObject(rule) || !isObject(rule.allowed)) return false
  const { id, allowed, exposeHeaders, maxAgeSeconds } = rule
  return (
    hasOnly(rule, ruleKeys) &&
    hasOnly(allowed, allowedKeys) &&
    isListOf(allowed.origins, isOrigin) &&
    isListOf(allowed.methods, (method) => methods.includes(method)) &&
    (allowed.headers === undefined || isListOf(allowed.headers, isText)) &&
    (exposeHeaders === undefined || isListOf(exposeHeaders, isText)) &&
    (id === undefined || isText(id)) &&
    (maxAgeSeconds === undefined || isAge(maxAgeSeconds))
  )
}

/** `*`, or scheme://host[:port] without a path; a host may hold a wildcard. */
function isOrigin(origin: unknown): boolean {
  return typeof origin === 'string' && /^(\*|[a-z][a-z0-9+.-]*:\/\/[^/\s]+)$/i.test(origin)
}

function isAge(seconds: unknown): boolean {
  return typeof seconds === 'number' && seconds >= 0 && seconds <= maxAge
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isListOf(value: unknown, isItem: (item: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(isItem)
}

function hasOnly(value: object, keys: readonly string[]): boolean {
  return Object.keys(value).every((key) => keys.includes(key))
}
