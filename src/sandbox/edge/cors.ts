import type { IncomingHttpHeaders } from 'node:http'
import type { Answer } from '../doorway.ts'

type Rules = readonly unknown[] | undefined

interface Rule {
  readonly origins: readonly string[]
  readonly methods: readonly string[]
  readonly headers: readonly string[]
  readonly exposeHeaders: readonly string[]
  readonly maxAgeSeconds: number | undefined
}

/**
 * The CORS headers of an answer: none unless the request has an `Origin` that a rule allows for its
 * method (Cloudflare docs, r2/buckets/cors).
 */
export function corsHeaders(
  rules: Rules,
  origin: string | undefined,
  method: string,
): Record<string, string> {
  const rule = findRule(rules, origin, method)
  if (!rule || origin === undefined) return {}
  return {
    ...allowOrigin(rule, origin),
    ...(rule.exposeHeaders.length > 0
      ? { 'access-control-expose-headers': rule.exposeHeaders.join(', ') }
      : {}),
  }
}

/** The answer to OPTIONS: 400 without an Origin, 403 when no rule allows what is asked for. */
export function preflight(rules: Rules, headers: IncomingHttpHeaders): Answer {
  const { origin } = headers
  const method = headers['access-control-request-method']
  if (origin === undefined || method === undefined) return { status: 400, headers: {} }
  const rule = findRule(rules, origin, method)
  const asked = (headers['access-control-request-headers'] ?? '')
    .split(',')
    .map((name) => name.trim().toLowerCase())
    .filter((name) => name !== '')
  const allowed = rule?.headers.map((name) => name.toLowerCase()) ?? []
  if (!rule || !asked.every((name) => allowed.includes('*') || allowed.includes(name))) {
    return { status: 403, headers: {} }
  }
  return {
    status: 204,
    headers: {
      ...allowOrigin(rule, origin),
      'access-control-allow-methods': rule.methods.join(', '),
      ...(asked.length > 0 ? { 'access-control-allow-headers': asked.join(', ') } : {}),
      ...(rule.maxAgeSeconds === undefined
        ? {}
        : { 'access-control-max-age': String(rule.maxAgeSeconds) }),
    },
  }
}

function allowOrigin(rule: Rule, origin: string): Record<string, string> {
  return rule.origins.includes('*')
    ? { 'access-control-allow-origin': '*' }
    : { 'access-control-allow-origin': origin, vary: 'Origin' }
}

function findRule(rules: Rules, origin: string | undefined, method: string): Rule | undefined {
  if (origin === undefined) return undefined
  return rules
    ?.map(readRule)
    .find(
      ({ origins, methods }) =>
        methods.includes(method) && origins.some((pattern) => matchesOrigin(pattern, origin)),
    )
}

/** One `*` in a pattern stands for any text. */
function matchesOrigin(pattern: string, origin: string): boolean {
  const star = pattern.indexOf('*')
  if (star < 0) return pattern === origin
  const [start, end] = [pattern.slice(0, star), pattern.slice(star + 1)]
  const long = origin.length >= start.length + end.length
  return long && origin.startsWith(start) && origin.endsWith(end)
}

/** A rule as it was put: `{allowed: {origins, methods, headers?}, exposeHeaders?, maxAgeSeconds?}`. */
function readRule(sent: unknown): Rule {
  const rule = record(sent)
  const allowed = record(rule.allowed)
  return {
    origins: texts(allowed.origins),
    methods: texts(allowed.methods),
    headers: texts(allowed.headers),
    exposeHeaders: texts(rule.exposeHeaders),
    maxAgeSeconds: typeof rule.maxAgeSeconds === 'number' ? rule.maxAgeSeconds : undefined,
  }
}

function record(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((entry) => typeof entry === 'string') : []
}
