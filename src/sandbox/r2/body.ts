import { createHash } from 'node:crypto'
import type { IncomingHttpHeaders, OutgoingHttpHeaders } from 'node:http'
import { Transform, type TransformCallback } from 'node:stream'
import { crc32 } from 'node:zlib'
import { S3Error, type S3ErrorCode } from './s3-request.ts'

const MAX_LINE = 8192
const NEWLINE = 0x0a

/**
 * Takes AWS's framing off a body: `SIZE[;extension]` lines, data, a zero chunk, trailers
 * (AWS, "Transferring payload with trailing headers"). Errors with S3Error when the framing is broken.
 */
export class AwsChunked extends Transform {
  /** Lower-case name → value; complete once the stream has ended. */
  readonly trailers = new Map<string, string>()
  #expect: 'size' | 'data' | 'data-end' | 'trailer' | 'nothing' = 'size'
  #left = 0
  #line = Buffer.alloc(0)

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    try {
      this.#read(chunk)
      done()
    } catch (error) {
      done(error as Error)
    }
  }

  override _flush(done: TransformCallback): void {
    // Some clients leave out the empty line after the last chunk.
    const ended = this.#expect === 'nothing' || this.#expect === 'trailer'
    done(ended ? null : new S3Error('IncompleteBody'))
  }

  #read(chunk: Buffer): void {
    let rest = chunk
    while (rest.length > 0 && this.#expect !== 'nothing') {
      if (this.#expect === 'data') {
        const data = rest.subarray(0, this.#left)
        this.push(data)
        this.#left -= data.length
        rest = rest.subarray(data.length)
        if (this.#left === 0) this.#expect = 'data-end'
        continue
      }
      const end = rest.indexOf(NEWLINE)
      this.#line = Buffer.concat([this.#line, end < 0 ? rest : rest.subarray(0, end)])
      if (this.#line.length > MAX_LINE) throw broken('a line is too long')
      if (end < 0) return
      rest = rest.subarray(end + 1)
      const line = this.#line.toString('latin1').trim()
      this.#line = Buffer.alloc(0)
      this.#readLine(line)
    }
  }

  #readLine(line: string): void {
    if (this.#expect === 'size') {
      const size = /^[0-9a-f]{1,12}(?=;|$)/i.exec(line)?.[0]
      if (size === undefined) throw broken('a chunk size is missing')
      this.#left = Number.parseInt(size, 16)
      this.#expect = this.#left === 0 ? 'trailer' : 'data'
    } else if (this.#expect === 'data-end') {
      if (line !== '') throw broken('a chunk is longer than announced')
      this.#expect = 'size'
    } else if (line === '') {
      this.#expect = 'nothing'
    } else {
      const colon = line.indexOf(':')
      if (colon < 1) throw broken('a trailer has no name')
      this.trailers.set(line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim())
    }
  }
}

function broken(why: string): S3Error {
  return new S3Error('InvalidRequest', `The aws-chunked body is broken: ${why}.`)
}

/** What a body must turn out to be; header or trailer values as they were sent. */
export interface BodyPromise {
  readonly length: number
  /** x-amz-content-sha256, hex. */
  readonly sha256Hex?: string
  /** Content-MD5 and x-amz-checksum-*, base64, asked for at the end: trailers come last. */
  readonly checksums: () => ReadonlyMap<string, string>
}

/** R2 knows CRC64NVME and CRC32C as well: the sandbox takes them unverified. */
const digests = {
  'content-md5': () => hash('md5'),
  'x-amz-checksum-crc32': crc32Digest,
  'x-amz-checksum-sha1': () => hash('sha1'),
  'x-amz-checksum-sha256': () => hash('sha256'),
} as const

interface Digest {
  update(data: Buffer): void
  base64(): string
}

/**
 * Lets a body through and checks it. The last piece is held back until all of it is known to be
 * right, so that a reader with a fixed length never sees a wrong body end. Errors with S3Error.
 */
