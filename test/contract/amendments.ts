import type { Contract, JsonObject } from './openapi.ts'

/** Where the description is known to be behind Cloudflare, or to contradict itself. */
export function amend(contract: Contract): Contract {
  const schemas = contract.components.schemas as Record<string, JsonObject>
  for (const { schema, change } of amendments) {
    const target = schemas[schema]
    if (target === undefined) throw new Error(`The description has no schema ${schema}.`)
    change(target)
  }
  return contract
}

interface Amendment {
  schema: string
  change(schema: JsonObject): void
}

const amendments: Amendment[] = [
  {
    // Cloudflare's changelog of 2026-08-17 and the types of cloudflare@7.3.0.
    schema: 'r2_jurisdiction',
    change: (schema) => list(schema, 'enum').push('us', 'fedramp-high'),
  },
  {
    // The types of cloudflare@7.3.0 name it, the description does not yet.
    schema: 'r2-slurper_Jurisdiction',
    change: (schema) => list(schema, 'enum').push('us'),
  },
  {
    // Left out there, while every other refusal of the description has it.
    schema: 'r2-slurper_api-v4-failure',
    change: (schema) => {
      at(schema, 'properties').result = { nullable: true, enum: [null] }
    },
  },
  {
    // The default rule of a new bucket has `conditions: {}`, and must be sent back so.
    schema: 'r2_lifecycle-rule',
    change: (schema) => drop(at(schema, 'properties', 'conditions'), 'prefix'),
  },
  {
    // `data` belongs to record types such as SRV; a CNAME has none.
    schema: 'dns-records_dns-record-response',
    change: (schema) => drop(schema, 'data'),
  },
  {
    // A token name that is too long is answered with code 400, seen on a live account.
    schema: 'iam_messages-2',
    change: (schema) => {
      delete at(schema, 'items', 'properties', 'code').minimum
    },
  },
]

function at(schema: JsonObject, ...path: string[]): JsonObject {
  return path.reduce((inner, name) => inner[name] as JsonObject, schema)
}

function list(schema: JsonObject, name: string): unknown[] {
  return schema[name] as unknown[]
}

function drop(schema: JsonObject, name: string): void {
  const required = list(schema, 'required')
  if (!required.includes(name)) throw new Error(`${name} is not required any more.`)
  required.splice(required.indexOf(name), 1)
}
