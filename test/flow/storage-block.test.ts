import { describe, expect, it } from 'vitest'
import {
  hindrances,
  r2Endpoint,
  readR2Endpoint,
  storageBlock,
} from '../../src/flow/mastodon-here.ts'
import { ACCOUNT, HOST, knownKey, setupOf } from '../fakes/fake-world.ts'

describe('the block', () => {
  it('is nine lines in their order, S3_PERMISSION there and empty', () => {
    expect([...storageBlock(setupOf(), knownKey)]).toEqual([
      ['S3_ENABLED', 'true'],
      ['S3_BUCKET', 'example-media'],
      ['S3_REGION', 'auto'],
      ['S3_ENDPOINT', `https://${ACCOUNT}.r2.cloudflarestorage.com`],
      ['S3_PROTOCOL', 'https'],
      ['S3_PERMISSION', ''],
      ['S3_ALIAS_HOST', HOST],
      ['AWS_ACCESS_KEY_ID', '1'.repeat(32)],
      ['AWS_SECRET_ACCESS_KEY', '2'.repeat(64)],
    ])
  })

  it('prepared, it is switched off', () => {
    expect(storageBlock(setupOf({ storage: 'prepare' }), knownKey).get('S3_ENABLED')).toBe('false')
  })
})

describe('hindrances', () => {
  it.each<[string, string, boolean]>([
    ['S3_SIGNATURE_VERSION', 's3', true],
    ['S3_SIGNATURE_VERSION', 'v2', true],
    ['S3_SIGNATURE_VERSION', 'v4', false],
    ['S3_SIGNATURE_VERSION', '', false],
    ['S3_STORAGE_CLASS', 'STANDARD_IA', true],
    ['S3_STORAGE_CLASS', '', false],
    ['S3_OVERRIDE_PATH_STYLE', 'true', true],
    ['S3_OVERRIDE_PATH_STYLE', 'false', false],
    ['S3_MULTIPART_THRESHOLD', '15', true],
    ['S3_MULTIPART_THRESHOLD', '15MB', true],
    ['S3_MULTIPART_THRESHOLD', 'many', true],
    ['S3_MULTIPART_THRESHOLD', '', true],
    ['S3_MULTIPART_THRESHOLD', '5242879', true],
    ['S3_MULTIPART_THRESHOLD', '5242880', false],
    ['S3_MULTIPART_THRESHOLD', '15_728_640', false],
    ['S3_MULTIPART_THRESHOLD', '52428800', false],
    ['S3_KEY_PREFIX', 'media', true],
    ['S3_KEY_PREFIX', '', false],
    ['S3_HOSTNAME', 's3.example.com', false],
    ['S3_READ_TIMEOUT', '15', false],
    ['S3_READ_TIMEOUT', '', true],
    ['S3_READ_TIMEOUT', '0', true],
    ['S3_READ_TIMEOUT', '15s', false],
    ['S3_BATCH_DELETE_LIMIT', '', true],
    ['S3_BATCH_DELETE_LIMIT', '100', false],
    ['S3_RETRY_LIMIT', '1', false],
    ['EXTRA_MEDIA_HOSTS', 'https://old.example.com', false],
  ])('%s=%s: %s', (name, value, hinders) => {
    const found = hindrances(new Map([[name, { value }]]))
    expect([...found.keys()]).toEqual(hinders ? [name] : [])
    for (const reason of found.values()) expect(reason).not.toBe('')
  })
})

describe('the endpoint', () => {
  it.each(['default', 'eu', 'us', 'fedramp', 'fedramp-high'])(
    '%s there and back',
    (jurisdiction) => {
      const url = r2Endpoint(ACCOUNT, jurisdiction)
      expect(readR2Endpoint(url)).toEqual({ accountId: ACCOUNT, jurisdiction })
    },
  )

  it.each<[string, string | undefined]>([
    [`https://${ACCOUNT}.r2.cloudflarestorage.com/example-media`, 'default'],
    [`https://${ACCOUNT}.eu.r2.cloudflarestorage.com:443`, 'eu'],
    [`http://${ACCOUNT}.r2.cloudflarestorage.com`, 'default'],
    [`https://${ACCOUNT}.r2.cloudflarestorage.com.example.net`, undefined],
    [`https://${ACCOUNT}.mars.r2.cloudflarestorage.com`, undefined],
    ['https://short.r2.cloudflarestorage.com', undefined],
    ['https://s3.eu-central-1.amazonaws.com', undefined],
    ['', undefined],
  ])('%s → %s', (endpoint, jurisdiction) => {
    expect(readR2Endpoint(endpoint)?.jurisdiction).toBe(jurisdiction)
  })
})
