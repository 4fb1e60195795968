/** An expression that Cloudflare would refuse, or that the sandbox does not evaluate. */
export class RuleLanguageError extends Error {
  /** Cloudflare knows it, and sells it with bigger plans. */
  readonly notInPlan: boolean

  constructor(message: string, notInPlan = false) {
    super(message)
    this.name = 'RuleLanguageError'
    this.notInPlan = notInPlan
  }
}

export type ValueType = 'text' | 'number' | 'boolean'

/** What an expression can ask about a request, and, in response phases, about its answer. */
export interface Visit {
  /** Without its port. */
  readonly host: string
  readonly method: string
  /** As sent, percent-encoding kept. */
  readonly path: string
  /** Without the question mark; empty for none. */
  readonly query: string
  /** HTTP status of the answer, where there is one. */
  readonly code?: number
}

interface Field {
  readonly type: ValueType
  readonly ofResponse?: true
  read(visit: Visit): string | number | boolean
}

const uri = ({ path, query }: Visit) => (query === '' ? path : `${path}?${query}`)

const fields: Readonly<Record<string, Field>> = {
  'http.host': { type: 'text', read: ({ host }) => host },
  'http.request.method': { type: 'text', read: ({ method }) => method },
  'http.request.uri': { type: 'text', read: uri },
  'http.request.uri.path': { type: 'text', read: ({ path }) => path },
  'http.request.uri.query': { type: 'text', read: ({ query }) => query },
  'http.request.full_uri': {
    type: 'text',
    read: (visit) => `https://${visit.host}${uri(visit)}`,
  },
  ssl: { type: 'boolean', read: () => true },
  'http.response.code': { type: 'number', ofResponse: true, read: ({ code = 0 }) => code },
}

/** Throws RuleLanguageError for what is unknown, or not known yet in a request phase. */
export function fieldNamed(name: string, phase: 'request' | 'response'): Field {
  const field = Object.hasOwn(fields, name) ? fields[name] : undefined
  if (field === undefined) throw new RuleLanguageError(`unknown identifier ${name}`)
  if (field.ofResponse && phase === 'request') {
    throw new RuleLanguageError(`${name} is not available in this phase`)
  }
  return field
}

export interface Signature {
  readonly args: readonly ValueType[]
  /** How many of `args` must be there; more of the last one may follow where `rest` is set. */
  readonly needed: number
  readonly rest?: true
  readonly gives: ValueType
}

const functions: Readonly<Record<string, Signature>> = {
  starts_with: { args: ['text', 'text'], needed: 2, gives: 'boolean' },
  ends_with: { args: ['text', 'text'], needed: 2, gives: 'boolean' },
  lower: { args: ['text'], needed: 1, gives: 'text' },
  concat: { args: ['text'], needed: 1, rest: true, gives: 'text' },
  substring: { args: ['text', 'number', 'number'], needed: 2, gives: 'text' },
  wildcard_replace: { args: ['text', 'text', 'text', 'text'], needed: 3, gives: 'text' },
}

/** From the Business plan on (docs: ruleset-engine, functions). */
const forBiggerPlans = ['regex_replace', 'matches']

export function functionNamed(name: string): Signature {
  if (forBiggerPlans.includes(name)) {
    throw new RuleLanguageError(`not entitled: the plan does not include ${name}`, true)
  }
  const known = Object.hasOwn(functions, name) ? functions[name] : undefined
  if (known === undefined) throw new RuleLanguageError(`unknown function ${name}`)
  return known
}

export type Comparison =
  | 'eq'
  | 'ne'
  | 'lt'
  | 'le'
  | 'gt'
  | 'ge'
  | 'contains'
  | 'wildcard'
  | 'strict'

