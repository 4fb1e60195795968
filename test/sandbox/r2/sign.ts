import {
  amzDateOf,
  canonicalQuery,
  sha256Hex,
  sigv4,
} from '../../../src/sandbox/r2/authenticate.ts'
import type { TestKey } from './stand.ts'

export interface Wish {
  readonly key?: TestKey
  readonly method?: string
  /** Encoded. */
  readonly path?: string
  readonly query?: Record<string, string>
  readonly headers?: Record<string, string>
  readonly body?: string | undefined
  /** x-amz-content-sha256; the body's own unless told. */
  readonly payload?: string
  /** Added to the time of the request, milliseconds. */
  readonly skew?: number
}

/** Arguments for fetch, signed in the Authorization header. */
export function signed(
  base: string,
  wish: Wish & { key: TestKey },
): [string, { method: string; headers: Record<string, string>; body?: string }] {
  const { key, method = 'GET', path = '/media/x', query = {}, body, skew = 0 } = wish
  const amzDate = amzDateOf(Date.now() + skew)
  const payload = wish.payload ?? sha256Hex(body ?? '')
  const headers: Record<string, string> = {
    ...wish.headers,
    'x-amz-content-sha256': payload,
    'x-amz-date': amzDate,
  }
  const all = new Map([['host', new URL(base).host], ...Object.entries(headers)])
  const signedHeaders = [...all.keys()].sort()
  const scope = { date: amzDate.slice(0, 8), region: 'auto' }
  const pairs = Object.entries(query)
  const signature = sigv4(
    {
      method,
      path,
      query: pairs,
      headers: all,
      signedHeaders,
      payloadHash: payload,
      amzDate,
      scope,
    },
    key.credentials.secretAccessKey,
  )
  const credential = `${key.credentials.accessKeyId}/${scope.date}/auto/s3/aws4_request`
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  const search = pairs.length > 0 ? `?${canonicalQuery(pairs)}` : ''
  return [`${base}${path}${search}`, { method, headers, ...(body === undefined ? {} : { body }) }]
}

/** A presigned GET; `expires` in seconds. */
export function presign(
  base: string,
  { key, path, expires }: { key: TestKey; path: string; expires: number },
): string {
  const amzDate = amzDateOf(Date.now())
  const scope = { date: amzDate.slice(0, 8), region: 'auto' }
  const query: [string, string][] = [
    ['X-Amz-Algorithm', 'AWS4-HMAC-SHA256'],
    ['X-Amz-Credential', `${key.credentials.accessKeyId}/${scope.date}/auto/s3/aws4_request`],
    ['X-Amz-Date', amzDate],
    ['X-Amz-Expires', String(expires)],
    ['X-Amz-SignedHeaders', 'host'],
  ]
  const signature = sigv4(
    {
      method: 'GET',
      path,
      query,
      headers: new Map([['host', new URL(base).host]]),
      signedHeaders: ['host'],
      payloadHash: 'UNSIGNED-PAYLOAD',
      amzDate,
      scope,
    },
    key.credentials.secretAccessKey,
  )
  return `${base}${path}?${canonicalQuery([...query, ['X-Amz-Signature', signature]])}`
}

/** Sends requests signed with a key; gives status, body and, of an error, its code. */
export function sender(key: TestKey, url: () => string) {
  return async (wish: Wish, base = url()) => {
    const response = await fetch(...signed(base, { key, ...wish }))
    const body = await response.text()
    return { status: response.status, code: /<Code>(\w+)/.exec(body)?.[1], body }
  }
}
