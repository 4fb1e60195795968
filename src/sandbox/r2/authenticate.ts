import type { SandboxToken } from '../world.ts'
import { S3Error } from './s3-error.ts'
import { queryValue, type S3Request } from './s3-request.ts'
import {
  ALGORITHM,
  awsEncode,
  type CredentialScope,
  sha256Hex,
  sigv4,
  timeOfAmzDate,
} from './sigv4.ts'

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
