import { type Contract, type JsonObject, resolve } from './openapi.ts'

/** Who sends the JSON: in a request `readOnly` properties need not be there, in an answer `writeOnly`. */
export type Direction = 'request' | 'response'

const kept = new Set(
  `type enum required minimum maximum minLength maxLength minItems maxItems uniqueItems pattern
  format minProperties maxProperties`.split(/\s+/),
)
const lists = ['allOf', 'anyOf', 'oneOf']

/**
 * OpenAPI 3.0 schemas as JSON Schema. References become `<direction>#/components/…`. An object that
 * lists its properties allows no others, unless it is one part of a composition.
 */
export function jsonSchemas(contract: Contract, direction: Direction) {
  const parts = findParts(contract)
  const absent = direction === 'request' ? 'readOnly' : 'writeOnly'

  const convert = (schema: JsonObject): JsonObject => {
    const out: JsonObject = {}
    for (const [key, value] of Object.entries(schema)) {
      if (kept.has(key)) out[key] = value
      else if (key === '$ref') out.$ref = `${direction}${value}`
      else if (lists.includes(key)) out[key] = (value as JsonObject[]).map(convert)
      else if (key === 'items' || key === 'not') out[key] = convert(value as JsonObject)
      else if (key === 'properties') out[key] = mapValues(value as JsonObject, convert)
      else if (key === 'additionalProperties') {
        out[key] = typeof value === 'object' ? convert(value as JsonObject) : value
      }
    }
    // Refusals have no result; their type is told as if they had one.
    if (Array.isArray(out.enum) && out.enum.every((value) => value === null)) delete out.type
    if (Array.isArray(schema.required)) {
      const properties = (schema.properties ?? {}) as Record<string, JsonObject>
      // The description names some twice, which JSON Schema forbids.
      out.required = [...new Set<string>(schema.required)].filter((name) => {
        const property = properties[name]
        return !property || !(property[absent] ?? resolve(contract, property)[absent])
      })
    }
    const composed = lists.some((key) => key in schema) || '$ref' in schema
    if (schema.properties && !composed && !parts.has(schema) && !('additionalProperties' in out)) {
      out.additionalProperties = false
    }
    return schema.nullable === true ? { anyOf: [out, { type: 'null' }] } : out
  }

  const schemas = contract.components.schemas as Record<string, JsonObject>
  return { convert, root: { $id: direction, components: { schemas: mapValues(schemas, convert) } } }
}

/** Every schema that is a part of an allOf, anyOf or oneOf, directly or by reference. */
function findParts(contract: Contract): Set<unknown> {
  const found = new Set<unknown>()
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return
    for (const [key, inner] of Object.entries(value)) {
      if (lists.includes(key) && Array.isArray(inner)) {
        for (const part of inner) found.add(resolve(contract, part as JsonObject))
      }
      visit(inner)
    }
  }
  visit(contract)
  return found
}

function mapValues(
  value: JsonObject | Record<string, JsonObject>,
  convert: (schema: JsonObject) => JsonObject,
): JsonObject {
  return Object.fromEntries(
    Object.entries(value).map(([key, schema]) => [key, convert(schema as JsonObject)]),
  )
}
