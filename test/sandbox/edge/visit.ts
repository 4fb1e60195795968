import type { IncomingMessage } from 'node:http'
import { request } from 'node:https'
import { buffer } from 'node:stream/consumers'

export interface Visit {
  readonly method?: string
  readonly path?: string
  readonly headers?: Record<string, string>
}

export interface Visited {
  readonly status: number | undefined
  /** Every value of a header. */
  header(name: string): string[]
  readonly body: string
}

/** Asks the host at a port of 127.0.0.1, TLS verified against the authority. */
export async function visit(
  at: { port: number; ca: string; host: string },
  { method = 'GET', path = '/', headers = {} }: Visit = {},
): Promise<Visited> {
  const answer = await new Promise<IncomingMessage>((resolve, reject) => {
    request({
      host: '127.0.0.1',
      port: at.port,
      ca: at.ca,
      servername: at.host,
      agent: false,
      method,
      path,
      headers: { host: at.host, ...headers },
    })
      .on('response', resolve)
      .on('error', reject)
      .end()
  })
  const body = (await buffer(answer)).toString()
  return {
    status: answer.statusCode,
    header: (name) => answer.headersDistinct[name] ?? [],
    body,
  }
}
