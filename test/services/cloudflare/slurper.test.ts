import { expect, test } from 'vitest'
import { Secret } from '../../../src/core/secret.ts'
import type { SlurperSource } from '../../../src/services/cloudflare/port.ts'
import { type Received, type Reply, startStub, thrownBy } from './api-stub.ts'

const ACCOUNT = '0123456789abcdef0123456789abcdef'
const source: SlurperSource = {
  vendor: 's3',
  bucket: 'old',
  key: { accessKeyId: 'OLD', secretAccessKey: new Secret('OldSecretNeverShown') },
  endpoint: 'https://s3.example.com/',
  region: 'eu-1',
}
const key = { accessKeyId: 'NEW', secretAccessKey: new Secret('NewSecretNeverShown') }
const target = { bucket: 'media', jurisdiction: 'eu', key } as const
const wish = { source, target, prefix: 'cache/' }

const job = (id: string, more: object = {}) => ({
  id,
  status: 'running',
  createdAt: '2026-11-22T09:00:00Z',
  finishedAt: null,
  source: { vendor: 's3', bucket: 'old', endpoint: 'https://S3.example.com', pathPrefix: 'cache/' },
  target: { vendor: 'r2', bucket: 'media', jurisdiction: 'eu' },
  ...more,
})

/** Lists the jobs; a POST is answered as told and makes `made`, or nothing. */
function jobsApi(answer: Reply, made?: object, before: object[] = [job('old')]) {
  const jobs = [...before]
  return ({ method }: Received): Reply => {
    if (method === 'GET') return { result: jobs }
    if (made) jobs.unshift(made)
    return answer
  }
}

test.each<[string, Reply, object | undefined, string]>([
  ['answered', { result: { id: 'new' } }, job('new'), 'new'],
  ['lost, carried out', 'reset', job('new'), 'new'],
  [
    '500, carried out, already completed',
    { status: 500 },
    job('new', { status: 'completed' }),
    'new',
  ],
  ['lost, not carried out', 'reset', undefined, 'cloudflare-answer-lost'],
  [
    'lost, and somebody made another one',
    'reset',
    job('other', { target: { bucket: 'elsewhere' } }),
    'cloudflare-answer-lost',
  ],
  ['too many', { status: 409, errors: [[1, 'busy']] }, undefined, 'slurper-too-many-jobs'],
  ['refused', { status: 403, errors: [[10000, 'no']] }, undefined, 'cloudflare-10000'],
  ['without an id', { result: {} }, undefined, 'cloudflare-odd-answer'],
])('creating a job: %s', async (_, answer, made, expected) => {
  await using stub = await startStub(jobsApi(answer, made))
  const outcome = await stub.client.slurper
    .createJob(ACCOUNT, wish)
    .catch((error: { code: string }) => error.code)
  expect(outcome).toBe(expected)
  const posts = stub.received.filter(({ method }) => method === 'POST')
  expect(posts).toHaveLength(1)
  expect(posts[0]?.body).toEqual({
    source: {
      vendor: 's3',
      bucket: 'old',
      secret: { accessKeyId: 'OLD', secretAccessKey: 'OldSecretNeverShown' },
      endpoint: 'https://s3.example.com/',
      region: 'eu-1',
      pathPrefix: 'cache/',
    },
    target: {
      vendor: 'r2',
      bucket: 'media',
      secret: { accessKeyId: 'NEW', secretAccessKey: 'NewSecretNeverShown' },
      jurisdiction: 'eu',
    },
    overwrite: false,
  })
  expect(JSON.stringify(stub.calls)).not.toContain('NeverShown')
})

test('errors never hold a secret', async () => {
  await using stub = await startStub(jobsApi({ status: 400, errors: [[10005, 'bad']] }))
  const error = await thrownBy(stub.client.slurper.createJob(ACCOUNT, wish))
  expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toContain('NeverShown')
})

test('jobs of every page, those between the two places alone', async () => {
  const many = Array.from({ length: 130 }, (_, index) =>
    job(`${index}`, index % 2 ? {} : { source: { bucket: 'old' } }),
  )
  await using stub = await startStub(({ query }) => {
    const offset = Number(query.get('offset'))
    return { result: many.slice(offset, offset + Number(query.get('limit'))) }
  })
  const jobs = await stub.client.slurper.listJobs(ACCOUNT, wish)
  expect(jobs).toHaveLength(65)
  expect(stub.received.map(({ query }) => query.get('offset'))).toEqual(['0', '50', '100'])
})

test.each<[string, Partial<typeof source>, string | null | undefined, boolean]>([
  ['AWS, not told', { endpoint: undefined }, null, true],
  ['AWS, told', { endpoint: undefined }, 'https://s3.eu-west-1.amazonaws.com', true],
  ['another provider', { endpoint: undefined }, 'https://s3.example.com', false],
])('a job of %s', async (_, more, endpoint, isOurs) => {
  await using stub = await startStub([
    { result: [job('1', { source: { bucket: 'old', endpoint } })] },
  ])
  const places = { source: { ...source, ...more } as SlurperSource, target }
  expect(await stub.client.slurper.listJobs(ACCOUNT, places)).toHaveLength(isOurs ? 1 : 0)
})

test('progress, and a job that is not there', async () => {
  await using stub = await startStub([
    { result: { status: 'running', objects: 9, transferredObjects: 4, failedObjects: 1 } },
    { status: 404, errors: [[1, 'no job']] },
  ])
  const { slurper } = stub.client
  expect(await slurper.progress(ACCOUNT, 'j')).toEqual({
    status: 'running',
    objects: 9,
    transferred: 4,
    skipped: 0,
    failed: 1,
  })
  expect(await slurper.progress(ACCOUNT, 'j')).toBeUndefined()
})

test('failures are what the log says, in words, up to a limit', async () => {
  const entry = (index: number) => ({
    logType: index === 0 ? 'migrationStart' : 'importErrorRetryExhaustion',
    objectKey: index === 0 ? null : `k${index}`,
    message: 'gone\nwrong\u001b[31m',
  })
  const log = Array.from({ length: 300 }, (_, index) => entry(index))
  await using stub = await startStub(({ query }) => {
    const offset = Number(query.get('offset'))
    return { result: log.slice(offset, offset + 50) }
  })
  const found = await stub.client.slurper.failures(ACCOUNT, 'j', 60)
  expect(found).toHaveLength(60)
  expect(stub.received).toHaveLength(2)
  expect(found[0]).toEqual({
    key: 'k1',
    reason: 'failed again and again: gone wrong [31m',
    skipped: false,
  })
})

test.each([
  ['canRead', 'success', true],
  ['canRead', 'error', false],
  ['canWrite', 'success', true],
  ['canWrite', 'error', false],
] as const)('%s: %s', async (verb, connectivityStatus, expected) => {
  await using stub = await startStub([{ result: { connectivityStatus } }])
  const { slurper } = stub.client
  const answer =
    verb === 'canRead' ? slurper.canRead(ACCOUNT, source) : slurper.canWrite(ACCOUNT, target)
  expect(await answer).toBe(expected)
  expect(JSON.stringify(stub.calls)).not.toContain('NeverShown')
})
