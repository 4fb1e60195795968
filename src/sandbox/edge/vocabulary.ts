import { RuleLanguageError } from './rule-language-error.ts'

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
