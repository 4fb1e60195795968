import { createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Secret } from '../../../src/core/secret.ts'
import { connectS3, type S3Call, type S3Options } from '../../../src/services/s3/client.ts'

export interface Received {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingHttpHeaders
  body: Buffer
}

export type Reply =
  | { status: number; headers?: Record<string, string>; text?: string | Uint8Array }
  | 'reset'
  | 'hang'
  | 'trickle'

export const SECRET = 'f'.repeat(64)

/** A client whose R2 is a local server that says what the test wants. */
export async function startS3Stub(
  script: (request: Received) => Reply,
  timeoutMs = 5000,
  more: Partial<Pick<S3Options, 'service' | 'pace' | 'bucket'>> = {},
) {
  const received: Received[] = []
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = []
    for await (const chunk of request) chunks.push(chunk)
    const url = new URL(request.url ?? '', 'http://stub')
    const seen = {
      method: request.method ?? '',
      path: url.pathname,
      query: url.searchParams,
      headers: request.headers,
      body: Buffer.concat(chunks),
    }
    received.push(seen)
    answer(response, script(seen))
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const endpoint = `http://127.0.0.1:${(server.address() as AddressInfo).port}`
  const calls: S3Call[] = []
  const client = connectS3({
    endpoint,
    bucket: 'media',
    ...more,
    key: { accessKeyId: 'a'.repeat(32), secretAccessKey: new Secret(SECRET) },
    onCall: (call) => calls.push(call),
    timeoutMs,
  })
  async function close() {
    server.closeAllConnections()
    await new Promise((resolve) => server.close(resolve))
  }
  return { client, endpoint, received, calls, server, [Symbol.asyncDispose]: close }
}

function answer(response: ServerResponse, reply: Reply): void {
  if (reply === 'hang') return
  if (reply === 'reset') {
    response.socket?.resetAndDestroy()
    return
  }
  if (reply === 'trickle') {
    const timer = setInterval(() => response.write(' '), 20)
    response.on('close', () => clearInterval(timer))
    return
  }
  response.writeHead(reply.status, { 'cf-ray': '8f0-FRA', ...reply.headers })
  response.end(reply.text)
}

export function refusal(status: number, code: string, message = 'Because.'): Reply {
  const text = `<?xml version="1.0" encoding="UTF-8"?><Error><Code>${code}</Code><Message>${message}</Message></Error>`
  return { status, text, headers: { 'content-type': 'application/xml' } }
}

export async function thrownBy(work: Promise<unknown>): Promise<Error & { code?: string }> {
  try {
    await work
  } catch (error) {
    return error as Error
  }
  throw new Error('Nothing was thrown.')
}
