import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  type ListObjectsV2CommandInput,
  type ObjectCannedACL,
  PutObjectAclCommand,
  PutObjectCommand,
  S3Client,
  type StorageClass,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { state as nodeVersionWarning } from '@aws-sdk/core/client'
import { capped, timely } from '../../core/capped.ts'
import { Problem } from '../../core/problem.ts'
import type { WayOut } from '../../core/through-proxy.ts'
import { type ListPage, objectsOf, readPages, takeEntries } from './listing.ts'
import { Pace, type PaceOptions } from './pace.ts'
import { uploadParts } from './parts.ts'
import type { PutOptions, S3Key, S3Port } from './port.ts'
import {
  damaged,
  isNameless,
  isSlowDown,
  notDeleted,
  tooMuch,
  tooSlow,
  toProblem,
} from './refusal.ts'
import { type Asked, R2, type S3Place, type S3Service } from './service.ts'

/** Milliseconds that one attempt may stay silent. */
const TIMEOUT_MS = 30_000

/** What an object is stored with, as the SDK names it. */
export function headersOf(wish: PutOptions) {
  const { acl, storageClass } = wish
  return {
    ContentType: wish.contentType,
    CacheControl: wish.cacheControl,
    ...(acl !== undefined && { ACL: acl as ObjectCannedACL }),
    ...(storageClass !== undefined && { StorageClass: storageClass as StorageClass }),
    ...checksumOf(wish),
  }
}

/** Of a part, too. */
export function checksumOf({ checksum }: PutOptions) {
  return checksum === undefined ? {} : { ChecksumAlgorithm: checksum }
}

/** A body that has a checksum is sent as UNSIGNED-PAYLOAD, as the Ruby SDK does over HTTPS. */
function leaveBodiesUnsigned(client: S3Client): void {
  client.middlewareStack.add(
    (next) => (args) => {
      const { method, headers } = args.request as SentRequest
      if (method === 'PUT' && 'x-amz-checksum-crc32' in headers) {
        headers['x-amz-content-sha256'] = 'UNSIGNED-PAYLOAD'
      }
      return next(args)
    },
    // Behind the one that adds the checksum, before any that signs.
    { step: 'build', priority: 'low', name: 'leaveBodiesUnsigned' },
  )
}

/** Innermost in the SDK's stack: one call here is one HTTP attempt. */
export function watchCalls(client: S3Client, onCall: (call: S3Call) => void): void {
  client.middlewareStack.add(
    (next) => async (args) => {
      const { method, path, query } = args.request as SentRequest
      const began = performance.now()
      const report = (status: number | 'failed', rayId?: string) => {
        const ms = Math.round(performance.now() - began)
        const ray = rayId === undefined ? {} : { rayId }
        onCall({ method, path: path + searchOf(query), status, ms, ...ray })
      }
      try {
        const result = await next(args)
        const { statusCode, headers } = result.response as SentResponse
        report(statusCode, headers['cf-ray'])
        return result
      } catch (error) {
        report('failed')
        throw error
      }
    },
    { step: 'deserialize', priority: 'low', name: 'watchCalls' },
  )
}

interface SentRequest {
  method: string
  path: string
  headers: Record<string, string>
  query?: Record<string, string | string[] | null>
}

export interface SentResponse {
  statusCode: number
  headers: Record<string, string | undefined>
}

function searchOf(query: SentRequest['query'] = {}): string {
  const pairs = Object.entries(query).map(([name, value]) => {
    return value === null || value === '' ? name : `${name}=${encodeURIComponent(String(value))}`
  })
  return pairs.length === 0 ? '' : `?${pairs.join('&')}`
}

export interface S3Options {
  /** e.g. `https://<account>.r2.cloudflarestorage.com`; a path in it is kept. */
  readonly endpoint: string
  readonly bucket: string
  readonly key: S3Key
  /** Part of the signature: `auto` (R2's) unless told. */
  readonly region?: string | undefined
  /** The bucket's name before the host, which some providers demand; R2 takes the path. */
  readonly virtualHost?: boolean | undefined
  /** Milliseconds that one attempt may stay silent; 30,000 unless told. */
  readonly timeoutMs?: number | undefined
  /** Told of every HTTP attempt, repeated ones too. */
  readonly onCall?: ((call: S3Call) => void) | undefined
  /** Whose words and advice refusals carry; R2 unless told. */
  readonly service?: S3Service | undefined
  /** How it waits for a service that asks to slow down. */
  readonly pace?: PaceOptions | undefined
  readonly wayOut?: WayOut | undefined
}

/** One call as `--verbose` shows it. */
export interface S3Call {
  readonly method: string
  /** Path and query, never a secret. */
  readonly path: string
  readonly status: number | 'failed'
  readonly ms: number
  readonly rayId?: string
}

/** R2's limit for one DeleteObjects call. */
const DELETED_AT_ONCE = 1000
/** The most that a page of ListObjectsV2 holds. */
const LISTED_AT_ONCE = 1000