export class CheckedBody extends Transform {
  readonly #promise: BodyPromise
  readonly #digests: ReadonlyMap<string, Digest>
  readonly #sha256 = createHash('sha256')
  #length = 0
  #held: Buffer | undefined

  constructor(promise: BodyPromise, names: readonly string[]) {
    super()
    this.#promise = promise
    this.#digests = new Map(
      names.flatMap((name) => (isKnown(name) ? [[name, digests[name]()] as const] : [])),
    )
  }

  override _transform(chunk: Buffer, _encoding: string, done: TransformCallback): void {
    this.#length += chunk.length
    if (this.#length > this.#promise.length) {
      done(new S3Error('InvalidRequest', 'The body is longer than announced.'))
      return
    }
    if (this.#promise.sha256Hex !== undefined) this.#sha256.update(chunk)
    for (const digest of this.#digests.values()) digest.update(chunk)
    if (this.#held) this.push(this.#held)
    this.#held = chunk
    done()
  }

  override _flush(done: TransformCallback): void {
    const fault = this.#fault()
    if (fault) {
      done(new S3Error(fault))
      return
    }
    if (this.#held) this.push(this.#held)
    done()
  }

  #fault(): S3ErrorCode | undefined {
    if (this.#length !== this.#promise.length) return 'IncompleteBody'
    const { sha256Hex } = this.#promise
    if (sha256Hex !== undefined && this.#sha256.digest('hex') !== sha256Hex) {
      return 'XAmzContentSHA256Mismatch'
    }
    const sent = this.#promise.checksums()
    for (const [name, digest] of this.#digests) {
      const value = sent.get(name)
      const actual = digest.base64()
      // An announced trailer that never came is a wrong one.
      if (value === undefined) return 'BadDigest'
      if (Buffer.from(value, 'base64').length !== Buffer.from(actual, 'base64').length) {
        return 'InvalidDigest'
      }
      if (value !== actual) return 'BadDigest'
    }
    return undefined
  }
}

function isKnown(name: string): name is keyof typeof digests {
  return Object.hasOwn(digests, name)
}

function hash(algorithm: string): Digest {
  const state = createHash(algorithm)
  return { update: (data) => void state.update(data), base64: () => state.digest('base64') }
}

function crc32Digest(): Digest {
  let value = 0
  return {
    update(data) {
      value = crc32(data, value)
    },
    base64() {
      const bytes = Buffer.alloc(4)
      bytes.writeUInt32BE(value)
      return bytes.toString('base64')
    },
  }
}

/** workerd compresses what it is told is `gzip` once more, so the emulator keeps the word elsewhere. */
const ENCODING = 'x-amz-meta-sandbox-content-encoding'

/** Headers that end here: the framing, the signature, what has been verified on the way. */
const spent =
  /^(host|connection|keep-alive|expect|authorization|transfer-encoding|content-(length|md5|encoding)|accept-encoding|x-amz-(content-sha256|date|trailer|decoded-content-length|sdk-.*|checksum-(?!algorithm).*|copy-source)|mf-.*|cf-.*)$/

/** What of a client's headers goes on to the emulator; `aws-chunked` is framing, not an encoding. */
export function headersForEmulator(headers: ReadonlyMap<string, string>): Record<string, string> {
  const encoding = (headers.get('content-encoding') ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '' && name !== 'aws-chunked')
    .join(',')
  return {
    ...Object.fromEntries([...headers].filter(([name]) => !spent.test(name))),
    ...(encoding === '' ? {} : { [ENCODING]: encoding }),
  }
}

/** What of the emulator's answer goes back; its CORS headers say nothing about the bucket's rules. */
export function headersFromEmulator(headers: IncomingHttpHeaders): OutgoingHttpHeaders {
  const hop = /^(connection|keep-alive|transfer-encoding|access-control-.*|date)$/
  const encoding = headers[ENCODING]?.toString()
  return {
    ...Object.fromEntries(
      Object.entries(headers).filter(([name]) => !hop.test(name) && name !== ENCODING),
    ),
    ...(encoding === undefined ? {} : { 'content-encoding': encoding }),
  }
}
