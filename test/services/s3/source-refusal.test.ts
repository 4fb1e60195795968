import { describe, expect, test } from 'vitest'
import { sourceHint } from '../../../src/services/s3/hints-source.ts'
import { type Refused, sourceService } from '../../../src/services/s3/service.ts'
import { worded } from '../../fakes/found.ts'
import { type Reply, refusal, startS3Stub, thrownBy } from './s3-stub.ts'

const WASABI = { service: sourceService('https://s3.eu-central-1.wasabisys.com') }
const R2_ADVICE = /\bR2 (says|does|refused|asks)|let init|cloudflare(status)?\.com/

function xml(status: number, code: string, more = '', headers = {}): Reply {
  const text = `<?xml version="1.0"?><Error><Code>${code}</Code><Message>Its words.</Message>${more}</Error>`
  return { status, text, headers: { 'content-type': 'application/xml', ...headers } }
}

type Row = [title: string, reply: Reply, verb: 'list' | 'get', what: string, next: string]

const rows: Row[] = [
  [
    '301 with the endpoint',
    xml(301, 'PermanentRedirect', '<Endpoint>media.s3.eu-west-2.wasabisys.com</Endpoint>'),
    'list',
    'is in the region eu-west-2',
    'S3_ENDPOINT=https://s3.eu-west-2.wasabisys.com',
  ],
  [
    '301 with the region in a header alone',
    xml(301, 'PermanentRedirect', '', { 'x-amz-bucket-region': 'us-west-2' }),
    'list',
    'is in the region us-west-2',
    'S3_REGION=us-west-2',
  ],
  [
    '400 with the region',
    xml(400, 'AuthorizationHeaderMalformed', '<Region>eu-central-2</Region>'),
    'list',
    'is in the region eu-central-2',
    'S3_REGION=eu-central-2',
  ],
  [
    '400 with the region in its words alone',
    refusal(
      400,
      'AuthorizationHeaderMalformed',
      "The region 'auto' is wrong; expecting 'ap-south-1'",
    ),
    'list',
    'is in the region ap-south-1',
    'S3_REGION=ap-south-1',
  ],
  [
    '301 that tells nothing',
    xml(301, 'PermanentRedirect'),
    'list',
    'not where it',
    'region of the bucket in the console of Wasabi',
  ],
  [
    'an unknown key',
    xml(403, 'InvalidAccessKeyId'),
    'list',
    'Wasabi does not know the access key',
    'console of Wasabi',
  ],
  [
    'an unknown key, as R2 says it',
    xml(401, 'Unauthorized'),
    'get',
    'Wasabi does not know the access key',
    'AWS_ACCESS_KEY_ID',
  ],
  [
    'a wrong secret',
    xml(403, 'SignatureDoesNotMatch'),
    'list',
    'secret does not fit',
    'secret once more',
  ],
  [
    'no right to list',
    xml(403, 'AccessDenied'),
    'list',
    'may not list the bucket media at Wasabi',
    'right to list',
  ],
  [
    'no right to read',
    xml(403, 'AccessDenied'),
    'get',
    'does not give out this object',
    'right to read',
  ],
  [
    'an archived object',
    xml(403, 'InvalidObjectState'),
    'get',
    'in an archive of Wasabi',
    'Restore it',
  ],
  ['no bucket', xml(404, 'NoSuchBucket'), 'list', 'no bucket media at Wasabi', 'S3_BUCKET'],
  ['a clock', xml(403, 'RequestTimeTooSkewed'), 'list', 'clock is wrong', 'timedatectl'],
  ['trouble', xml(500, 'InternalError'), 'list', 'Wasabi has trouble', 'status page of Wasabi'],
  [
    'an unknown name',
    xml(418, 'Teapot'),
    'list',
    'Wasabi refused a request',
    'documentation of Wasabi',
  ],
]

describe('what another provider refuses', () => {
  test.each(rows)('%s', async (_, reply, verb, what, next) => {
    await using stub = await startS3Stub(() => reply, 5000, WASABI)
    const asked = verb === 'get' ? stub.client.get('a') : stub.client.list('', 5)
    const {
      what: said,
      why,
      next: advice,
    } = (await thrownBy(asked)) as never as Record<'what' | 'why' | 'next', string>
    expect(said).toContain(what)
    expect(why).toContain('Wasabi says: ')
    expect(String(advice)).toContain(next)
    expect([said, why, advice].join('\n')).not.toMatch(R2_ADVICE)
  })

  test('HEAD of a bucket tells the reason, too', async () => {
    await using stub = await startS3Stub(
      ({ method }) => (method === 'HEAD' ? { status: 403 } : xml(403, 'InvalidAccessKeyId')),
      5000,
      WASABI,
    )
    expect(await thrownBy(stub.client.headBucket())).toMatchObject({
      code: 's3-403',
      what: 'Wasabi does not know the access key.',
    })
  })
})

