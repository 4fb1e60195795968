import {
  type ClientRequest,
  createServer,
  type IncomingMessage,
  type OutgoingHttpHeaders,
} from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { noteOperation, operationOf } from '../analytics.ts'
import { type Answer, doorway, type SandboxContext } from '../doorway.ts'
import { IDLE_MS } from '../world.ts'
import { authenticate, awsEncode, type Identity } from './authenticate.ts'
import { authorize, copySourceOf } from './authorize.ts'
import { AwsChunked, CheckedBody, headersForEmulator, headersFromEmulator } from './body.ts'
import type { EmulatorPool } from './emulator.ts'
import { listBuckets } from './listing.ts'
import { asksForPart, createPartSizes, findPart, type PartRead, type PartSizes } from './parts.ts'
import {
  codeOfStatus,
  errorXml,
  queryValue,
  readS3Request,
  S3Error,
  type S3Request,
} from './s3-request.ts'

/** An allowed request, with the emulator's bucket that it goes to. */
export interface Forwarding {
  readonly request: S3Request
  /** x-amz-content-sha256 as sent. */
  readonly payload: string
  readonly slot: string
  /** Where a copy comes from, with the emulator's bucket name in it. */
  readonly copySource: string | undefined
  readonly sizes: PartSizes
  /** The part of the object that was asked for. */
  readonly part: PartRead | undefined
}

const TRAILER = 'STREAMING-UNSIGNED-PAYLOAD-TRAILER'

/**
 * Sends a request on to the emulator, body unframed and verified on the way, and gives its answer
 * with the bucket's own name. Throws S3Error when the body isn't what it was said to be.
 */
async function forward(
  pool: EmulatorPool,
  message: IncomingMessage,
  { request, payload, slot, copySource, sizes, part }: Forwarding,
): Promise<Answer> {
  const length = bodyLength(request)
  const upstream = await pool.s3(slot, {
    method: request.method,
    key: request.key?.split('/').map(awsEncode).join('/'),
    query: request.query.filter(([name]) => !isForUs(name, part)),
    headers: {
      ...headersForEmulator(request.headers),
      ...(copySource === undefined ? {} : { 'x-amz-copy-source': copySource }),
      ...(part?.range === undefined || request.method === 'HEAD' ? {} : { range: part.range }),
      ...(length > 0 || /^P/.test(request.method) ? { 'content-length': String(length) } : {}),
    },
  })
  const answer = await exchange(message, upstream, request, payload, length)
  const own = headersFromEmulator(answer.headers)
  const found = answer.statusCode ?? 500
  const isPart = part !== undefined && found < 300
  const status = isPart && part.range !== undefined ? 206 : found
  const headers = isPart ? { ...own, ...part.headers } : own
  if (status === 200) noteParts(sizes, request, length)
  if (!namesBucket(request, headers)) return { status, headers, body: answer }
  const sent = await text(answer)
  if (status === 200) noteWhole(sizes, request, sent)
  const xml = renameBucket(sent, slot, request)
  return { status, headers: { ...headers, 'content-length': Buffer.byteLength(xml) }, body: xml }
}

function exchange(
  message: IncomingMessage,
  upstream: ClientRequest,
  request: S3Request,
  payload: string,
  length: number,
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const framed = payload === TRAILER ? new AwsChunked() : undefined
    const names = checksumNames(request)
    const checked = new CheckedBody(
      {
        length,
        ...(/^[0-9a-f]{64}$/.test(payload) ? { sha256Hex: payload } : {}),
        checksums: () => new Map([...request.headers, ...(framed?.trailers ?? [])]),
      },
      names,
    )
    const fail = (error: Error) => {
      message.unpipe()
      message.resume()
      upstream.destroy()
      reject(error)
    }
    upstream.on('error', (error) => fail(error))
    upstream.on('response', resolve)
    message.on('close', () => {
      if (!message.complete) fail(new S3Error('IncompleteBody'))
    })
    framed?.on('error', fail)
    checked.on('error', fail)
    // A connection on which nothing is sent while the client hesitates would be closed as idle.
    upstream.flushHeaders()
    const body = framed ? message.pipe(framed) : message
    body.pipe(checked).pipe(upstream)
  })
}

/** What the emulator must not see: the signature, and the part's number, which it answers with 501. */
function isForUs(name: string, part: PartRead | undefined): boolean {
  return /^x-amz-/i.test(name) || (part !== undefined && name === 'partNumber')
}

function noteParts(sizes: PartSizes, request: S3Request, bytes: number): void {
  const uploadId = queryValue(request, 'uploadId')
  const part = Number(queryValue(request, 'partNumber') ?? 0)
  if (request.method === 'PUT' && uploadId !== undefined) sizes.uploaded(uploadId, part, bytes)
}

function noteWhole(sizes: PartSizes, request: S3Request, xml: string): void {
  const uploadId = queryValue(request, 'uploadId')
  const [, etag] = /<ETag>(?:"|&quot;)?([^<&"]*)/.exec(xml) ?? []
  if (uploadId !== undefined && etag !== undefined) sizes.completed(uploadId, `"${etag}"`)
}

