import { ALGORITHM, amzDateOf, awsEncode, canonicalQuery, sigv4 } from '../r2/sigv4.ts'
import { type ListedKey, listedKeys } from './listed-keys.ts'
import type { SlurperPlace } from './slurper-job.ts'

export interface Fetched {
  readonly body: Uint8Array
  readonly headers: Headers
}

/** An HTTP status that says no, or 0 when nobody answered. */
export class BucketRefusal extends Error {
  readonly status: number

  constructor(status: number) {
    super(status === 0 ? 'The bucket did not answer' : `The bucket answered ${status}`)
    this.status = status
  }
}

/** A bucket through its S3 endpoint, path style, with the key that the job was given. */
export class SlurperBucket {
  readonly #place: SlurperPlace
  readonly #endpoint: string

  constructor(place: SlurperPlace, endpoint: string) {
    this.#place = place
    this.#endpoint = endpoint.replace(/\/+$/, '')
  }

  /** Keys after `after`, at most 1,000. */
  async list(prefix: string, after: string | undefined, atMost = 1000): Promise<ListedKey[]> {
    const query: [string, string][] = [
      ['list-type', '2'],
      ['encoding-type', 'url'],
      ['max-keys', String(atMost)],
      ['prefix', prefix],
    ]
    if (after !== undefined) query.push(['start-after', after])
    const response = await this.#send('GET', '', { query })
    return listedKeys(await response.text())
  }

  async get(key: string): Promise<Fetched> {
    const response = await this.#send('GET', key)
    return { body: new Uint8Array(await response.arrayBuffer()), headers: response.headers }
  }

  /** Bytes; undefined when the object is not there. */
  async sizeOf(key: string): Promise<number | undefined> {
    try {
      const { headers } = await this.#send('HEAD', key)
      return Number(headers.get('content-length') ?? 0)
    } catch (error) {
      if (error instanceof BucketRefusal && error.status === 404) return undefined
      throw error
    }
  }

  async put(key: string, body: Uint8Array, headers: Record<string, string>): Promise<void> {
    await this.#send('PUT', key, { body, headers })
  }

  async delete(key: string): Promise<void> {
    await this.#send('DELETE', key)
  }

  async #send(method: string, key: string, more: Sent = {}): Promise<Response> {
    const { query = [], headers = {}, body } = more
    const path = [this.#place.bucket, ...(key === '' ? [] : key.split('/'))]
    const url = new URL(`${this.#endpoint}/${path.map(awsEncode).join('/')}`)
    url.search = canonicalQuery(query)
    const signed = this.#sign(method, url, query)
    const response = await fetch(url, {
      method,
      headers: { ...headers, ...signed },
      redirect: 'manual',
      ...(body === undefined ? {} : { body }),
    }).catch(() => undefined)
    if (!response?.ok) {
      await response?.body?.cancel()
      throw new BucketRefusal(response?.status ?? 0)
    }
    return response
  }

  #sign(method: string, url: URL, query: Sent['query'] = []): Record<string, string> {
    const { accessKeyId, secretAccessKey } = this.#place
    const amzDate = amzDateOf(Date.now())
    const payloadHash = 'UNSIGNED-PAYLOAD'
    const scope = { date: amzDate.slice(0, 8), region: 'auto' }
    const headers = new Map([
      ['host', url.host],
      ['x-amz-content-sha256', payloadHash],
      ['x-amz-date', amzDate],
    ])
    const signedHeaders = [...headers.keys()]
    const path = url.pathname
    const signature = sigv4(
      { method, path, query, headers, signedHeaders, payloadHash, amzDate, scope },
      secretAccessKey,
    )
    const credential = `${accessKeyId}/${scope.date}/${scope.region}/s3/aws4_request`
    const authorization = `${ALGORITHM} Credential=${credential}, SignedHeaders=${signedHeaders.join(';')}, Signature=${signature}`
    headers.delete('host')
    return { ...Object.fromEntries(headers), 'accept-encoding': 'identity', authorization }
  }
}

interface Sent {
  readonly query?: readonly (readonly [string, string])[]
  readonly headers?: Record<string, string>
  readonly body?: Uint8Array<ArrayBuffer> | Uint8Array
}
