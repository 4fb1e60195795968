import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import {
  type Delays,
  type Fault,
  type Faults,
  IDLE_MS,
  type LoggedRequest,
  type World,
} from '../world.ts'
import { answer, type Incoming } from './answer.ts'
import { type Answer, failure } from './refusal.ts'
import { type ApiContext, isObject, type JsonObject, type ListObjects } from './request.ts'
import { createSlurper, type Slurper } from './slurper.ts'

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
function control(
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
  const { kind, method, path, after, times, above, status, code, headers } = value
  return (
    kinds.some((known) => known === kind) &&
    [method, path].every((text) => text === undefined || typeof text === 'string') &&
    (after === undefined || isCount(after, 0)) &&
    [times, above].every((count) => count === undefined || isCount(count, 1)) &&
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

/** What happens on the wire. */
export type Outcome =
  | {
      readonly is: 'answer'
      readonly status: number
      readonly headers: Headers
      readonly text: string
    }
  | { readonly is: 'reset' }
  | { readonly is: 'hang' }

type Headers = Readonly<Record<string, string>>

/**
 * One request below `/client/v4` and what the fault makes of it. `applied-then-reset` and
 * `malformed` carry the request out; the other faults do not.
 */
async function exchange(
  context: ApiContext,
  incoming: Incoming,
  fault: Fault | undefined,
): Promise<Outcome> {
  if (fault === undefined) return onWire(await answer(context, incoming))
  switch (fault.kind) {
    case 'hang':
    case 'reset':
      return { is: fault.kind }
    case 'applied-then-reset':
      await answer(context, incoming)
      return { is: 'reset' }
    case 'malformed': {
      const { body } = await answer(context, incoming)
      const text = JSON.stringify(body)
      return { is: 'answer', status: 200, headers: {}, text: text.slice(0, text.length / 2) }
    }
    case 'unsuccessful':
      return onWire(failure(200, 10001, message))
    case 'status':
      return onWire(statusAnswer(fault))
    default:
      return fault.kind satisfies never
  }
}

const message = 'The sandbox was asked to fail.'

/** Codes that go with a status when the fault names none. */
const codes: Readonly<Record<number, number>> = { 401: 10000, 403: 10000, 404: 7003, 503: 10043 }

function statusAnswer({ status = 500, code, headers = {} }: Fault): Answer {
  return failure(status, code ?? codes[status] ?? 10001, message, headers)
}

function onWire({ status, headers, body }: Answer): Outcome {
  return { is: 'answer', status, headers, text: JSON.stringify(body) }
}

export interface ApiOptions {
  log(entry: LoggedRequest): void
  readonly faults: Faults
  /** What GET /sandbox/log shows; this server's own requests unless told. */
  readonly readLog?: () => readonly LoggedRequest[]
  /** Milliseconds since the epoch. */
  readonly clock?: () => number
  /** No bucket holds an object unless told. */
  readonly listObjects?: ListObjects
  /** Per account; 1,000,000 as at Cloudflare unless told. */
  readonly maxBuckets?: number
  /** One that reaches no bucket unless told. */
  readonly slurper?: Slurper
}

export interface Api {
  /** `http://127.0.0.1:PORT/client/v4` */
  readonly url: string
  /** Also ends requests that hang. */
  close(): Promise<void>
}

const base = '/client/v4'
const maxBody = 1024 * 1024

/** Cloudflare's v4 API over `world`, on a free port of 127.0.0.1; see control.ts for the rest. */
export async function startApi(world: World, options: ApiOptions): Promise<Api> {
  const { faults, clock = Date.now } = options
  const own: LoggedRequest[] = []
  const controlled = { world, faults, readLog: options.readLog ?? (() => own) }
  const context: ApiContext = {
    world,
    now: clock,
    listObjects: options.listObjects ?? (async () => []),
    maxBuckets: options.maxBuckets ?? 1_000_000,
    slurper: options.slurper ?? createSlurper({ s3Url: () => undefined, now: clock }),
  }
  const closing = new AbortController()
  // As many requests as come at once may sleep on it.
  setMaxListeners(0, closing.signal)

  const serve = async (request: IncomingMessage, response: ServerResponse) => {
    const at = clock()
    const { method = '', url: path = '', headers } = request
    const body = await readBody(request)
    if (!path.startsWith(`${base}/`)) {
      const told = control(method, path, body, controlled)
      return send(response, told.status, {}, JSON.stringify(told.body))
    }
    const { requestMs } = world.delays
    if (requestMs > 0) await sleep(requestMs, undefined, { signal: closing.signal })
    const incoming = { method, headers, body, target: path.slice(base.length) }
    const outcome = await exchange(context, incoming, faults.take('api', method, path)).catch(
      broken,
    )
    const status = outcome.is === 'answer' ? outcome.status : outcome.is
    const entry: LoggedRequest = { at, side: 'api', method, path, status }
    own.push(entry)
    options.log(entry)
    if (outcome.is === 'answer') send(response, outcome.status, outcome.headers, outcome.text)
    if (outcome.is === 'reset') request.socket.resetAndDestroy()
  }

  const server = createServer((request, response) => {
    serve(request, response).catch(() => request.socket.destroy())
  })
  server.keepAliveTimeout = IDLE_MS
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject).listen(0, '127.0.0.1', resolve)
  })
  const { port } = server.address() as AddressInfo
  return {
    url: `http://127.0.0.1:${port}${base}`,
    close: () =>
      new Promise((resolve) => {
        closing.abort()
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

/** A bug of the sandbox shows as what it is. */
function broken(error: unknown): Outcome {
  const text = JSON.stringify(failure(500, 10001, `The sandbox broke: ${error}`).body)
  return { is: 'answer', status: 500, headers: {}, text }
}

function send(
  response: ServerResponse,
  status: number,
  headers: Readonly<Record<string, string>>,
  text: string,
): void {
  response.writeHead(status, {
    'content-type': 'application/json; charset=UTF-8',
    'content-length': Buffer.byteLength(text),
    'cf-ray': `${randomBytes(8).toString('hex')}-SBX`,
    server: 'cloudflare',
    ...headers,
  })
  response.end(text)
}

async function readBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    size += chunk.length
    if (size > maxBody) throw new Error('The request body is too large.')
    chunks.push(chunk)
  }
  return Buffer.concat(chunks).toString()
}
