import { setTimeout as sleep } from 'node:timers/promises'
import type { JobGetResponse } from 'cloudflare/resources/r2/super-slurper/jobs/jobs'
import type { LogListResponse } from 'cloudflare/resources/r2/super-slurper/jobs/logs'
import { ALGORITHM, amzDateOf, awsEncode, canonicalQuery, sigv4 } from '../r2/authenticate.ts'

export interface ListedKey {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Without quotes. */
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly uploadedAt: number
}

/** The objects in an answer to ListObjectsV2 that was asked for with `encoding-type=url`. */
export function listedKeys(xml: string): ListedKey[] {
  return [...xml.matchAll(/<Contents>(.*?)<\/Contents>/gs)].map(([, entry = '']) => ({
    key: decodeURIComponent(element(entry, 'Key')),
    size: Number(element(entry, 'Size')),
    etag: element(entry, 'ETag').replace(/&quot;|"/g, ''),
    uploadedAt: Date.parse(element(entry, 'LastModified')),
  }))
}

function element(xml: string, name: string): string {
  return new RegExp(`<${name}>(.*?)</${name}>`, 's').exec(xml)?.[1] ?? ''
}

export type SlurperStatus = NonNullable<JobGetResponse['status']>
type LogType = NonNullable<LogListResponse['logType']>

/** A bucket as a job is given it. */
export interface SlurperPlace {
  readonly vendor: 's3' | 'r2'
  readonly bucket: string
  readonly accessKeyId: string
  /** Never told. */
  readonly secretAccessKey: string
  /** Of an S3 source; undefined: AWS. */
  readonly endpoint: string | undefined
  /** Of a bucket on R2. */
  readonly jurisdiction: string
  readonly pathPrefix: string | undefined
  readonly keys: readonly string[] | undefined
}

export interface SlurperJob {
  readonly id: string
  readonly accountId: string
  readonly source: SlurperPlace
  readonly target: SlurperPlace
  readonly overwrite: boolean
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  finishedAt: number | undefined
  status: SlurperStatus
  objects: number
  transferred: number
  skipped: number
  failed: number
  readonly log: SlurperLogEntry[]
}

export interface SlurperLogEntry {
  readonly at: number
  readonly logType: LogType
  readonly message?: string
  readonly objectKey?: string
}

/** What Cloudflare may or may not do; a test or a rehearsal says which. They hold for jobs under way. */
export interface SlurperSwitches {
  /** Sources at `http://` of this machine are taken; Cloudflare takes `https://` alone. */
  plainHttp: boolean
  /** Copies keep Cache-Control; Cloudflare does not say whether its own do. */
  keepsCacheControl: boolean
  /** Jobs under way at the same time; Cloudflare's own number is not known. */
  maxJobs: number
  /** Milliseconds that each object takes longer. */
  objectMs: number
  /** A job pauses by itself, once, after so many objects. */
  pauseAfter: number | undefined
}

export interface Fetched {
  readonly body: Uint8Array
  readonly headers: Headers
}

/** An HTTP status that says no, or 0 when nobody answered. */
class BucketRefusal extends Error {
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

const AT_ONCE = 8
const TRIES = 3
/** What a copy keeps besides the headers of the user's own metadata. */
const KEPT = ['content-type', 'content-encoding', 'content-disposition', 'content-language']

export interface SlurperRun {
  readonly job: SlurperJob
  readonly source: SlurperBucket
  readonly target: SlurperBucket
  readonly switches: SlurperSwitches
  now(): number
  /** The sandbox ends. */
  readonly closing: AbortSignal
}

/** Copies what the job is about, to its end or until it is aborted; pauses while it is paused. */
export async function runSlurperJob(run: SlurperRun): Promise<void> {
  const { job, now } = run
  note(run, { logType: 'migrationStart' })
  try {
    for await (const found of batches(run)) {
      if (!(await mayGoOn(run))) return
      await Promise.all(found.map((key) => copyOne(run, key)))
    }
    if (!(await mayGoOn(run))) return
    job.status = 'completed'
    note(run, { logType: 'migrationComplete' })
  } catch (error) {
    if (run.closing.aborted) return
    job.status = 'aborted'
    note(run, { logType: 'migrationError', message: wordsOf(error) })
  }
  job.finishedAt = now()
}

async function* batches(run: SlurperRun): AsyncIterable<readonly Found[]> {
  for await (const page of pages(run)) {
    run.job.objects += page.length
    for (let at = 0; at < page.length; at += AT_ONCE) yield page.slice(at, at + AT_ONCE)
  }
}

interface Found {
  readonly key: string
  readonly size: number | undefined
}

async function* pages({ job, source }: SlurperRun): AsyncIterable<readonly Found[]> {
  const { keys, pathPrefix = '' } = job.source
  if (keys !== undefined) {
    yield keys.map((key) => ({ key, size: undefined }))
    return
  }
  let after: string | undefined
  for (;;) {
    const page = await source.list(pathPrefix, after)
    if (page.length === 0) return
    yield page
    after = page.at(-1)?.key
  }
}

/** Waits while the job is paused; false once it is aborted or the sandbox ends. */
async function mayGoOn(run: SlurperRun): Promise<boolean> {
  const { job, switches, closing } = run
  const { pauseAfter } = switches
  if (pauseAfter !== undefined && job.transferred >= pauseAfter && job.status === 'running') {
    switches.pauseAfter = undefined
    job.status = 'paused'
    note(run, { logType: 'migrationPause' })
  }
  while (job.status === 'paused' && !closing.aborted) {
    await sleep(10, undefined, { ref: false })
  }
  return job.status === 'running' && !closing.aborted
}

async function copyOne(run: SlurperRun, { key, size }: Found): Promise<void> {
  const { job, source, target, switches } = run
  if (switches.objectMs > 0) await sleep(switches.objectMs)
  if (size === 0) {
    job.skipped += 1
    note(run, { logType: 'importSkippedEmptyObject', objectKey: key })
    return
  }
  for (let attempt = 1; ; attempt += 1) {
    try {
      if (!job.overwrite && (await target.sizeOf(key)) !== undefined) {
        job.skipped += 1
        return
      }
      const fetched = await source.get(key)
      await target.put(key, fetched.body, kept(fetched, switches.keepsCacheControl))
      job.transferred += 1
      return
    } catch (error) {
      if (attempt < TRIES && !run.closing.aborted) continue
      job.failed += 1
      const message = wordsOf(error)
      note(run, { logType: 'importErrorRetryExhaustion', objectKey: key, message })
      return
    }
  }
}

function kept({ headers }: Fetched, cacheControl: boolean): Record<string, string> {
  const names = cacheControl ? [...KEPT, 'cache-control'] : KEPT
  return Object.fromEntries(
    [...headers].filter(([name]) => names.includes(name) || name.startsWith('x-amz-meta-')),
  )
}

function note({ job, now }: SlurperRun, entry: Omit<SlurperLogEntry, 'at'>): void {
  job.log.push({ at: now(), ...entry })
}

function wordsOf(error: unknown): string {
  return error instanceof BucketRefusal ? error.message : 'The sandbox broke'
}
