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
