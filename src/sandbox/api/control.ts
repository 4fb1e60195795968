import type { Faults } from '../faults.ts'
import type { Delays, Fault, LoggedRequest, World } from '../world.ts'
import { isObject, type JsonObject } from './request.ts'

export interface Controlled {
  readonly world: World
  readonly faults: Faults
  readLog(): readonly LoggedRequest[]
}

export interface ControlAnswer {
  readonly status: number
  readonly body: unknown
}

/**
 * The sandbox's own endpoints, for other processes: GET /sandbox/log, GET /sandbox/state (no token
 * values), GET, POST and DELETE /sandbox/faults, PUT /sandbox/delays.
 */
export function control(
  method: string,
  path: string,
  text: string,
  { world, faults, readLog }: Controlled,
): ControlAnswer {
  switch (`${method} ${path}`) {
    case 'GET /sandbox/log':
      return { status: 200, body: readLog() }
    case 'GET /sandbox/state':
      return { status: 200, body: { ...world, tokens: world.tokens.map(withoutValue) } }
    case 'GET /sandbox/faults':
      return { status: 200, body: faults.list() }
    case 'DELETE /sandbox/faults':
      faults.clear()
      return { status: 200, body: [] }
    case 'POST /sandbox/faults': {
      const fault = parse(text)
      if (!isFault(fault)) return { status: 400, body: { error: 'not a fault' } }
      faults.add(fault)
      return { status: 200, body: faults.list() }
    }
    case 'PUT /sandbox/delays': {
      const delays = parse(text)
      if (!isDelays(delays)) return { status: 400, body: { error: 'not delays' } }
      Object.assign(world.delays, delays)
      return { status: 200, body: world.delays }
    }
    default:
      return { status: 404, body: { error: 'no such control' } }
  }
}

function withoutValue({ value: _, ...rest }: World['tokens'][number]): object {
  return rest
}

const sides: readonly unknown[] = ['api', 's3', 'public']
const kinds = ['status', 'reset', 'hang', 'applied-then-reset', 'malformed', 'unsuccessful']

function isFault(value: unknown): value is Fault & JsonObject {
  if (!isObject(value) || !sides.includes(value.side)) return false
  const { kind, method, path, after, times, status, code, headers } = value
  return (
    kinds.some((known) => known === kind) &&
    [method, path].every((text) => text === undefined || typeof text === 'string') &&
    (after === undefined || isCount(after, 0)) &&
    (times === undefined || isCount(times, 1)) &&
    (kind === 'status' ? isCount(status, 400) && status < 600 : status === undefined) &&
    (code === undefined || isCount(code, 1)) &&
    (headers === undefined ||
      (isObject(headers) && Object.values(headers).every((one) => typeof one === 'string')))
  )
}

function isDelays(value: unknown): value is Partial<Delays> {
  const names = ['domainMs', 'keyMs', 'requestMs']
  return (
    isObject(value) &&
    Object.entries(value).every(([name, ms]) => names.includes(name) && isCount(ms, 0))
  )
}

function isCount(value: unknown, min: number): value is number {
  return typeof value === 'number' && Number.isInteger(value) && value >= min
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