/** Throws MissingContentLength: R2 takes no body of unknown length. */
function bodyLength({ headers }: S3Request): number {
  const length = headers.get('x-amz-decoded-content-length') ?? headers.get('content-length')
  if (length === undefined && headers.has('transfer-encoding')) {
    throw new S3Error('MissingContentLength')
  }
  return Number(length ?? 0)
}

/** Which checksums vouch for this body. Completing a multipart upload names those of the object. */
function checksumNames(request: S3Request): string[] {
  const { headers, method } = request
  if (method === 'POST' && queryValue(request, 'delete') === undefined) return []
  const announced = (headers.get('x-amz-trailer') ?? '').split(',').map((name) => name.trim())
  const sent = [...headers.keys(), ...announced.map((name) => name.toLowerCase())]
  return [...new Set(sent)]
}

/** The emulator's own XML, not an object that happens to be XML. */
function namesBucket({ method, key }: S3Request, headers: OutgoingHttpHeaders): boolean {
  const xml = String(headers['content-type']).startsWith('application/xml')
  return xml && method !== 'HEAD' && (key === undefined || method === 'POST')
}

function renameBucket(xml: string, slot: string, { bucket, key, headers }: S3Request): string {
  const address = `http://${headers.get('host')}/${bucket}/${(key ?? '').split('/').map(awsEncode).join('/')}`
  return xml
    .replace(`<Name>${slot}</Name>`, `<Name>${bucket}</Name>`)
    .replace(`<Bucket>${slot}</Bucket>`, `<Bucket>${bucket}</Bucket>`)
    .replace(/<Location>[^<]*<\/Location>/, () => `<Location>${address}</Location>`)
}

/** The S3 endpoint of one jurisdiction. */
export interface Front {
  /** `http://127.0.0.1:PORT`; path style. */
  readonly url: string
  close(): Promise<void>
}

export interface FrontOptions {
  readonly jurisdiction: string
  readonly pool: EmulatorPool
  /** R2 itself sends no `100 Continue`: true behaves so, false spares clients the wait. */
  readonly silentContinue?: boolean
  /** Reads by part number are refused with 501, as the emulator itself does. */
  readonly refusesParts?: boolean
}

/** Starts an S3 endpoint on a free port of 127.0.0.1: minted keys, R2's answers, the emulator's objects. */
export async function startFront(context: SandboxContext, options: FrontOptions): Promise<Front> {
  const sizes = createPartSizes()
  const listener = doorway(
    {
      name: 's3',
      answer: async (message) => {
        const told = await answer(context, options, sizes, message).catch(refusal)
        count(context, options, message, told)
        return told
      },
      refuse: (status) =>
        xmlAnswer(status, errorXml(codeOfStatus(status), 'This fault was asked for.')),
    },
    context,
  )
  const server = createServer(listener)
  server.keepAliveTimeout = IDLE_MS
  if (options.silentContinue) server.on('checkContinue', listener)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

async function answer(
  context: SandboxContext,
  { jurisdiction, pool, refusesParts = false }: FrontOptions,
  sizes: PartSizes,
  message: IncomingMessage,
): Promise<Answer> {
  const { world, clock } = context
  const request = readS3Request(message)
  const ring = { tokens: world.tokens, keyMs: world.delays.keyMs, now: clock() }
  const identity = authenticate(request, ring)
  refuseSignedStreaming(identity)
  const at = { world, jurisdiction, address: '127.0.0.1' }
  const bucket = authorize(request, identity.token, at)
  if (bucket === undefined) {
    return xmlAnswer(200, listBuckets(world, identity.token, jurisdiction))
  }
  const source = copySourceOf(request, identity.token, at)
  const slot = await pool.slotOf(bucket)
  const isOfPart = asksForPart(request) && !refusesParts
  return forward(pool, message, {
    request,
    payload: identity.payload,
    slot,
    sizes,
    part: isOfPart ? await findPart({ pool, slot, sizes }, request) : undefined,
    copySource: source && `${await pool.slotOf(source.bucket)}/${source.key}`,
  })
}

/** For the analytics; what names no bucket is left out. */
function count(
  { world, clock }: SandboxContext,
  { jurisdiction }: FrontOptions,
  message: IncomingMessage,
  { status }: Answer,
): void {
  const [path = ''] = (message.url ?? '').split('?')
  const name = path.split('/')[1]
  const bucket = world.buckets.find((one) => one.name === name && one.jurisdiction === jurisdiction)
  if (!bucket) return
  try {
    const action = operationOf(readS3Request(message))
    noteOperation(world, bucket, { action, status, at: clock() })
  } catch (error) {
    // What can't be read was refused, and is no operation.
    if (!(error instanceof S3Error)) throw error
  }
}

/** R2 knows no signed chunks (seen in 2025 and 2026 by FluentStorage's issue 166). */
function refuseSignedStreaming({ payload }: Identity): void {
  if (payload.startsWith('STREAMING-AWS4-')) {
    throw new S3Error('NotImplemented', `${payload} not implemented`)
  }
}

function refusal(error: unknown): Answer {
  const known = error instanceof S3Error ? error : new S3Error('InternalError', String(error))
  return xmlAnswer(known.status, known.toXml())
}

function xmlAnswer(status: number, body: string): Answer {
  const headers = { 'content-type': 'application/xml', 'content-length': Buffer.byteLength(body) }
  return { status, headers, body }
}
