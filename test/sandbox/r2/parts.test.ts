import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { startFront } from '../../../src/sandbox/r2/front.ts'
import { connectS3 } from '../../../src/services/s3/client.ts'
import type { S3Port } from '../../../src/services/s3/port.ts'
import { sender, type Wish } from './sign.ts'
import { addBucket, addKey, bucketResource, createStand } from './stand.ts'

const stand = createStand()
addBucket(stand.world, 'media')
const key = addKey(stand.world, { [bucketResource('media')]: '*' })
const LENGTH = 5 * 1_048_576
const body = new Uint8Array(LENGTH + 7).map((_, at) => at % 251)
let fronts: readonly Front[] = []

const send = sender(key, () => fronts[0]?.url ?? '')
const clientOf = ({ url }: Front): S3Port => {
  const { accessKeyId, secretAccessKey } = key.credentials
  const secret = new Secret(secretAccessKey)
  return connectS3({
    endpoint: url,
    bucket: 'media',
    key: { accessKeyId, secretAccessKey: secret },
  })
}

beforeAll(async () => {
  const at = { jurisdiction: 'default', pool: stand.pool }
  fronts = [await startFront(stand, at), await startFront(stand, { ...at, refusesParts: true })]
  const s3 = clientOf(fronts[0] as Front)
  const wish = { contentType: 'video/mp4', cacheControl: 'public', checksum: 'CRC32' } as const
  await s3.putMultipart('parts', body, wish)
  await s3.put('whole', body.subarray(0, 9), wish)
  await s3.put('empty', new Uint8Array(), wish)
}, 60_000)

afterAll(async () => {
  for (const front of fronts) await front.close()
  await stand.pool.close()
})

describe('as R2: a part by its number', () => {
  test.each<[string, number, object]>([
    ['parts', 1, { size: LENGTH, parts: 2 }],
    ['parts', 2, { size: 7, parts: 2 }],
    ['whole', 1, { size: 9 }],
    ['empty', 1, { size: 0 }],
  ])('HEAD of %s, part %i', async (name, part, expected) => {
    const head = await clientOf(fronts[0] as Front).head(name, part)
    expect(head).toMatchObject(expected)
    if (name !== 'parts') expect(head?.parts).toBeUndefined()
  })

  test.each<[string, number, number, number, number]>([
    ['parts', 1, 0, LENGTH, 206],
    ['parts', 2, LENGTH, LENGTH + 7, 206],
    ['whole', 1, 0, 9, 206],
    ['empty', 1, 0, 0, 200],
  ])('GET of %s, part %i', async (name, part, from, to, status) => {
    const s3 = clientOf(fronts[0] as Front)
    const { etag } = (await s3.head(name)) ?? {}
    const found = await s3.get(name, { part, ifMatch: etag, checksumMode: 'ENABLED' })
    expect(found.status).toBe(status)
    expect(Buffer.compare(found.body, body.subarray(from, to))).toBe(0)
  })

  test.each<[string, Wish, number, string | undefined]>([
    ['no such part', { path: '/media/whole', query: { partNumber: '2' } }, 416, 'InvalidRange'],
    ['no number', { path: '/media/whole', query: { partNumber: 'x' } }, 400, 'InvalidArgument'],
    ['part 0', { path: '/media/whole', query: { partNumber: '0' } }, 400, 'InvalidArgument'],
    [
      'a range besides',
      { path: '/media/whole', query: { partNumber: '1' }, headers: { range: 'bytes=0-1' } },
      400,
      'InvalidRequest',
    ],
    ['no such object', { path: '/media/none', query: { partNumber: '1' } }, 404, 'NoSuchKey'],
    [
      'another ETag',
      { path: '/media/whole', query: { partNumber: '1' }, headers: { 'if-match': '"x"' } },
      412,
      'PreconditionFailed',
    ],
  ])('%s', async (_, wish, status, code) => {
    expect(await send(wish)).toMatchObject({ status, code })
  })
})

test.each(['parts', 'none'])('as the emulator: reads of %s by part are refused', async (name) => {
  const s3 = clientOf(fronts[1] as Front)
  await expect(s3.head(name, 1)).rejects.toMatchObject({ code: 's3-501' })
  await expect(s3.get(name, { part: 1 })).rejects.toMatchObject({ code: 's3-501' })
})
