import { describe, expect, test } from 'vitest'
import type { MediaFile, Oddity } from '../../src/services/media/port.ts'
import { bucketSource } from '../../src/setup/old-provider.ts'
import { refusal } from '../fakes/fake-cloudflare.ts'
import { FakeS3 } from '../fakes/fake-s3.ts'
import { startS3Stub, refusal as xmlRefusal } from '../services/s3/s3-stub.ts'

const object = (text: string) => ({ body: Buffer.from(text), contentType: '', cacheControl: '' })

function bucket() {
  const s3 = new FakeS3()
  s3.pageSize = 2
  for (const key of ['b', 'a', 'c']) s3.objects.set(key, object(key.repeat(3)))
  s3.objects.set('folder/', object(''))
  return s3
}

test('objects as files, in order; what stands for a folder is told', async () => {
  const s3 = bucket()
  const odd: Oddity[] = []
  const files: MediaFile[] = []
  const source = bucketSource(s3, 'media at s3.example.com')
  for await (const batch of source.files({ onOddity: (one) => odd.push(one) })) {
    files.push(...batch)
  }
  expect(files.map(({ key, size }) => [key, size])).toEqual([
    ['a', 3],
    ['b', 3],
    ['c', 3],
  ])
  expect(files[0]?.etag).toMatch(/^[0-9a-f]{32}$/)
  expect(odd).toMatchObject([{ path: 'folder/', kind: 'not-a-file' }])
  expect(source).toMatchObject({ kind: 's3', name: 'media at s3.example.com' })
})

test('one object, with the ETag that comparing contents needs', async () => {
  const source = bucketSource(bucket(), 'media')
  expect(await source.find('a')).toMatchObject({ key: 'a', size: 3, etag: expect.any(String) })
  expect(await source.find('x')).toBeUndefined()
  expect(Buffer.from(await source.read('b')).toString()).toBe('bbb')
})

describe('an object that is listed', () => {
  test.each([
    ['HEAD is refused', 'head-object', 's3-403'],
    ['HEAD does not find it', 'head-object', 's3-404'],
  ])('%s: it is there all the same', async (_, verb, code) => {
    const s3 = bucket()
    s3.refuse = (asked, key) => (asked === verb && key === 'b' ? refusal(code) : undefined)
    const source = bucketSource(s3, 'media')
    expect(await source.find('b')).toMatchObject({ key: 'b', size: 3 })
    expect(await source.find('x')).toBeUndefined()
  })

  test.each([
    ['s3-403', true],
    ['s3-404', true],
    ['s3-416', false],
  ])('%s to its content: unreadable is %s', async (code, isUnreadable) => {
    const s3 = bucket()
    s3.refuse = (asked, key) => (asked === 'get' && key === 'b' ? refusal(code) : undefined)
    const source = bucketSource(s3, 'media')
    expect((await source.whyUnreadable?.('b')) !== undefined).toBe(isUnreadable)
    expect(await source.whyUnreadable?.('a')).toBeUndefined()
  })

  test('a refusal of the key is none of an object', async () => {
    await using stub = await startS3Stub(() => xmlRefusal(403, 'InvalidAccessKeyId'))
    const source = bucketSource(stub.client, 'media')
    await expect(source.find('a')).rejects.toMatchObject({ code: 's3-403' })
    await expect(source.whyUnreadable?.('a')).rejects.toMatchObject({ code: 's3-403' })
  })
})

test('ends when it is cancelled', async () => {
  const work = async () => {
    for await (const _ of bucketSource(bucket(), '').files({ signal: AbortSignal.abort() }));
  }
  await expect(work()).rejects.toMatchObject({ name: 'Cancelled' })
})
