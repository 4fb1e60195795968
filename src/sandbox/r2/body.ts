import { Transform, type TransformCallback } from 'node:stream'
import { S3Error } from './s3-error.ts'

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
