import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Secret } from '../../../src/core/secret.ts'
import { connectCloudflare } from '../../../src/services/cloudflare/client.ts'
import type { ApiCall } from '../../../src/services/cloudflare/port.ts'

export interface Received {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: unknown
}

/** A result, or a whole answer, or what to do to the connection. */
export type Reply =
  | { result: unknown; result_info?: unknown }
  | { status: number; errors?: [number, string][]; headers?: Record<string, string>; text?: string }
  | 'reset'
  | 'hang'

/** Replies in order (the last one for ever), or by request. */
export type Script = Reply[] | ((request: Received) => Reply)

export const TOKEN = 'T0kenValueThatMustNeverShow'

/** A client whose Cloudflare is a local server that says what the test wants. */
export async function startStub(script: Script, token = TOKEN, timeoutMs = 5000) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url ?? '', 'http://stub')
    const text = Buffer.concat(chunks).toString()
    const seen: Received = {
      method: request.method ?? '',
      path: url.pathname.replace('/client/v4', ''),
      query: url.searchParams,
      headers: request.headers,
      body: text === '' ? undefined : JSON.parse(text),
    }
    received.push(seen)
    const reply =
      typeof script === 'function'
        ? script(seen)
        : script[Math.min(received.length, script.length) - 1]
    answer(response, reply ?? 'reset')
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const calls: ApiCall[] = []
  const waits: [number, string][] = []
  const stop = new AbortController()
  const client = connectCloudflare({
    token: new Secret(token),
    baseUrl: `http://127.0.0.1:${port}/client/v4`,
    onCall: (call) => calls.push(call),
    onWait: (seconds, reason) => waits.push([seconds, reason]),
    signal: stop.signal,
    timeoutMs,
    sleep: async () => {},
  })
  const close = () => {
    server.closeAllConnections()
    return new Promise((resolve) => server.close(resolve))
  }
  return {
    client,
    received,
    calls,
    waits,
    stop,
    [Symbol.asyncDispose]: async () => void (await close()),
  }
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return
  if (reply === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  const ray = { 'cf-ray': '8f00000000000000-FRA', 'content-type': 'application/json' }
  if ('result' in reply) {
    response.writeHead(200, ray)
    response.end(JSON.stringify({ success: true, errors: [], messages: [], ...reply }))
    return
  }
  response.writeHead(reply.status, { ...ray, ...reply.headers })
  const errors = (reply.errors ?? []).map(([code, message]) => ({ code, message }))
  response.end(reply.text ?? JSON.stringify({ success: false, errors, messages: [], result: null }))
}

export const at = {
  accountId: '0123456789abcdef0123456789abcdef',
  bucket: 'media',
  jurisdiction: 'eu',
} as const

/** What a promise was rejected with. */
export async function thrownBy(work: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('Nothing was thrown.')
}
