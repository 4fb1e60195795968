import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { isRequired } from '../requirement.ts'
import { amend } from './amendments.ts'

export type JsonObject = Record<string, unknown>

export interface Parameter {
  name: string
  in: 'path' | 'query' | 'header'
  required?: boolean
  schema: JsonObject
}

export interface Operation {
  parameters?: (Parameter | { $ref: string })[]
  requestBody?: { required?: boolean; content: Content } | { $ref: string }
  responses: Record<string, { content?: Content } | { $ref: string }>
}

type Content = Record<string, { schema: JsonObject }>

export interface Contract {
  paths: Record<string, Record<string, Operation>>
  components: Record<string, Record<string, unknown>>
}

const file = fileURLToPath(
  new URL('../../../shared/contract/cloudflare-openapi.json', import.meta.url),
)

/** Whether Cloudflare's description lies beside the project; tests that need it are skipped if not. */
export const contractAvailable = existsSync(file)

export const contractRequired = isRequired('contract')

/** The description with our amendments; throws when the file is missing. */
export function loadContract(): Contract {
  return amend(JSON.parse(readFileSync(file, 'utf8')) as Contract)
}

/** What a `#/…` reference points to, or the thing itself. */
export function resolve<T extends object>(contract: Contract, thing: T | { $ref: string }): T {
  if (!('$ref' in thing) || typeof thing.$ref !== 'string') return thing as T
  const found = thing.$ref
    .slice(2)
    .split('/')
    .reduce<unknown>((at, part) => (at as JsonObject)[part], contract)
  return resolve(contract, found as T)
}
