import type { IncomingMessage } from 'node:http'

/**
 * R2's error codes with their HTTP status and a message
 * (Cloudflare docs, r2/api/error-codes; the ones that the sandbox itself gives).
 */
const codes = {
  AccessDenied: [403, 'Access Denied'],
  BadDigest: [400, 'The checksum you specified did not match what we received.'],
  ExpiredRequest: [403, 'Request has expired'],
  IncompleteBody: [400, 'The body ended before the announced length was received.'],
  InternalError: [500, 'We encountered an internal error. Please try again.'],
  InvalidArgument: [400, 'Invalid argument.'],
  InvalidDigest: [400, 'The checksum or Content-MD5 you specified is not valid.'],
  InvalidObjectName: [400, 'The specified object name is not valid.'],
  InvalidRange: [416, 'The requested range is not satisfiable.'],
  InvalidRequest: [400, 'The request is not valid.'],
  MissingContentLength: [411, 'You must provide the Content-Length HTTP header.'],
  NoSuchBucket: [404, 'The specified bucket does not exist.'],
  NotEntitled: [403, 'Please enable R2 through the Cloudflare Dashboard.'],
  NotImplemented: [501, 'Not implemented'],
  RequestTimeTooSkewed: [403, 'The request time is too far from the time of this server.'],
  RouteNotFound: [404, 'No route matches this url.'],
  ServiceUnavailable: [503, 'Please try again.'],
  SignatureDoesNotMatch: [403, 'The request signature does not match the one you provided.'],
  TooManyRequests: [429, 'Please reduce your request rate.'],
  Unauthorized: [401, 'Unauthorized'],
  XAmzContentSHA256Mismatch: [400, 'The body does not match x-amz-content-sha256.'],
} as const satisfies Record<string, readonly [number, string]>

export type S3ErrorCode = keyof typeof codes

/** A refusal as R2 words it. */
export class S3Error extends Error {
  readonly code: S3ErrorCode
  readonly status: number

  constructor(code: S3ErrorCode, message?: string) {
    super(message ?? codes[code][1])
    this.name = 'S3Error'
    this.code = code
    this.status = codes[code][0]
  }

  /** R2's XML body. */
  toXml(): string {
    return errorXml(this.code, this.message)
  }
}

export function errorXml(code: string, message: string): string {
  return (
    '<?xml version="1.0" encoding="UTF-8"?>' +
    `<Error><Code>${code}</Code><Message>${escapeXml(message)}</Message></Error>`
  )
}

export function escapeXml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}

/** The code that goes with a status, for answers made up on request. */
export function codeOfStatus(status: number): S3ErrorCode {
  const found = Object.entries(codes).find(([, [known]]) => known === status)
  return (found?.[0] as S3ErrorCode | undefined) ?? 'InternalError'
}

/** A path-style S3 request, taken apart. */
export interface S3Request {
  readonly method: string
  /** As sent, still encoded. */
  readonly path: string
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Lower-case name → values joined by a comma. */
  readonly headers: ReadonlyMap<string, string>
  /** Empty at the root. */
  readonly bucket: string
  /** Undefined when the request is about the bucket. */
  readonly key: string | undefined
}

/** Throws S3Error when path or query can't be decoded. */
export function readS3Request(message: IncomingMessage): S3Request {
  const [path = '/', rawQuery = ''] = splitOnce(message.url ?? '/', '?')
  const [bucket = '', rawKey] = splitOnce(path.slice(1), '/')
  const key = rawKey === undefined || rawKey === '' ? undefined : decode(rawKey)
  if (key?.split('/').some((part) => part === '.' || part === '..')) {
    throw new S3Error('InvalidObjectName')
  }
  return {
    method: message.method ?? 'GET',
    path,
    query: readQuery(rawQuery),
    headers: readHeaders(message.rawHeaders),
    bucket: decode(bucket),
    key,
  }
}

/** The first value of a query parameter; undefined when it is not there. */
export function queryValue(request: Pick<S3Request, 'query'>, name: string): string | undefined {
  return request.query.find(([known]) => known === name)?.[1]
}

export function decode(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    throw new S3Error('InvalidArgument', 'The address is not valid percent-encoding.')
  }
}

function readQuery(raw: string): (readonly [string, string])[] {
  return raw
    .split('&')
    .filter((pair) => pair !== '')
    .map((pair) => {
      const [name = '', value = ''] = splitOnce(pair, '=')
      return [decode(name.replaceAll('+', ' ')), decode(value.replaceAll('+', ' '))] as const
    })
}

function readHeaders(raw: readonly string[]): Map<string, string> {
  const headers = new Map<string, string>()
  for (let index = 0; index + 1 < raw.length; index += 2) {
    const name = (raw[index] ?? '').toLowerCase()
    const value = raw[index + 1] ?? ''
    const before = headers.get(name)
    headers.set(name, before === undefined ? value : `${before},${value}`)
  }
  return headers
}

function splitOnce(text: string, mark: string): [string, string?] {
  const at = text.indexOf(mark)
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + 1)]
}
