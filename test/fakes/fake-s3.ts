import { createHash } from 'node:crypto'
import { Cancelled, type Problem } from '../../src/core/problem.ts'
import { compareKeys } from '../../src/core/streams.ts'
import type { PutOptions, S3Key, S3Object, S3Port } from '../../src/services/s3/port.ts'
import { refusal } from './fake-cloudflare.ts'

type Verb =
  | 'buckets'
  | 'time'
  | 'head'
  | 'put'
  | 'put-parts'
  | 'get'
  | 'list'
  | 'head-object'
  | 'page'
  | 'delete'
  | 'delete-many'

/** `etag` is the MD5 of the body unless told. */
type FakeObject = { body: Uint8Array; etag?: string } & PutOptions

/** A bucket in memory that can refuse, damage and forget. */
export class FakeS3 implements S3Port {
  readonly objects = new Map<string, FakeObject>()
  readonly calls: string[] = []
  readonly keys: S3Key[] = []
  /** Called before everything; a Problem is thrown. */
  refuse: (verb: Verb, key: string) => Problem | undefined = () => undefined
  /** What a reader gets instead. */
  alter: (object: S3Object, range: string | undefined) => S3Object = (object) => object
  listed: (keys: string[]) => string[] = (keys) => keys
  forgetsToDelete = false
  pageSize = 1000
  /** What the key may list; undefined: it may not. */
  buckets: string[] | undefined
  time: Date | undefined

  readonly connect = (key: S3Key): S3Port => {
    this.keys.push(key)
    return this
  }

  #begin(verb: Verb, key = ''): void {
    this.calls.push(key === '' ? verb : `${verb} ${key}`)
    const problem = this.refuse(verb, key)
    if (problem) throw problem
  }

  async headBucket() {
    this.#begin('head')
  }

  async put(key: string, body: Uint8Array, options: PutOptions) {
    this.#begin('put', key)
    this.objects.set(key, { body, ...options })
  }

  async putMultipart(key: string, body: Uint8Array, options: PutOptions) {
    this.#begin('put-parts', key)
    this.objects.set(key, { body, ...options })
  }

  async get(key: string, range?: string) {
    this.#begin('get', key)
    const found = this.objects.get(key)
    if (!found) throw refusal('s3-404')
    const { body, contentType, cacheControl } = found
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    const part = first === undefined ? body : body.slice(Number(first), Number(last) + 1)
    const status = first === undefined ? 200 : 206
    return this.alter({ status, body: part, contentType, cacheControl }, range)
  }

  async head(key: string) {
    this.#begin('head-object', key)
    const found = this.objects.get(key)
    if (!found) return undefined
    const { body, etag = md5(body), contentType, cacheControl } = found
    const more = { contentEncoding: undefined, metadata: {} }
    return { size: body.length, etag, contentType, cacheControl, ...more }
  }

  async *pages(prefix = '', signal?: AbortSignal) {
    let after = ''
    for (;;) {
      this.#begin('page', prefix)
      if (signal?.aborted) throw new Cancelled()
      const keys = [...this.objects.keys()]
        .filter((key) => key.startsWith(prefix) && compareKeys(key, after) > 0)
        .sort(compareKeys)
        .slice(0, this.pageSize)
      const page = keys.map((key) => {
        const { body, etag = md5(body) } = this.objects.get(key) ?? { body: new Uint8Array() }
        return { key, size: body.length, etag, lastModified: 0 }
      })
      after = keys.at(-1) ?? after
      if (page.length > 0) yield page
      if (page.length < this.pageSize) return
    }
  }

  async list(prefix: string, limit: number) {
    this.#begin('list', prefix)
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix))
    return this.listed(keys.slice(0, limit))
  }

  async delete(key: string) {
    this.#begin('delete', key)
    if (!this.forgetsToDelete) this.objects.delete(key)
  }

  async deleteMany(keys: readonly string[]) {
    this.#begin('delete-many', keys.join(' '))
    if (!this.forgetsToDelete) for (const key of keys) this.objects.delete(key)
  }

  async listBuckets() {
    this.#begin('buckets')
    return this.buckets
  }

  async serverTime() {
    this.#begin('time')
    return this.time
  }
}

function md5(body: Uint8Array): string {
  return createHash('md5').update(body).digest('hex')
}
