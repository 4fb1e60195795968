import { createHash } from 'node:crypto'
import { Transform, type TransformCallback } from 'node:stream'
import { crc32 } from 'node:zlib'
import { S3Error, type S3ErrorCode } from './s3-error.ts'

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