/** Nothing of the AWS environment (variables, ~/.aws, instance metadata) is read. */
export function connectS3(options: S3Options): S3Port {
  const { bucket: Bucket, endpoint, region = 'auto', service = R2 } = options
  const place: S3Place = { service, bucket: Bucket, endpoint, region }
  const client = createS3Client(options)
  leaveBodiesUnsigned(client)
  capAnswers(client, place, options.timeoutMs ?? TIMEOUT_MS)
  if (options.onCall) watchCalls(client, options.onCall)
  const pace = new Pace(options.pace ?? {})

  async function asking<T>(asked: Asked, work: () => Promise<T>, signal?: AbortSignal): Promise<T> {
    try {
      return await pace.send(work, (error) => isSlowDown(error, service), signal)
    } catch (error) {
      throw toProblem(error, place, asked)
    }
  }

  /**
   * A refused HEAD names no reason, as it has no body: then `again` asks for the same with one, and
   * what that throws is told.
   */
  async function orNamed<T>(head: Promise<T>, again: () => Promise<unknown>): Promise<T> {
    try {
      return await head
    } catch (error) {
      if (isNameless(error)) await again()
      throw error
    }
  }

  async function putInParts(key: string, body: Uint8Array, wish: PutOptions): Promise<string> {
    const named = { Bucket, Key: key }
    const created = await client.send(
      new CreateMultipartUploadCommand({ ...named, ...headersOf(wish) }),
    )
    const upload = { ...named, UploadId: created.UploadId }
    const { ETag } = await uploadParts(body, {
      async send(PartNumber, Body) {
        const part = { ...upload, PartNumber, Body, ...checksumOf(wish) }
        const { ETag, ChecksumCRC32 } = await client.send(new UploadPartCommand(part))
        return { PartNumber, ETag, ChecksumCRC32 }
      },
      complete: (Parts) => {
        const size = wish.checksum === undefined ? {} : { MpuObjectSize: body.length }
        const whole = { ...upload, ...size, MultipartUpload: { Parts } }
        return client.send(new CompleteMultipartUploadCommand(whole))
      },
      abort: () => client.send(new AbortMultipartUploadCommand(upload)),
    })
    return bare(ETag)
  }

  function askPage(
    from: Pick<ListObjectsV2CommandInput, 'Prefix' | 'ContinuationToken' | 'StartAfter'>,
    abortSignal: AbortSignal | undefined,
  ): Promise<ListPage> {
    const wish = { Bucket, ...from, MaxKeys: LISTED_AT_ONCE, EncodingType: 'url' } as const
    const command = new ListObjectsV2Command(wish)
    const entries = takeEntries(command, () => tooMuch(place))
    const send = async () => {
      const answer = await client.send(command, { ...(abortSignal && { abortSignal }) })
      return { answer, entries: entries() }
    }
    return asking('bucket', send, abortSignal)
  }

  return {
    headBucket: () =>
      asking('bucket', async () => {
        const listing = () => client.send(new ListObjectsV2Command({ Bucket, MaxKeys: 1 }))
        await orNamed(client.send(new HeadBucketCommand({ Bucket })), listing)
      }),

    put: (key, body, wish) =>
      asking('object', async () => {
        const named = { Bucket, Key: key, Body: body }
        await client.send(new PutObjectCommand({ ...named, ...headersOf(wish) }))
      }),

    putMultipart: (key, body, wish) => asking('object', () => putInParts(key, body, wish)),

    get: (key, { range, part, ifMatch, checksumMode } = {}) =>
      asking('object', async () => {
        // Without its quotes an ETag is none: the emulator answers such an If-Match with 500.
        const IfMatch = ifMatch === undefined ? undefined : `"${ifMatch}"`
        const which = { Range: range, PartNumber: part, IfMatch }
        const wish = { Bucket, Key: key, ...which, ChecksumMode: checksumMode }
        const found = await client.send(new GetObjectCommand(wish))
        return {
          status: found.$metadata.httpStatusCode ?? 200,
          body: (await found.Body?.transformToByteArray()) ?? new Uint8Array(),
          contentType: found.ContentType,
          cacheControl: found.CacheControl,
        }
      }),

    async head(key, part) {
      const named = { Bucket, Key: key }
      const reading = () => client.send(new GetObjectCommand({ ...named, Range: 'bytes=0-0' }))
      const asked = asking('object', () => {
        const heading = client.send(new HeadObjectCommand({ ...named, PartNumber: part }))
        return part === undefined ? orNamed(heading, reading) : heading
      })
      const found = await asked.catch(orUndefined('s3-404'))
      if (!found) return undefined
      return {
        size: found.ContentLength ?? 0,
        etag: bare(found.ETag),
        contentType: found.ContentType,
        cacheControl: found.CacheControl,
        contentEncoding: found.ContentEncoding,
        ...(found.PartsCount !== undefined && { parts: found.PartsCount }),
        metadata: found.Metadata ?? {},
      }
    },

    pages: (prefix = '', signal) =>
      readPages(
        (token, abortSignal) =>
          askPage({ ...(prefix && { Prefix: prefix }), ContinuationToken: token }, abortSignal),
        { signal, damaged: () => damaged(place) },
      ),

    async pageAfter(key, signal) {
      const page = await askPage({ StartAfter: key }, signal)
      return { objects: objectsOf(page), isLast: page.answer.IsTruncated !== true }
    },

    list: (prefix, limit) =>
      asking('bucket', async () => {
        const wish = { Bucket, Prefix: prefix, MaxKeys: limit }
        const { Contents = [] } = await client.send(new ListObjectsV2Command(wish))
        return Contents.flatMap(({ Key }) => Key ?? [])
      }),

    putAcl: (key, acl) =>
      asking('object', async () => {
        const ACL = acl as ObjectCannedACL
        await client.send(new PutObjectAclCommand({ Bucket, Key: key, ACL }))
      }),

    delete: (key) =>
      asking('object', async () => {
        await client.send(new DeleteObjectCommand({ Bucket, Key: key }))
      }),

    deleteMany: (keys) =>
      asking('object', async () => {
        for (let at = 0; at < keys.length; at += DELETED_AT_ONCE) {
          const Objects = keys.slice(at, at + DELETED_AT_ONCE).map((Key) => ({ Key }))
          const wish = { Bucket, Delete: { Objects, Quiet: true } }
          const { Errors = [] } = await client.send(new DeleteObjectsCommand(wish))
          const [first] = Errors
          if (first) throw notDeleted(Errors.length, first, place)
        }
      }),

    async listBuckets() {
      const asked = asking('bucket', () => client.send(new ListBucketsCommand({})))
      const found = await asked.catch(orUndefined('s3-403'))
      return found && (found.Buckets ?? []).flatMap(({ Name }) => Name ?? [])
    },

    serverTime: () => asking('bucket', () => readServerTime(client, Bucket)),
  }
}

