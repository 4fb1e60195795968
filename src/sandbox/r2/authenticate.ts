import { createHash, createHmac } from 'node:crypto'
import type { SandboxToken } from '../world.ts'
import { queryValue, S3Error, type S3Request } from './s3-request.ts'

/** What AWS Signature Version 4 signs, for the service `s3`: the path is taken as it was sent. */
export interface SignedRequest {
  readonly method: string
  readonly path: string
  /** Decoded names and values, without the signature itself. */
  readonly query: readonly (readonly [name: string, value: string])[]
  /** Lower-case name → value. */
  readonly headers: ReadonlyMap<string, string>
  /** Lower-case and sorted, as the client listed them. */
  readonly signedHeaders: readonly string[]
  /** Hex SHA-256 of the body, or one of the words such as UNSIGNED-PAYLOAD. */
  readonly payloadHash: string
  /** e.g. 20260131T235959Z */
  readonly amzDate: string
  readonly scope: CredentialScope
}

export interface CredentialScope {
  /** e.g. 20260131 */
  readonly date: string
  readonly region: string
}

export const ALGORITHM = 'AWS4-HMAC-SHA256'

/** The signature, hex. Source: AWS, "Signature Calculations for the Authorization Header". */
export function sigv4(request: SignedRequest, secretAccessKey: string): string {
  const { scope } = request
  const canonical = [
    request.method,
    request.path,
    canonicalQuery(request.query),
    ...request.signedHeaders.map((name) => `${name}:${canonicalValue(request.headers.get(name))}`),
    '',
    request.signedHeaders.join(';'),
    request.payloadHash,
  ].join('\n')
  const toSign = [
    ALGORITHM,
    request.amzDate,
    `${scope.date}/${scope.region}/s3/aws4_request`,
    sha256Hex(canonical),
  ].join('\n')
  const key = [scope.date, scope.region, 's3', 'aws4_request'].reduce<string | Buffer>(
    (secret, part) => createHmac('sha256', secret).update(part).digest(),
    `AWS4${secretAccessKey}`,
  )
  return createHmac('sha256', key).update(toSign).digest('hex')
}

