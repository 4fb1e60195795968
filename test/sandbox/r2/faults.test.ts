import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Front } from '../../../src/sandbox/r2/front.ts'
import { sender, signed } from './sign.ts'
import { addBucket, addKey, bucketResource, createStand, startTestFront } from './stand.ts'

const stand = createStand()
addBucket(stand.world, 'media')
const key = addKey(stand.world, { [bucketResource('media')]: '*' })
let front: Front
const send = sender(key, () => front.url)

beforeAll(async () => {
  front = await startTestFront(stand)
  await stand.pool.start()
}, 30_000)
afterAll(async () => {
  await front.close()
  await stand.pool.close()
})

describe('faults', () => {
  const put = { method: 'PUT', path: '/media/fault', body: 'hello' }

  test('status comes with R2’s code and the wished headers, once', async () => {
    stand.faults.add({ side: 's3', kind: 'status', status: 503, headers: { 'retry-after': '1' } })
    const response = await fetch(...signed(front.url, { key, ...put }))
    expect(response.status).toBe(503)
    expect(response.headers.get('retry-after')).toBe('1')
    expect(await response.text()).toContain('<Code>ServiceUnavailable</Code>')
    expect((await send(put)).status).toBe(200)
  })

  test('reset', async () => {
    expect((await send(put)).status).toBe(200)
    stand.faults.add({ side: 's3', kind: 'reset', method: 'DELETE' })
    await expect(send({ ...put, method: 'DELETE', body: undefined })).rejects.toThrow()
    expect(stand.entries.at(-1)).toMatchObject({ side: 's3', method: 'DELETE', status: 'reset' })
    expect((await send({ path: put.path })).status).toBe(200)
  })

  test('applied-then-reset', async () => {
    stand.faults.add({ side: 's3', kind: 'applied-then-reset', path: 'applied' })
    await expect(send({ ...put, path: '/media/applied' })).rejects.toThrow()
    expect((await send({ path: '/media/applied' })).body).toBe('hello')
  })

  test('malformed', async () => {
    stand.faults.add({ side: 's3', kind: 'malformed' })
    const answer = await send({ path: '/media', query: { 'list-type': '2' } })
    expect(answer.status).toBe(200)
    expect(answer.body).not.toMatch(/>$/)
  })

  test('hang ends with the server', async () => {
    const own = await startTestFront(stand)
    stand.faults.add({ side: 's3', kind: 'hang', path: 'hang' })
    const hanging = fetch(...signed(own.url, { key, path: '/media/hang' }))
    hanging.catch(() => undefined)
    await expect.poll(() => stand.entries.at(-1)?.status).toBe('hang')
    await own.close()
    await expect(hanging).rejects.toThrow()
  })
})

test('the log names requests, not secrets', async () => {
  await send({ path: '/media', query: { 'list-type': '2', prefix: 'a' } })
  expect(stand.entries.at(-1)).toEqual({
    at: expect.any(Number),
    side: 's3',
    method: 'GET',
    path: '/media?list-type=2&prefix=a',
    status: 200,
  })
})