/**
 * Everything but the content of an object is an answer that some MB are enough for, and none may
 * trickle: the SDK's own limits are for silence alone.
 */
function capAnswers(client: S3Client, place: S3Place, timeoutMs: number): void {
  client.middlewareStack.add(
    (next, { commandName }) =>
      async (args) => {
        const result = await next(args)
        const answer = result.response as SentResponse & { body?: unknown }
        if (!(answer.body instanceof Readable)) return result
        const isContent = commandName === 'GetObjectCommand' && answer.statusCode < 300
        const pieces = timely(answer.body, timeoutMs, () => tooSlow(place, timeoutMs))
        answer.body = Readable.from(isContent ? pieces : capped(pieces, () => tooMuch(place)))
        return result
      },
    { step: 'deserialize', priority: 'low', name: 'capAnswers' },
  )
}

function bare(etag = ''): string {
  return etag.replaceAll('"', '')
}

/** For `catch`: this refusal is an answer, everything else is thrown on. */
function orUndefined(code: string) {
  return (error: unknown): undefined => {
    if (!(error instanceof Problem && error.code === code)) throw error
  }
}

async function readServerTime(client: S3Client, Bucket: string): Promise<Date | undefined> {
  const command = new HeadBucketCommand({ Bucket })
  let date: string | undefined
  command.middlewareStack.add(
    (next) => async (args) => {
      const result = await next(args)
      date = (result.response as SentResponse).headers.date
      return result
    },
    { step: 'deserialize', priority: 'low', name: 'readDate' },
  )
  await client.send(command).catch((error: unknown) => {
    if (date === undefined) throw error
  })
  const time = new Date(date ?? '')
  return Number.isNaN(time.getTime()) ? undefined : time
}

/**
 * Whatever is left out here the SDK looks for in AWS_* variables and in ~/.aws. R2 sends no
 * `100 Continue`, so a client that waits for it stalls (R2 docs, S3 compatibility).
 */
function createS3Client({
  endpoint,
  key,
  region,
  virtualHost,
  timeoutMs = TIMEOUT_MS,
  wayOut,
}: S3Options): S3Client {
  nodeVersionWarning.warningEmitted = true
  const agent = wayOut?.to(new URL(endpoint))?.agent
  return new S3Client({
    endpoint,
    region: region ?? 'auto',
    forcePathStyle: virtualHost !== true,
    credentials: {
      accessKeyId: key.accessKeyId,
      secretAccessKey: key.secretAccessKey.reveal(),
    },
    requestChecksumCalculation: 'WHEN_REQUIRED',
    responseChecksumValidation: 'WHEN_REQUIRED',
    expectContinueHeader: false,
    maxAttempts: 3,
    retryMode: 'standard',
    defaultsMode: 'standard',
    authSchemePreference: ['aws.auth#sigv4'],
    useDualstackEndpoint: false,
    useFipsEndpoint: false,
    useArnRegion: false,
    disableClockSkewCorrection: false,
    disableS3ExpressSessionAuth: true,
    sigv4aSigningRegionSet: [],
    userAgentAppId: async () => undefined,
    defaultUserAgentProvider: async () => [['mastodon-r2', '']],
    requestHandler: {
      connectionTimeout: Math.min(timeoutMs, 10_000),
      requestTimeout: timeoutMs,
      socketTimeout: timeoutMs,
      throwOnRequestTimeout: true,
      ...(agent && (endpoint.startsWith('https:') ? { httpsAgent: agent } : { httpAgent: agent })),
    },
  })
}
