import { randomBytes } from 'node:crypto'
import { Readable } from 'node:stream'
import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CopyObjectCommand,
  CreateBucketCommand,
  CreateMultipartUploadCommand,
  DeleteObjectCommand,
  DeleteObjectsCommand,
  GetObjectCommand,
  HeadBucketCommand,
  HeadObjectCommand,
  ListBucketsCommand,
  ListObjectsV2Command,
  PutObjectCommand,
  S3Client,
  type S3ClientConfig,
  UploadPartCommand,
} from '@aws-sdk/client-s3'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import {
  ACCOUNT,
  addBucket,
  addKey,
  bucketResource,
  createStand,
  STORAGE_WRITE,
  startTestFront,
  type TestKey,
} from './stand.ts'

const stand = createStand()
const { world } = stand
addBucket(world, 'media')
addBucket(world, 'other')
const key = addKey(world, { [bucketResource('media')]: '*' })
const admin = addKey(world, { [`com.cloudflare.api.account.${ACCOUNT}`]: '*' }, STORAGE_WRITE)
let front: Front

beforeAll(async () => {
  front = await startTestFront(stand)
  await stand.pool.start()
}, 30_000)
afterAll(async () => {
  await front.close()
  await stand.pool.close()
})

function connect({ credentials }: TestKey, config: S3ClientConfig = {}): S3Client {
  return new S3Client({
    endpoint: front.url,
    region: 'auto',
    forcePathStyle: true,
    maxAttempts: 1,
    credentials,
    ...config,
  })
}

const required = {
  requestChecksumCalculation: 'WHEN_REQUIRED',
  responseChecksumValidation: 'WHEN_REQUIRED',
} as const

