import { amzDateOf, awsEncode, sha256Hex, sigv4 } from '../r2/sigv4.ts'
import type { EnvValues } from './env-values.ts'

export interface PutWish {
  /** Where the S3 endpoint of the settings is reached. */
  readonly endpoint: string
  /** Mastodon's, for bucket and key. */
  readonly settings: EnvValues
  readonly key: string
  readonly body: Uint8Array
  readonly contentType: string
}

/** Milliseconds; Mastodon waits no longer by itself (S3_READ_TIMEOUT). */
const PATIENCE_MS = 5_000

/** Stores an object as Mastodon would (config/initializers/paperclip.rb). Error: what the endpoint said. */
export async function putObject(wish: PutWish): Promise<void> {
  const { endpoint, settings, key, body, contentType } = wish
  const path = `/${settings.get('S3_BUCKET') ?? ''}/${key.split('/').map(awsEncode).join('/')}`
  const amzDate = amzDateOf(Date.now())
  const scope = { date: amzDate.slice(0, 8), region: settings.get('S3_REGION') ?? 'us-east-1' }
  const payloadHash = sha256Hex(body)
  const permission = settings.get('S3_PERMISSION') ?? 'public-read'
  const headers: Record<string, string> = {
    'cache-control': 'public, max-age=315576000, immutable',
    'content-type': contentType,
    'x-amz-content-sha256': payloadHash,
    'x-amz-date': amzDate,
    ...(permission === '' ? {} : { 'x-amz-acl': permission }),
  }
  const all = new Map([['host', new URL(endpoint).host], ...Object.entries(headers)])
  const signedHeaders = [...all.keys()].sort()
  const signed = {
    method: 'PUT',
    path,
    query: [],
    headers: all,
    signedHeaders,
    payloadHash,
    amzDate,
    scope,
  }
  const signature = sigv4(signed, settings.get('AWS_SECRET_ACCESS_KEY') ?? '')
  const credential = `${settings.get('AWS_ACCESS_KEY_ID') ?? ''}/${scope.date}/${scope.region}/s3/aws4_request`
  headers.authorization = `AWS4-HMAC-SHA256 Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
  const response = await fetch(`${endpoint}${path}`, {
    method: 'PUT',
    headers,
    body,
    signal: AbortSignal.timeout(PATIENCE_MS),
  })
  const answer = await response.text()
  if (response.ok) return
  throw new Error(`${response.status} ${/<Code>(\w+)/.exec(answer)?.[1] ?? ''}`.trim())
}