/** An expression taken apart. */
export type Expression = { readonly type: ValueType } & (
  | { readonly is: 'value'; readonly value: string | number | boolean }
  | { readonly is: 'field'; readonly name: string }
  | { readonly is: 'call'; readonly name: string; readonly args: readonly Expression[] }
  | { readonly is: 'not'; readonly of: Expression }
  | { readonly is: 'and' | 'or'; readonly left: Expression; readonly right: Expression }
  | {
      readonly is: 'compare'
      readonly by: Comparison
      readonly left: Expression
      readonly right: Expression
    }
  | { readonly is: 'one-of'; readonly left: Expression; readonly values: readonly unknown[] }
  | { readonly is: 'listed'; readonly left: Expression; readonly list: string }
)

/** A wildcard pattern as Cloudflare reads it: the whole text, lazily, `\*` is a star. */
function wildcard(pattern: string, caseSensitive: boolean): RegExp {
  if (/(?<!\\)\*\*/.test(pattern)) throw new RuleLanguageError('a wildcard must not hold **')
  const source = pattern.replaceAll(/\\([*\\])|\*|[^*\\]+|\\/g, (part, escaped?: string) => {
    if (escaped !== undefined) return `\\${escaped}`
    if (part === '*') return '(.*?)'
    if (part === '\\') throw new RuleLanguageError('a wildcard holds a lone backslash')
    return part.replaceAll(/[.+?^${}()|[\]/]/g, '\\$&')
  })
  return new RegExp(`^${source}$`, caseSensitive ? 'su' : 'isu')
}

/** `source` unless the pattern fits; `${1}` in the replacement is what the first star stood for. */
function wildcardReplace(source: string, pattern: string, replacement: string, flags = ''): string {
  const match = wildcard(pattern, flags === 's').exec(source)
  if (match === null) return source
  return replacement.replaceAll(/\$\$|\$\{(\d+)\}/g, (part, number?: string) => {
    if (number === undefined) return part.slice(1)
    const found = match[Number(number)]
    if (found === undefined || number === '0') {
      throw new RuleLanguageError(`the pattern has no star ${number}`)
    }
    return found
  })
}

/** Whether the named list holds the value. */
export type IsListed = (list: string, value: string) => boolean

type Value = string | number | boolean

/** The expression's value for a visit; RuleLanguageError where only the value shows a mistake. */
export function evaluate(expression: Expression, visit: Visit, isListed: IsListed): Value {
  const value = (inner: Expression) => evaluate(inner, visit, isListed)
  switch (expression.is) {
    case 'value':
      return expression.value
    case 'field':
      return fieldNamed(expression.name, 'response').read(visit)
    case 'not':
      return value(expression.of) !== true
    case 'and':
      return value(expression.left) === true && value(expression.right) === true
    case 'or':
      return value(expression.left) === true || value(expression.right) === true
    case 'compare':
      return compare(expression.by, value(expression.left), value(expression.right))
    case 'one-of':
      return expression.values.includes(value(expression.left))
    case 'listed':
      return isListed(expression.list, String(value(expression.left)))
    case 'call':
      return call(expression.name, expression.args.map(value))
    default:
      return expression satisfies never
  }
}

function compare(by: Comparison, left: Value, right: Value): boolean {
  switch (by) {
    case 'eq':
      return left === right
    case 'ne':
      return left !== right
    case 'lt':
      return left < right
    case 'le':
      return left <= right
    case 'gt':
      return left > right
    case 'ge':
      return left >= right
    case 'contains':
      return String(left).includes(String(right))
    case 'wildcard':
    case 'strict':
      return wildcard(String(right), by === 'strict').test(String(left))
    default:
      return by satisfies never
  }
}

function call(name: string, args: readonly Value[]): Value {
  const [first = '', second = '', third = '', fourth = ''] = args.map(String)
  switch (name) {
    case 'starts_with':
      return first.startsWith(second)
    case 'ends_with':
      return first.endsWith(second)
    case 'lower':
      return first.toLowerCase()
    case 'concat':
      return args.join('')
    case 'substring':
      return Buffer.from(first)
        .subarray(Number(second), third === '' ? undefined : Number(third))
        .toString()
    case 'wildcard_replace':
      return wildcardReplace(first, second, third, fourth)
    default:
      throw new RuleLanguageError(`unknown function ${name}`)
  }
}
