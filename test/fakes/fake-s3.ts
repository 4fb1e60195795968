import { createHash } from 'node:crypto'
import { Cancelled, type Problem } from '../../src/core/problem.ts'
import { compareKeys } from '../../src/core/streams.ts'
import { isTestFile } from '../../src/core/test-file.ts'
import type {
  ListedObject,
  PutOptions,
  ReadWish,
  S3Key,
  S3Object,
  S3Port,
} from '../../src/services/s3/port.ts'
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
  | 'head-part'
  | 'get-part'
  | 'page'
  | 'acl'
  | 'delete'
  | 'delete-many'

/** `etag` is the MD5 of the body; `lastModified` 0 unless told, of a test file now. */
type FakeObject = {
  body: Uint8Array
  etag?: string
  inParts?: true
  lastModified?: number
} & PutOptions

const PART = 5 * 1_048_576
const NO_HEADERS: PutOptions = { contentType: '', cacheControl: '' }

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
  /** Whether a HEAD for a part tells how many there are. */
  tellsParts = true
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
    this.objects.set(key, { body, inParts: true, ...options })
    return md5(body)
  }

  async get(key: string, { range, part, ifMatch }: ReadWish = {}) {
    this.#begin(part === undefined ? 'get' : 'get-part', key)
    const found = this.objects.get(key)
    if (!found) throw refusal('s3-404')
    const { body, contentType, cacheControl, etag = md5(body) } = found
    if (ifMatch !== undefined && ifMatch !== etag) throw refusal('s3-412')
    if (part !== undefined) {
      const bytes = this.#partsOf(key)[part - 1]
      if (!bytes) throw refusal('s3-416')
      return this.alter({ status: 206, body: bytes, contentType, cacheControl }, `part=${part}`)
    }
    const [, first, last] = /^bytes=(\d+)-(\d+)$/.exec(range ?? '') ?? []
    const bytes = first === undefined ? body : body.slice(Number(first), Number(last) + 1)
    const status = first === undefined ? 200 : 206
    return this.alter({ status, body: bytes, contentType, cacheControl }, range)
  }

  async head(key: string, part?: number) {
    this.#begin(part === undefined ? 'head-object' : 'head-part', key)
    const found = this.objects.get(key)
    if (!found) return undefined
    const { body, etag = md5(body), contentType, cacheControl } = found
    const more = { contentEncoding: undefined, metadata: {} }
    const parts = this.#partsOf(key)
    const asked = part === undefined ? undefined : parts[part - 1]
    const count = asked && this.tellsParts && parts.length > 1 ? { parts: parts.length } : {}
    const size = (asked ?? body).length
    return { size, etag, contentType, cacheControl, ...more, ...count }
  }

  #partsOf(key: string): Uint8Array[] {
    const { body, inParts = false } = this.objects.get(key) ?? { body: new Uint8Array() }
    if (!inParts) return [body]
    const count = Math.ceil(body.length / PART)
    return Array.from({ length: count }, (_, at) => body.slice(at * PART, (at + 1) * PART))
  }

  async *pages(prefix = '', signal?: AbortSignal) {
    let after = ''
    for (;;) {
      this.#begin('page', prefix)
      if (signal?.aborted) throw new Cancelled()
      const page = this.#page(prefix, after)
      after = page.at(-1)?.key ?? after
      if (page.length > 0) yield page
      if (page.length < this.pageSize) return
    }
  }

  async pageAfter(key = '', signal?: AbortSignal) {
    this.#begin('page', '')
    if (signal?.aborted) throw new Cancelled()
    const objects = this.#page('', key)
    return { objects, isLast: objects.length < this.pageSize }
  }

  #page(prefix: string, after: string): ListedObject[] {
    const keys = [...this.objects.keys()]
      .filter((key) => key.startsWith(prefix) && compareKeys(key, after) > 0)
      .sort(compareKeys)
      .slice(0, this.pageSize)
    return keys.map((key) => {
      const found: FakeObject = this.objects.get(key) ?? { body: new Uint8Array(), ...NO_HEADERS }
      const age = isTestFile(key) ? Date.now() : 0
      const { body, etag = md5(body), lastModified = age } = found
      return { key, size: body.length, etag, lastModified }
    })
  }

  async list(prefix: string, limit: number) {
    this.#begin('list', prefix)
    const keys = [...this.objects.keys()].filter((key) => key.startsWith(prefix))
    return this.listed(keys.slice(0, limit))
  }

  async putAcl(key: string, acl: string) {
    this.#begin('acl', key)
    const found = this.objects.get(key)
    if (!found) throw refusal('s3-404')
    this.objects.set(key, { ...found, acl })
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
