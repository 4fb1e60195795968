import { randomBytes } from 'node:crypto'
import { setMaxListeners } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Faults } from '../faults.ts'
import type { LoggedRequest, World } from '../world.ts'
import { control } from './control.ts'
import { failure } from './envelope.ts'
import { exchange, type Outcome } from './exchange.ts'
import type { ApiContext, ListObjects } from './request.ts'
import { createSlurper, type Slurper } from './slurper.ts'

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
