import { Agent, type ClientRequest, type IncomingMessage, request as overHttp } from 'node:http'
import { Agent as HttpsAgent, request as overHttps } from 'node:https'
import { pipeline } from 'node:stream'

export interface SimpleRequest {
  readonly method: string
  readonly headers: Readonly<Record<string, string>>
  readonly body?: string
  readonly signal: AbortSignal
}

export interface SimpleAnswer {
  readonly status: number
  /** Undefined where there is none of that name. */
  header(name: string): string | undefined
  /** Unpacked, where it came compressed. */
  readonly body: AsyncIterable<Uint8Array>
}

/** The code of an error where no connection came about in time. */
export const NOT_CONNECTED = 'ERR_CONNECT_TIMEOUT'

/** Milliseconds until a connection has to be there, TLS included. */
const CONNECT_MS = 10_000
/** Milliseconds that an idle connection is kept: less than servers keep theirs, mostly 5 s and more. */
const IDLE_MS = 4_000

const kept = { keepAlive: true, timeout: IDLE_MS }
const direct = { 'https:': new HttpsAgent(kept), 'http:': new Agent(kept) }

/**
 * One request, which follows no redirect. The global `fetch` would do the same; to load it, with its
 * Headers and Response, takes 30 ms of a start. `agent`: the way there; directly unless told.
 */
export function sendRequest(
  url: URL,
  request: SimpleRequest,
  agent: Agent = direct[url.protocol as keyof typeof direct],
): Promise<SimpleAnswer> {
  const { method, headers, body, signal } = request
  // Without it a DELETE would have a body of which nobody knows where it ends.
  const size = body === undefined ? {} : { 'content-length': String(Buffer.byteLength(body)) }
  const send = url.protocol === 'https:' ? overHttps : overHttp
  return new Promise((resolve, reject) => {
    const all = { 'accept-encoding': 'gzip', ...headers, ...size }
    const sent = send(url, { method, headers: all, agent })
    endWith(sent, signal)
    limitConnecting(sent, url)
    sent.on('error', reject)
    const unanswered = () => reject(noAnswer())
    sent.on('close', unanswered)
    sent.on('response', (message) => {
      sent.off('close', unanswered)
      unpacked(message).then((bytes) => {
        resolve({
          status: message.statusCode ?? 0,
          header: (name) => message.headersDistinct[name]?.join(', '),
          body: bytes,
        })
      }, reject)
    })
    sent.end(body)
  })
}

/** A connection that became another protocol's (status 101) ends without an answer, and without an error. */
export function noAnswer(): Error {
  return Object.assign(new Error('no answer'), { code: 'ECONNRESET' })
}

/** As the option `signal` of a request does it, whose watch over its stream takes 5 ms the first time. */
function endWith(sent: ClientRequest, signal: AbortSignal): void {
  const end = () => sent.destroy(signal.reason as Error)
  if (signal.aborted) end()
  signal.addEventListener('abort', end, { once: true })
  sent.once('close', () => signal.removeEventListener('abort', end))
}

function limitConnecting(sent: ClientRequest, { protocol }: URL): void {
  sent.once('socket', (socket) => {
    if (!socket.connecting) return
    const late = () => sent.destroy(Object.assign(new Error('late'), { code: NOT_CONNECTED }))
    const timer = setTimeout(late, CONNECT_MS)
    const end = () => clearTimeout(timer)
    socket.once(protocol === 'https:' ? 'secureConnect' : 'connect', end)
    sent.once('close', end)
  })
}

async function unpacked(message: IncomingMessage): Promise<AsyncIterable<Uint8Array>> {
  const { statusCode, headers } = message
  const isEmpty = statusCode === 204 || headers['content-length'] === '0'
  if (isEmpty || headers['content-encoding']?.toLowerCase() !== 'gzip') return message
  const { createGunzip } = await import('node:zlib')
  // What goes wrong is thrown to whoever reads.
  return pipeline(message, createGunzip(), () => undefined)
}
