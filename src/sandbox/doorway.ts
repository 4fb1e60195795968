import { randomBytes } from 'node:crypto'
import type {
  IncomingMessage,
  OutgoingHttpHeaders,
  RequestListener,
  ServerResponse,
} from 'node:http'
import type { Socket } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as sleep } from 'node:timers/promises'
import { TLSSocket } from 'node:tls'
import type { Fault, LoggedRequest, World } from './world.ts'

/** An answer as a value, so that it can be held back, spoilt or dropped on request. */
export interface Answer {
  readonly status: number
  readonly headers: OutgoingHttpHeaders
  readonly body?: string | Readable
}

/** What every side of the sandbox shares. */
export interface SandboxContext {
  readonly world: World
  readonly faults: FaultSource
  /** Milliseconds since the epoch. */
  readonly clock: () => number
  log(entry: LoggedRequest): void
}

interface FaultSource {
  take(side: Fault['side'], method: string, path: string): Fault | undefined
}

export interface Side {
  readonly name: 's3' | 'public'
  answer(message: IncomingMessage): Promise<Answer>
  /** This side's way of saying that a status was wished for. */
  refuse(status: number): Answer
}

/**
 * The listener of a server: waits world.delays.requestMs, lets a waiting fault strike, logs.
 * `hang` keeps the connection until the server closes.
 */
export function doorway(side: Side, context: SandboxContext): RequestListener {
  return (message, response) => {
    serve(side, context, message, response).catch(() => response.destroy())
  }
}

async function serve(
  side: Side,
  context: SandboxContext,
  message: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const at = context.clock()
  const method = message.method ?? 'GET'
  const path = withoutSignature(message.url ?? '/')
  const log = (status: LoggedRequest['status']) =>
    context.log({ at, side: side.name, method, path, status })
  const { requestMs } = context.world.delays
  if (requestMs > 0) await sleep(requestMs)

  const fault = context.faults.take(side.name, method, path)
  if (fault?.kind === 'hang') {
    message.resume()
    log('hang')
    return
  }
  if (fault?.kind === 'reset') {
    log('reset')
    reset(message.socket)
    return
  }
  const answer = fault ? spoilt(fault, side) : undefined
  const { status, headers, body } =
    answer ?? (await side.answer(message).catch(() => side.refuse(500)))
  if (fault?.kind === 'applied-then-reset') {
    if (body instanceof Readable) body.destroy()
    log('reset')
    reset(message.socket)
    return
  }
  log(status)
  response.writeHead(status, { server: 'cloudflare', 'cf-ray': rayId(), ...headers })
  if (!(body instanceof Readable)) {
    response.end(body)
  } else if (method === 'HEAD') {
    body.destroy()
    response.end()
  } else {
    await pipeline(body, response)
  }
  // What a refused client goes on sending is taken and forgotten, or its connection would stall.
  if (!message.complete) {
    message.unpipe()
    message.resume()
  }
}

function spoilt(fault: Fault, side: Side): Answer | undefined {
  switch (fault.kind) {
    case 'status': {
      const answer = side.refuse(fault.status ?? 500)
      return { ...answer, headers: { ...answer.headers, ...fault.headers } }
    }
    case 'unsuccessful':
      return side.refuse(500)
    case 'malformed':
      return {
        status: 200,
        headers: { 'content-type': 'application/xml' },
        body: '<?xml version="1.0" encoding="UTF-8"?><Unfinis',
      }
    default:
      return undefined
  }
}

/** A TLS connection can't be reset by Node, only dropped. */
function reset(socket: Socket): void {
  if (socket instanceof TLSSocket) socket.destroy()
  else socket.resetAndDestroy()
}

/** The log keeps no signature, not even one that expires. */
function withoutSignature(url: string): string {
  const [path = '/', query = ''] = url.split('?')
  const kept = query.split('&').filter((pair) => pair !== '' && !/^x-amz-/i.test(pair))
  return kept.length > 0 ? `${path}?${kept.join('&')}` : path
}

function rayId(): string {
  return `${randomBytes(8).toString('hex')}-LAX`
}