/** Percent-encoding with AWS's unreserved set: A–Z a–z 0–9 - . _ ~ */
export function awsEncode(text: string): string {
  return encodeURIComponent(text).replace(
    /[!'()*]/g,
    (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`,
  )
}

export function canonicalQuery(query: readonly (readonly [string, string])[]): string {
  return query
    .map(([name, value]) => [awsEncode(name), awsEncode(value)] as const)
    .sort(([a, x], [b, y]) => compare(a, b) || compare(x, y))
    .map(([name, value]) => `${name}=${value}`)
    .join('&')
}

export function sha256Hex(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex')
}

/** e.g. 20260131T235959Z */
export function amzDateOf(time: number): string {
  return new Date(time).toISOString().replace(/[:-]|\.\d{3}/g, '')
}

/** Milliseconds since the epoch; undefined when it is not such a date. */
export function timeOfAmzDate(text: string): number | undefined {
  const match = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(text)
  if (!match) return undefined
  const [, year, month, day, hour, minute, second] = match
  const time = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`)
  return Number.isNaN(time) ? undefined : time
}

function canonicalValue(value: string | undefined): string {
  return (value ?? '').trim().replace(/ +/g, ' ')
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0
}

/** Who asks, and how the body is vouched for. */
export interface Identity {
  readonly token: SandboxToken
  /** x-amz-content-sha256, or UNSIGNED-PAYLOAD for a presigned address. */
  readonly payload: string
}

export interface KeyRing {
  readonly tokens: readonly SandboxToken[]
  /** Until a new key works, milliseconds. */
  readonly keyMs: number
  /** Milliseconds since the epoch. */
  readonly now: number
}

const MAX_SKEW_MS = 15 * 60_000
const MAX_EXPIRES_S = 7 * 24 * 3600

/**
 * Verifies SigV4 in the Authorization header or in a presigned query. An API token is an S3 key: id
 * = access key id, hex SHA-256 of its value = secret (Cloudflare docs, r2/api/tokens). Throws S3Error.
 */
export function authenticate(request: S3Request, ring: KeyRing): Identity {
  const authorization = request.headers.get('authorization')
  if (authorization !== undefined) return fromHeader(request, authorization, ring)
  if (queryValue(request, 'X-Amz-Credential') !== undefined) return fromQuery(request, ring)
  throw new S3Error('InvalidArgument', 'Authorization')
}

function fromHeader(request: S3Request, authorization: string, ring: KeyRing): Identity {
  const payload = request.headers.get('x-amz-content-sha256')
  if (payload === undefined) throw new S3Error('InvalidRequest', 'Missing x-amz-content-sha256')
  const amzDate = request.headers.get('x-amz-date') ?? request.headers.get('date')
  if (amzDate === undefined) throw new S3Error('InvalidArgument', 'Missing x-amz-date')
  const fields = new Map(
    authorization
      .slice(ALGORITHM.length)
      .split(',')
      .map((field) => {
        const [name = '', ...value] = field.trim().split('=')
        return [name, value.join('=')] as const
      }),
  )
  const [credential, headers, signature] = ['Credential', 'SignedHeaders', 'Signature'].map(
    (name) => fields.get(name),
  )
  if (!authorization.startsWith(`${ALGORITHM} `) || !credential || !headers || !signature) {
    throw new S3Error('InvalidRequest', `Please use ${ALGORITHM}`)
  }
  if (Math.abs(ring.now - timeOf(amzDate)) > MAX_SKEW_MS) throw new S3Error('RequestTimeTooSkewed')
  const token = verify(request, ring, { credential, headers, signature, amzDate, payload })
  return { token, payload }
}

function fromQuery(request: S3Request, ring: KeyRing): Identity {
  const need = (name: string): string => {
    const value = queryValue(request, `X-Amz-${name}`)
    if (value) return value
    throw new S3Error('InvalidArgument', `Required search parameter X-Amz-${name} missing`)
  }
  if (need('Algorithm') !== ALGORITHM) {
    throw new S3Error('InvalidRequest', `Please use ${ALGORITHM}`)
  }
  const amzDate = need('Date')
  const expires = Number(need('Expires'))
  if (!(expires >= 1 && expires <= MAX_EXPIRES_S)) {
    throw new S3Error('InvalidArgument', 'X-Amz-Expires must be from 1 second to a week')
  }
  const time = timeOf(amzDate)
  if (time - ring.now > MAX_SKEW_MS) throw new S3Error('RequestTimeTooSkewed')
  if (ring.now > time + expires * 1000) throw new S3Error('ExpiredRequest')
  const token = verify(request, ring, {
    credential: need('Credential'),
    headers: need('SignedHeaders'),
    signature: need('Signature'),
    amzDate,
    payload: queryValue(request, 'X-Amz-Content-Sha256') ?? 'UNSIGNED-PAYLOAD',
  })
  return { token, payload: 'UNSIGNED-PAYLOAD' }
}

interface Claim {
  readonly credential: string
  readonly headers: string
  readonly signature: string
  readonly amzDate: string
  readonly payload: string
}

function verify(request: S3Request, ring: KeyRing, claim: Claim): SandboxToken {
  const { keyId, scope } = readCredential(claim)
  const token = ring.tokens.find(({ id }) => id === keyId)
  if (!token || !isUsable(token, ring)) throw new S3Error('Unauthorized')
  const signedHeaders = claim.headers.toLowerCase().split(';')
  if (!signedHeaders.includes('host')) throw new S3Error('Unauthorized')
  const query = request.query.filter(([name]) => name !== 'X-Amz-Signature')
  const secret = sha256Hex(token.value)
  // Some clients sign the path as sent, some in AWS's spelling.
  const matches = [request.path, awsPath(request)].some((path) => {
    const { method, headers } = request
    const { amzDate, payload: payloadHash } = claim
    const signed = { method, path, query, headers, signedHeaders, payloadHash, amzDate, scope }
    return sigv4(signed, secret) === claim.signature
  })
  if (!matches) throw new S3Error('SignatureDoesNotMatch')
  return token
}

function readCredential({ credential, amzDate }: Claim): { keyId: string; scope: CredentialScope } {
  const [keyId, date, region, service, end, ...more] = credential.split('/')
  if (!keyId || date === undefined || region === undefined || end === undefined || more.length) {
    throw new S3Error('InvalidArgument', 'Credential should have 5 slash-separated parts')
  }
  if (service !== 's3' || end !== 'aws4_request') {
    throw new S3Error('InvalidArgument', 'Credential should end in s3/aws4_request')
  }
  if (!amzDate.startsWith(date)) {
    throw new S3Error('InvalidArgument', "The date of the credential is not the request's")
  }
  return { keyId, scope: { date, region } }
}

function isUsable(token: SandboxToken, { now, keyMs }: KeyRing): boolean {
  const expired = token.expiresOn !== undefined && Date.parse(token.expiresOn) <= now
  return token.status === 'active' && !expired && token.issuedAt + keyMs <= now
}

function timeOf(amzDate: string): number {
  const time = timeOfAmzDate(amzDate)
  if (time === undefined)
    throw new S3Error('InvalidArgument', 'The date of the request is not valid')
  return time
}

function awsPath(request: S3Request): string {
  const key = request.key === undefined ? '' : request.key.split('/').map(awsEncode).join('/')
  const slash = request.path.indexOf('/', 1) < 0 ? '' : '/'
  return `/${awsEncode(request.bucket)}${slash}${key}`
}
