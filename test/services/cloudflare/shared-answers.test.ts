import { expect, it } from 'vitest'
import { at, type Received, startStub } from './api-stub.ts'

const answer = ({ method }: Received) =>
  method === 'GET' ? { result: { buckets: [{ name: 'media' }] } } : { result: {} }
const asked = (received: readonly Received[]) => received.map(({ method, path }) => [method, path])

it('who asks the same at the same time gets one answer', async () => {
  await using stub = await startStub(answer)
  const list = () => stub.client.listBuckets(at.accountId, 'eu')
  expect(await Promise.all([list(), list(), list()])).toEqual([['media'], ['media'], ['media']])
  expect(stub.received).toHaveLength(1)
})

it('of another jurisdiction is another question, as is a later one', async () => {
  await using stub = await startStub(answer)
  const list = (jurisdiction: 'eu' | 'us') => stub.client.listBuckets(at.accountId, jurisdiction)
  await Promise.all([list('eu'), list('us')])
  await list('eu')
  expect(stub.received).toHaveLength(3)
})

it('who asks after a change began gets no answer from before it', async () => {
  await using stub = await startStub(answer)
  const list = () => stub.client.listBuckets(at.accountId, 'eu')
  const before = list()
  const change = stub.client.disableDevUrl(at)
  await Promise.all([before, change, list()])
  const lists = asked(stub.received).filter(([method]) => method === 'GET')
  expect(lists).toHaveLength(2)
})
