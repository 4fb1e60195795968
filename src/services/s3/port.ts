import type { Secret } from '../../core/secret.ts'

/**
 * One bucket through the S3 endpoint, with one key. Refusals are Problems whose code is
 * `s3-<status>` (e.g. `s3-403`), `s3-unreachable`, `s3-not-deleted`, `s3-answer-too-large`, `s3-too-slow`, or
 * `s3-damaged` (what came back is not what S3 sends).
 */
export interface S3Port {
  headBucket(): Promise<void>
  put(key: string, body: Uint8Array, options: PutOptions): Promise<void>
  /**
   * Parts of 5 MiB (the last may be smaller), as kt-paperclip does above S3_MULTIPART_THRESHOLD. Gives
   * the ETag of the whole, without its quotes.
   */
  putMultipart(key: string, body: Uint8Array, options: PutOptions): Promise<string>
  get(key: string, wish?: ReadWish): Promise<S3Object>
  /**
   * What is stored with an object; undefined when it is not there. One Class B request. With `part`
   * (1 to 10,000) the size is that part's, and `parts` is told of what was uploaded in parts.
   */
  head(key: string, part?: number): Promise<ObjectHead | undefined>
  /**
   * Every object below a prefix in the byte order of the keys, up to 1,000 a page: one Class A request
   * each. The next page is fetched while one is worked on. Rejects with Cancelled when aborted.
   */
  pages(prefix?: string, signal?: AbortSignal): AsyncIterable<readonly ListedObject[]>
  /**
   * The first 1,000 objects behind this key, in the order of `pages`; those from the beginning when it
   * is undefined. One Class A request.
   */
  pageAfter(key: string | undefined, signal?: AbortSignal): Promise<ListedPage>
  /** Keys below a prefix, at most `limit` (1 to 1,000). */
  list(prefix: string, limit: number): Promise<string[]>
  /** Another canned ACL (`private`, `public-read`) for what is there; `s3-501` where none is known. */
  putAcl(key: string, acl: string): Promise<void>
  delete(key: string): Promise<void>
  deleteMany(keys: readonly string[]): Promise<void>
  /** Names of the account's buckets; undefined when the key may not list them, as it should be. */
  listBuckets(): Promise<string[] | undefined>
  /** R2's own clock: the Date header of any answer, refusals included; exact to a second. */
  serverTime(): Promise<Date | undefined>
}

export interface PutOptions {
  readonly contentType: string
  readonly cacheControl: string
  /**
   * Sends `x-amz-checksum-crc32` in the place of a signature of the body, and with parts
   * `x-amz-mp-object-size`, as Mastodon 4.6 and later do.
   */
  readonly checksum?: 'CRC32'
  /** Sends `x-amz-acl`, as Mastodon does unless S3_PERMISSION is empty. */
  readonly acl?: string
  /** Sends `x-amz-storage-class`, as Mastodon does with S3_STORAGE_CLASS. */
  readonly storageClass?: string
}

/** How an object is kept, where that is told. */
export type Keeping = Pick<PutOptions, 'acl' | 'storageClass'>

/** Which bytes of an object, and what they have to fit to. */
export interface ReadWish {
  /** As in the HTTP header, e.g. `bytes=0-99`. */
  readonly range?: string | undefined
  /** The part, from 1, of what was uploaded in parts; never together with `range`. */
  readonly part?: number | undefined
  /** Only while the object has this ETag (without the quotes), else `s3-412`. */
  readonly ifMatch?: string | undefined
  /** Asks for the checksum and holds the body against it, as aws-sdk-s3 does since 1.178. */
  readonly checksumMode?: 'ENABLED' | undefined
}

export interface S3Object {
  readonly status: number
  readonly body: Uint8Array
  readonly contentType: string | undefined
  readonly cacheControl: string | undefined
}

export interface ListedObject {
  readonly key: string
  /** Bytes. */
  readonly size: number
  /** Without the quotes: the MD5 in hex, or `<md5 of the parts' md5s>-<parts>`. */
  readonly etag: string
  /** Milliseconds since the epoch. */
  readonly lastModified: number
}

export interface ListedPage {
  readonly objects: readonly ListedObject[]
  /** Nothing comes behind it. */
  readonly isLast: boolean
}

export interface ObjectHead {
  readonly size: number
  readonly etag: string
  readonly contentType: string | undefined
  readonly cacheControl: string | undefined
  readonly contentEncoding: string | undefined
  /** How many parts it was uploaded in, where a part was asked for and it is told. */
  readonly parts?: number | undefined
  /** User metadata, lower-case names without `x-amz-meta-`; rclone leaves `mtime`. */
  readonly metadata: Readonly<Record<string, string>>
}

export interface S3Key {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
}

export type ConnectS3 = (key: S3Key) => S3Port
