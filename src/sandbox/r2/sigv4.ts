import { createHash, createHmac } from 'node:crypto'

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
