import { expect, test } from 'vitest'
import { type Reply, refusal, startS3Stub } from './s3-stub.ts'

const wish = { contentType: 'image/png', cacheControl: 'no-store' }
const buckets = ['one', 'two'].map((name) => `<Bucket><Name>${name}</Name></Bucket>`).join('')

test.each<[string, Reply, string[] | undefined]>([
  [
    'a key that may',
    {
      status: 200,
      text: `<ListAllMyBucketsResult><Buckets>${buckets}</Buckets></ListAllMyBucketsResult>`,
    },
    ['one', 'two'],
  ],
  ['a key that may not', refusal(403, 'AccessDenied'), undefined],
])('%s list buckets', async (_, reply, expected) => {
  await using stub = await startS3Stub(() => reply)
  expect(await stub.client.listBuckets()).toEqual(expected)
  expect(stub.received[0]).toMatchObject({ method: 'GET', path: '/' })
})

test('a key that nobody knows is a problem, not an answer', async () => {
  await using stub = await startS3Stub(() => refusal(401, 'Unauthorized'))
  await expect(stub.client.listBuckets()).rejects.toMatchObject({ code: 's3-401' })
})

test.each([200, 401, 403, 404])('R2 tells its time with status %i', async (status) => {
  const date = 'Sun, 22 Nov 2026 10:00:00 GMT'
  await using stub = await startS3Stub(() => ({ status, headers: { date } }))
  expect(await stub.client.serverTime()).toEqual(new Date(date))
})

test.each(['', 'yesterday'])('no time in "%s"', async (date) => {
  await using stub = await startS3Stub(() => ({ status: 200, headers: { date } }))
  expect(await stub.client.serverTime()).toBeUndefined()
})

test('an endpoint that is gone has no time', async () => {
  await using stub = await startS3Stub(() => 'reset')
  await expect(stub.client.serverTime()).rejects.toMatchObject({ code: 's3-unreachable' })
})

test.each(['public-read', 'private'])('sends the ACL %s where told', async (acl) => {
  await using stub = await startS3Stub(() => ({ status: 200 }))
  await stub.client.put('a.png', new Uint8Array(1), { ...wish, acl })
  expect(stub.received[0]?.headers['x-amz-acl']).toBe(acl)
})
