import { Ajv, type ValidateFunction } from 'ajv'
import formats from 'ajv-formats'
import { type Direction, jsonSchemas } from './json-schema.ts'
import {
  contractAvailable,
  contractRequired,
  type JsonObject,
  loadContract,
  type Operation,
  type Parameter,
  resolve,
} from './openapi.ts'

/**
 * What is wrong with a request by Cloudflare's description; empty when nothing is. `path` with or
 * without `/client/v4` and query; header names in any case; `body` parsed, undefined when none.
 * Says nothing where the description is missing: skip such tests by `contractAvailable`.
 */
export function checkRequest(
  method: string,
  path: string,
  query: URLSearchParams | Readonly<Record<string, string>>,
  headers: Readonly<Record<string, string | string[] | undefined>>,
  body: unknown,
): string[] {
  const found = find(method, path)
  if (typeof found === 'string') return [found]
  if (found === undefined) return []
  const { operation, params } = found
  const sent = new Headers(Object.entries(headers).map(([name, text]) => [name, `${text ?? ''}`]))
  return [
    ...checkParameters(operation, params, new URLSearchParams(query), sent),
    ...checkAuthorization(sent),
    ...checkBody(operation, body, sent),
  ]
}

/** What is wrong with an answer; empty when nothing is. Statuses from 500 are held like 4xx. */
export function checkResponse(
  method: string,
  path: string,
  status: number,
  body: unknown,
): string[] {
  const found = find(method, path)
  if (typeof found === 'string') return [found]
  if (found === undefined) return []
  const { responses } = found.operation
  const chosen = responses[String(status)] ?? (status >= 400 ? responses['4XX'] : undefined)
  if (chosen === undefined) return [`${method} ${path}: status ${status} is not described`]
  const schema = resolve(contract(), chosen).content?.['application/json']?.schema
  return schema === undefined ? [] : check('response', schema, body, 'answer')
}

interface Found {
  operation: Operation
  params: Record<string, string>
}

/** The most literal path that fits; a sentence when none does, undefined without a description. */
function find(method: string, path: string): Found | string | undefined {
  if (!contractAvailable) {
    if (contractRequired) throw new Error('../shared/contract/cloudflare-openapi.json is missing.')
    return undefined
  }
  const [bare = ''] = path.replace(/^\/client\/v4(?=\/)/, '').split('?')
  const parts = bare.split('/')
  const fitting = Object.entries(contract().paths)
    .map(([template, operations]) => ({ template: template.split('/'), operations }))
    .filter(({ template }) => template.length === parts.length)
    .filter(({ template }) =>
      template.every((part, index) => part.startsWith('{') || part === parts[index]),
    )
    .sort((a, b) => holes(a.template) - holes(b.template))
  const operation = fitting[0]?.operations[method.toLowerCase()]
  if (fitting[0] === undefined || operation === undefined) return `${method} ${bare} is unknown`
  const named = fitting[0].template.flatMap((part, index) =>
    part.startsWith('{') ? [[part.slice(1, -1), decodeURIComponent(parts[index] ?? '')]] : [],
  )
  return { operation, params: Object.fromEntries(named) }
}

function holes(template: string[]): number {
  return template.filter((part) => part.startsWith('{')).length
}

function checkParameters(
  operation: Operation,
  params: Record<string, string>,
  query: URLSearchParams,
  headers: Headers,
): string[] {
  const parameters = (operation.parameters ?? []).map((one) =>
    resolve<Parameter>(contract(), one as Parameter),
  )
  const declared = parameters.filter((one) => one.in === 'query').map(({ name }) => name)
  const unknown = [...query.keys()].filter((name) => !declared.includes(name))
  const wrong = parameters.flatMap((parameter) => {
    const { name, required = false, schema } = parameter
    const places = { path: params[name], query: query.get(name), header: headers.get(name) }
    const text = places[parameter.in] ?? undefined
    if (text === undefined) return required ? [`${parameter.in} ${name} is missing`] : []
    const isList = resolve(contract(), schema).type === 'array'
    return check('request', schema, isList ? text.split(',') : text, `${parameter.in} ${name}`)
  })
  return [...unknown.map((name) => `query ${name} is unknown`), ...wrong]
}

/** Only a bearer token: key and e-mail headers are another kind of credential. */
function checkAuthorization(headers: Headers): string[] {
  const bearer = /^Bearer \S+$/.test(headers.get('authorization') ?? '')
  const others = ['x-auth-key', 'x-auth-email', 'x-auth-user-service-key']
  return [
    ...(bearer ? [] : ['header authorization holds no bearer token']),
    ...others.filter((name) => headers.has(name)).map((name) => `header ${name} must not be sent`),
  ]
}

function checkBody(operation: Operation, body: unknown, headers: Headers): string[] {
  const { requestBody } = operation
  if (requestBody === undefined) return body === undefined ? [] : ['a body is not described']
  const { required = false, content } = resolve(contract(), requestBody)
  if (body === undefined) return required ? ['the body is missing'] : []
  const json = /^application\/json\b/.test(headers.get('content-type') ?? '')
  const schema = content['application/json']?.schema ?? {}
  return [
    ...(json ? [] : ['header content-type is not application/json']),
    ...check('request', schema, body, 'body'),
  ]
}

let loaded: ReturnType<typeof loadContract> | undefined
const contract = () => (loaded ??= loadContract())

interface Checker {
  ajv: Ajv
  convert(schema: JsonObject): JsonObject
  compiled: WeakMap<object, ValidateFunction>
}

const checkers = new Map<string, Checker>()

/** Text is coerced (`"20"` is a number) only where a parameter holds it, never in a body. */
function check(direction: Direction, schema: JsonObject, value: unknown, where: string): string[] {
  const coerceTypes = typeof value === 'string' && where !== 'body' && where !== 'answer'
  const validate = compile(direction, schema, coerceTypes)
  if (validate({ value })) return []
  return (validate.errors ?? []).map(
    ({ instancePath, message, params }) =>
      `${where} ${instancePath.replace(/^\/value/, '') || '/'} ${message} ${JSON.stringify(params)}`,
  )
}

function compile(direction: Direction, schema: JsonObject, coerceTypes: boolean): ValidateFunction {
  const name = `${direction} ${coerceTypes}`
  let checker = checkers.get(name)
  if (checker === undefined) {
    const ajv = new Ajv({ strict: false, allErrors: true, coerceTypes })
    formats.default(ajv)
    const { convert, root } = jsonSchemas(contract(), direction)
    checker = { ajv: ajv.addSchema(root), convert, compiled: new WeakMap() }
    checkers.set(name, checker)
  }
  const { ajv, convert, compiled } = checker
  const known = compiled.get(schema)
  if (known !== undefined) return known
  const wrapped = { type: 'object', properties: { value: convert(schema) }, required: ['value'] }
  const made = ajv.compile(wrapped)
  compiled.set(schema, made)
  return made
}