describe("a bucket's name in the endpoint's host", () => {
  test.each([
    ['NoSuchKey', 404],
    ['NoSuchBucket', 404],
  ])('%s to a listing says so, and how to go on', async (code, status) => {
    await using stub = await startS3Stub(() => xml(status, code), 5000, {
      ...WASABI,
      bucket: '127',
    })
    expect(await thrownBy(stub.client.list('', 1))).toMatchObject({
      what: expect.stringContaining("S3_ENDPOINT has the bucket's name in it: 127.0.0.1"),
      why: expect.stringContaining('below 127/'),
      next: worded(/OLD:127\/127 R2:BUCKET[\s\S]*S3_ENDPOINT=http:\/\/0\.0\.1/),
    })
  })
})

describe('a service that asks to slow down', () => {
  const waiting = () => {
    const waits: number[] = []
    const slept: number[] = []
    const pace = {
      onWait: (seconds: number) => void waits.push(seconds),
      sleep: async (ms: number) => void slept.push(ms),
    }
    return { waits, slept, pace }
  }

  test.each([
    ['503 SlowDown', xml(503, 'SlowDown')],
    ['503 without a body', { status: 503 } as Reply],
    ['429', xml(429, 'TooManyRequests')],
  ])('%s is waited for, and what follows keeps a distance', async (_, reply) => {
    const { waits, slept, pace } = waiting()
    // Each request is tried three times by the SDK.
    let refused = 6
    await using stub = await startS3Stub(
      () =>
        refused-- > 0 ? reply : { status: 200, text: '<ListBucketResult></ListBucketResult>' },
      5000,
      { ...WASABI, pace },
    )
    expect(await stub.client.list('', 1)).toEqual([])
    expect(waits).toEqual([1, 2])
    await stub.client.list('', 1)
    expect(slept.filter((ms) => ms < 1000).length).toBeGreaterThan(1)
  })

  test('without an end it is told', async () => {
    const { waits, pace } = waiting()
    await using stub = await startS3Stub(() => xml(503, 'SlowDown'), 5000, { ...WASABI, pace })
    expect(await thrownBy(stub.client.list('', 1))).toMatchObject({
      what: 'Wasabi asks to go on more slowly.',
      next: worded('--transfers'),
    })
    expect(waits).toEqual([1, 2, 4, 8, 15])
  }, 30_000)
})

describe('names of services', () => {
  test.each([
    ['https://s3.eu-central-1.amazonaws.com', 'Amazon S3'],
    ['https://fra1.digitaloceanspaces.com', 'DigitalOcean Spaces'],
    ['https://fsn1.your-objectstorage.com', 'Hetzner Object Storage'],
    ['https://s3.eu-central-003.backblazeb2.com', 'Backblaze B2'],
    ['https://0123.eu.r2.cloudflarestorage.com', 'R2'],
    ['https://minio.example.com:9000', 'minio.example.com:9000'],
    ['https://files.example.net', 'files.example.net'],
  ])('%s is %s', (endpoint, name) => {
    expect(sourceService(endpoint)).toEqual({ name, role: 'source' })
  })
})

describe('the lines for another region are right when they are taken over', () => {
  const AWS = 's3.eu-west-1.amazonaws.com'
  test.each<[string, string, Partial<Refused>, string, string]>([
    [
      'the region alone is told, and the address names the old one',
      `https://${AWS}`,
      { told: { region: 'us-west-2', endpoint: undefined } },
      'us-west-2',
      'https://s3.us-west-2.amazonaws.com',
    ],
    [
      'in words alone',
      `https://${AWS}`,
      { said: "the region 'eu-west-1' is wrong; expecting 'ap-south-1'" },
      'ap-south-1',
      'https://s3.ap-south-1.amazonaws.com',
    ],
    [
      'an address without a region stays',
      'https://minio.example:9000',
      { told: { region: 'us-west-2', endpoint: undefined } },
      'us-west-2',
      'https://minio.example:9000',
    ],
    [
      'the address is told, too',
      `https://${AWS}`,
      { told: { region: 'eu-west-3', endpoint: 'media.s3.eu-west-3.amazonaws.com' } },
      'eu-west-3',
      'https://s3.eu-west-3.amazonaws.com',
    ],
  ])('%s', (_, endpoint, more, region, address) => {
    const at = {
      service: sourceService(endpoint),
      bucket: 'media',
      endpoint,
      region: 'eu-west-1',
      asked: 'bucket',
      name: 'PermanentRedirect',
      status: 301,
      said: '',
      told: {},
      ...more,
    } as Refused
    const lines = String(sourceHint(at).next).matchAll(/^ {2}(S3_\w+)=(.*)$/gm)
    const set = new Map([...lines].map(([, name, value]) => [name, value]))
    expect([set.get('S3_REGION'), set.get('S3_ENDPOINT') ?? endpoint]).toEqual([region, address])
  })
})