describe.each([
  ['default checksums', {}],
  ['checksums when required', required],
] as const)('the AWS SDK with %s', (name, config) => {
  const prefix = `${name.replaceAll(' ', '-')}/`
  const s3 = () => connect(key, config)
  const read = async (Key: string, Range?: string) => {
    const answer = await s3().send(
      new GetObjectCommand({ Bucket: 'media', Key, ...(Range ? { Range } : {}) }),
    )
    return { ...answer, bytes: Buffer.from((await answer.Body?.transformToByteArray()) ?? []) }
  }

  test.each([
    ['a buffer', () => Buffer.from('hello')],
    ['no bytes', () => Buffer.alloc(0)],
    ['3 MiB', () => randomBytes(3 * 1024 * 1024)],
  ])('puts and gets %s', async (what, make) => {
    const body = make()
    const Key = `${prefix}${what} +ü&'(1).png`
    const put = await s3().send(
      new PutObjectCommand({
        Bucket: 'media',
        Key,
        Body: body,
        ContentType: 'image/png',
        CacheControl: 'public, max-age=315576000, immutable',
        ACL: 'public-read',
        Metadata: { colour: 'green' },
      }),
    )
    const got = await read(Key)
    expect(got.bytes.equals(body)).toBe(true)
    expect(got).toMatchObject({
      ContentType: 'image/png',
      CacheControl: 'public, max-age=315576000, immutable',
      ETag: put.ETag,
      Metadata: { colour: 'green' },
    })
    expect(got.ContentEncoding).toBeUndefined()
  })

  test('puts a stream', async () => {
    const body = randomBytes(700_000)
    const pieces = [body.subarray(0, 100), body.subarray(100, 300_000), body.subarray(300_000)]
    const Key = `${prefix}stream.bin`
    await s3().send(
      new PutObjectCommand({
        Bucket: 'media',
        Key,
        Body: Readable.from(pieces, { objectMode: false }),
        ContentLength: body.length,
      }),
    )
    expect((await read(Key)).bytes.equals(body)).toBe(true)
  })

  test('keeps Content-Encoding and the bytes under it', async () => {
    const Key = `${prefix}page.gz`
    const body = randomBytes(2000)
    await s3().send(
      new PutObjectCommand({ Bucket: 'media', Key, Body: body, ContentEncoding: 'gzip' }),
    )
    const got = await read(Key)
    expect(got.ContentEncoding).toBe('gzip')
    expect(got.bytes.equals(body)).toBe(true)
  })

  test('gets a range', async () => {
    const Key = `${prefix}range.txt`
    await s3().send(new PutObjectCommand({ Bucket: 'media', Key, Body: '0123456789' }))
    const got = await read(Key, 'bytes=2-4')
    expect(got.$metadata.httpStatusCode).toBe(206)
    expect(got.bytes.toString()).toBe('234')
    expect(got.ContentRange).toBe('bytes 2-4/10')
  })

  test('uploads in parts', async () => {
    const Key = `${prefix}parts.bin`
    const at = { Bucket: 'media', Key }
    const parts = [randomBytes(5 * 1024 * 1024), randomBytes(1000)]
    const begun = await s3().send(
      new CreateMultipartUploadCommand({ ...at, ContentType: 'video/mp4' }),
    )
    expect(begun).toMatchObject({ Bucket: 'media', Key })
    const UploadId = begun.UploadId ?? ''
    const Parts = await Promise.all(
      parts.map(async (Body, index) => {
        const PartNumber = index + 1
        const part = await s3().send(new UploadPartCommand({ ...at, UploadId, PartNumber, Body }))
        return { PartNumber, ETag: part.ETag, ChecksumCRC32: part.ChecksumCRC32 }
      }),
    )
    const done = await s3().send(
      new CompleteMultipartUploadCommand({ ...at, UploadId, MultipartUpload: { Parts } }),
    )
    expect(done.ETag).toMatch(/-2"$/)
    expect(done.Bucket).toBe('media')
    expect(done.Location).toContain(`${front.url}/media/`)
    const got = await read(Key)
    expect(got.ContentType).toBe('video/mp4')
    expect(got.bytes.equals(Buffer.concat(parts))).toBe(true)
  })

  test('gives an upload up', async () => {
    const at = { Bucket: 'media', Key: `${prefix}given-up` }
    const { UploadId } = await s3().send(new CreateMultipartUploadCommand(at))
    await s3().send(new AbortMultipartUploadCommand({ ...at, UploadId }))
    const head = s3().send(new HeadObjectCommand(at))
    await expect(head).rejects.toMatchObject({ $metadata: { httpStatusCode: 404 } })
  })

  test('copies, lists and deletes', async () => {
    const at = (name: string) => ({ Bucket: 'media', Key: `${prefix}list/${name}` })
    await s3().send(new PutObjectCommand({ ...at('a ü'), Body: 'one', ContentType: 'text/x-a' }))
    await s3().send(
      new CopyObjectCommand({
        ...at('b'),
        CopySource: `media/${encodeURIComponent(at('a ü').Key)}`,
      }),
    )
    expect((await read(at('b').Key)).ContentType).toBe('text/x-a')
    const list = () => s3().send(new ListObjectsV2Command({ Bucket: 'media', Prefix: at('').Key }))
    const listed = await list()
    expect(listed.Name).toBe('media')
    expect(listed.Contents?.map(({ Key }) => Key)).toEqual([at('a ü').Key, at('b').Key])
    await s3().send(
      new DeleteObjectsCommand({
        Bucket: 'media',
        Delete: { Objects: [{ Key: at('a ü').Key }, { Key: at('never').Key }] },
      }),
    )
    await s3().send(new DeleteObjectCommand(at('b')))
    expect((await list()).KeyCount).toBe(0)
  })

  test('heads the bucket', async () => {
    const head = await s3().send(new HeadBucketCommand({ Bucket: 'media' }))
    expect(head.$metadata.httpStatusCode).toBe(200)
  })
})

describe('what a key may not do', () => {
  test('a bucket-scoped key lists no buckets, makes none, leaves other buckets alone', async () => {
    const s3 = connect(key)
    const denied = { name: 'AccessDenied', $metadata: { httpStatusCode: 403 } }
    await expect(s3.send(new ListBucketsCommand({}))).rejects.toMatchObject(denied)
    await expect(s3.send(new CreateBucketCommand({ Bucket: 'new' }))).rejects.toMatchObject(denied)
    const get = new GetObjectCommand({ Bucket: 'other', Key: 'x' })
    await expect(s3.send(get)).rejects.toMatchObject(denied)
    const steal = new CopyObjectCommand({ Bucket: 'media', Key: 'x', CopySource: 'other/x' })
    await expect(s3.send(steal)).rejects.toMatchObject(denied)
    const missing = s3.send(new ListObjectsV2Command({ Bucket: 'missing' }))
    await expect(missing).rejects.toMatchObject({ name: 'NoSuchBucket' })
  })

  test('an admin key lists buckets', async () => {
    const { Buckets } = await connect(admin).send(new ListBucketsCommand({}))
    expect(Buckets?.map(({ Name }) => Name)).toEqual(['media', 'other'])
  })
})
