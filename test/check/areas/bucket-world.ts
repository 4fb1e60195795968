import type { CheckWorld, ConfiguredStorage } from '../../../src/plan/verdict.ts'
import type { ConnectS3 } from '../../../src/services/s3/port.ts'
import { FakeS3 } from '../../fakes/fake-s3.ts'
import { FakeWeb } from '../../fakes/fake-web.ts'
import { ACCOUNT, FakeClock, HOST, installationOf, knownKey } from '../../fakes/fake-world.ts'

export const ENDPOINT = `https://${ACCOUNT}.r2.cloudflarestorage.com`
export const BUCKET = 'example-media'

export interface Arranged {
  readonly storage?: Partial<ConfiguredStorage>
  /** Settings of Mastodon besides the storage's; `undefined` leaves one out. */
  readonly settings?: Readonly<Record<string, string | undefined>>
  /** Buckets at other endpoints. */
  readonly elsewhere?: Readonly<Record<string, FakeS3>>
}

/** A healthy bucket behind its media host, but for what is told. */
export function bucketWorld({ storage = {}, settings = {}, elsewhere = {} }: Arranged = {}) {
  const s3 = new FakeS3()
  const web = new FakeWeb(s3)
  web.alter = (answer, request) => ({
    ...answer,
    headers: [
      ...answer.headers,
      ['cache-control', 'public, max-age=315576000, immutable'],
      ['x-content-type-options', 'nosniff'],
      ['content-security-policy', "default-src 'none'; form-action 'none'"],
      ['cf-cache-status', request.headers?.origin === undefined ? 'MISS' : 'HIT'],
    ],
  })
  const clock = new FakeClock()
  s3.time = clock.now()
  const written = {
    S3_ENDPOINT: ENDPOINT,
    S3_BUCKET: BUCKET,
    S3_PERMISSION: '',
    AWS_ACCESS_KEY_ID: knownKey.accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'there',
    ...settings,
  }
  const effective = Object.entries(written).flatMap(([name, value]) =>
    value === undefined ? [] : [[name, { value, from: '.env.production' }] as const],
  )
  const asked: string[] = []
  const connectS3At = (endpoint: string): ConnectS3 => {
    asked.push(endpoint)
    return (elsewhere[endpoint] ?? s3).connect
  }
  const world: Partial<CheckWorld> = {
    installation: installationOf({ settings: new Map(effective) }),
    storage: {
      enabled: true,
      isR2: true,
      endpoint: ENDPOINT,
      bucket: BUCKET,
      mediaHost: HOST,
      key: knownKey,
      accountId: ACCOUNT,
      jurisdiction: 'default',
      ...storage,
    },
    connectS3: s3.connect,
    connectS3At,
    web,
    clock,
  }
  return { world, s3, web, clock, asked }
}
