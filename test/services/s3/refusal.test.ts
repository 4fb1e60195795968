import { expect, test } from 'vitest'
import { Problem } from '../../../src/core/problem.ts'
import { refusal, SECRET, startS3Stub, thrownBy } from './s3-stub.ts'

test.each([
  [401, 'Unauthorized', 'does not know the access key', 'AWS_ACCESS_KEY_ID'],
  [403, 'AccessDenied', 'may not do this', 'Object Read & Write'],
  [403, 'SignatureDoesNotMatch', 'does not fit', 'AWS_SECRET_ACCESS_KEY'],
  [403, 'RequestTimeTooSkewed', 'clock is wrong', 'timedatectl'],
  [403, 'NotEntitled', 'not switched on', '/:account/r2'],
  [404, 'NoSuchBucket', 'not at this endpoint', 'S3_ENDPOINT'],
  [404, 'NoSuchKey', 'not in the bucket', 'Run this again'],
  [412, 'PreconditionFailed', 'at the same time', 'Run this again'],
  [501, 'NotImplemented', 'does not know a part', 'S3_ENDPOINT'],
  [503, 'ServiceUnavailable', 'trouble of its own', 'cloudflarestatus'],
  [418, 'Teapot', 'refused a request', 'error-codes'],
])('HTTP %i %s', async (status, code, what, next) => {
  await using stub = await startS3Stub(() => refusal(status, code, 'Its own words.'))
  const error = await thrownBy(stub.client.get('a'))
  expect(error).toBeInstanceOf(Problem)
  expect(error).toMatchObject({
    code: `s3-${status}`,
    what: expect.stringContaining(what),
  })
  expect(String((error as Problem).next)).toContain(next)
  expect(error.message).toContain(
    `${code}: Its own words (HTTP ${status}, bucket media at ${stub.endpoint})`,
  )
})

test.each([
  [401, 'does not know the access key'],
  [403, 'refused the access key'],
  [404, 'not at this endpoint'],
  [418, 'refused a request'],
])('HEAD has no body: HTTP %i', async (status, what) => {
  await using stub = await startS3Stub(() => ({ status }))
  expect(await thrownBy(stub.client.headBucket())).toMatchObject({
    code: `s3-${status}`,
    what: expect.stringContaining(what),
  })
})

test.each([
  ['a reset', 'reset' as const, 5000, 'ECONNRESET'],
  ['silence', 'hang' as const, 100, 'no answer in time'],
])('%s, each time: unreachable', async (_, reply, timeoutMs, why) => {
  await using stub = await startS3Stub(() => reply, timeoutMs)
  const error = await thrownBy(stub.client.headBucket())
  expect(error.code).toBe('s3-unreachable')
  expect(error.message).toContain(why)
  expect(stub.calls.map(({ status }) => status)).toEqual(['failed', 'failed', 'failed'])
})

test('an endpoint where nobody listens', async () => {
  const stub = await startS3Stub(() => 'reset')
  await stub[Symbol.asyncDispose]()
  expect(await thrownBy(stub.client.headBucket())).toMatchObject({
    code: 's3-unreachable',
    why: expect.stringContaining('ECONNREFUSED'),
  })
})

test.each([
  ['a web page that says fine', 200, 's3-damaged'],
  ['a web page that says no', 403, 's3-403'],
])('not S3 at all: %s', async (_, status, code) => {
  const text = '<!doctype html><html><body>Log in<br></body>'
  await using stub = await startS3Stub(() => ({
    status,
    text,
    headers: { 'content-type': 'text/html' },
  }))
  expect((await thrownBy(stub.client.list('', 1))).code).toBe(code)
})

test.each([
  [401, 'Unauthorized', 'AWS_ACCESS_KEY_ID'],
  [403, 'SignatureDoesNotMatch', 'AWS_SECRET_ACCESS_KEY'],
  [403, 'AccessDenied', 'S3_BUCKET'],
  [404, 'NoSuchBucket', 'S3_ENDPOINT'],
  [403, 'RequestTimeTooSkewed', 'clock'],
])('HEAD is asked again with a body: %i %s is %s', async (status, code, cause) => {
  await using stub = await startS3Stub(({ method }) =>
    method === 'HEAD' ? { status } : refusal(status, code),
  )
  const asked = [() => stub.client.headBucket(), () => stub.client.head('a')]
  // A 404 to the HEAD of an object is an answer.
  for (const ask of status === 404 ? asked.slice(0, 1) : asked) {
    const error = await thrownBy(ask())
    expect(error.message).toContain(cause)
    expect(error.message).toContain(`R2 says: ${code}`)
    expect(error.message).not.toContain('Unknown')
  }
})

test.each([
  ['200', () => ({ status: 200, text: `<ListBucketResult>${' '.repeat(17_000_000)}` })],
  ['403', () => ({ status: 403, text: `<Error>${' '.repeat(17_000_000)}` })],
])('an answer %s without an end is not read to it', async (_, reply) => {
  await using stub = await startS3Stub(reply)
  const pages = async () => {
    for await (const page of stub.client.pages()) void page
  }
  for (const ask of [() => stub.client.list('', 1), pages]) {
    expect(await thrownBy(ask())).toMatchObject({
      code: 's3-answer-too-large',
      what: 'The answer of R2 is too large to be one: more than 16 MB.',
    })
  }
})

test('an answer that trickles in is given up, of an object as well; it is said whose it is', async () => {
  await using stub = await startS3Stub(() => 'trickle', 300)
  for (const ask of [() => stub.client.list('', 1), () => stub.client.get('a')]) {
    expect(await thrownBy(ask())).toMatchObject({
      code: 's3-too-slow',
      what: expect.stringMatching(/^The answer of R2 trickles in/),
      why: expect.stringContaining(stub.endpoint),
    })
  }
})

test('no error holds the secret, not even in its depths', async () => {
  await using stub = await startS3Stub(() => refusal(403, 'SignatureDoesNotMatch'))
  const error = await thrownBy(stub.client.get('a'))
  const { inspect } = await import('node:util')
  expect(inspect(error, { depth: 20, showHidden: true })).not.toContain(SECRET)
})
