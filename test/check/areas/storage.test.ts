import { describe, expect, it } from 'vitest'
import { latencyOf, storageChecks } from '../../../src/check/areas/storage.ts'
import { openDoor } from '../../../src/check/areas/storage-door.ts'
import { sharedLook } from '../../../src/core/once.ts'
import { refusal } from '../../fakes/fake-cloudflare.ts'
import { FakeS3 } from '../../fakes/fake-s3.ts'
import { ACCOUNT } from '../../fakes/fake-world.ts'
import { type Arranged, BUCKET, bucketWorld, ENDPOINT } from './bucket-world.ts'
import { troubles, verdictsOf, wordsOf } from './verdicts.ts'

type Fakes = ReturnType<typeof bucketWorld>

async function examine(arranged: Arranged = {}, arrange: (fakes: Fakes) => void = () => {}) {
  const fakes = bucketWorld(arranged)
  arrange(fakes)
  const found = await verdictsOf(storageChecks(sharedLook(openDoor)), fakes.world)
  return { ...fakes, found }
}

const refused = (code: string) => {
  const s3 = new FakeS3()
  s3.refuse = () => refusal(code)
  return s3
}

const isFirst = (calls: readonly string[], key: string) =>
  calls.filter((call) => call === `put ${key}`).length === 1

/** Everywhere but at the endpoints that are told. */
const nowhere = Object.fromEntries(
  ['.eu', '.us', '.fedramp', '.fedramp-high'].map((place) => [
    `https://${ACCOUNT}${place}.r2.cloudflarestorage.com`,
    refused('s3-404'),
  ]),
)

describe('a healthy bucket', () => {
  it('has no trouble, and nothing is left in it', async () => {
    const { found, s3 } = await examine()
    expect(troubles(found)).toEqual([])
    expect(found.filter(({ verdict }) => verdict.severity === 'skipped')).toEqual([])
    expect([...s3.objects.keys()]).toEqual([])
  })

  it('is found by one HEAD for all checks', async () => {
    const { s3 } = await examine()
    expect(s3.calls.filter((call) => call === 'head')).toHaveLength(1)
  })

  it('tells how fast R2 was', async () => {
    const { found } = await examine()
    expect(wordsOf(found, 'storage-upload')).toContain('16 requests: half within 0 ms')
  })
})

describe('the bucket does not open', () => {
  it.each<[string, Arranged, string]>([
    ['no endpoint', { settings: { S3_ENDPOINT: '' } }, 'Not set: S3_ENDPOINT.'],
    [
      'nothing at all',
      { settings: { S3_ENDPOINT: '', S3_BUCKET: undefined, AWS_ACCESS_KEY_ID: undefined } },
      'Not set: S3_ENDPOINT, S3_BUCKET, AWS_ACCESS_KEY_ID.',
    ],
    ['another provider', { storage: { isR2: false } }, 'which is not R2'],
  ])('%s: one fault, the others are skipped', async (_, arranged, words) => {
    const { found, s3 } = await examine(arranged)
    expect(troubles(found)).toEqual(['storage-bucket fault'])
    expect(wordsOf(found, 'storage-bucket')).toContain(words)
    expect(s3.calls).toEqual([])
  })

  it.each<[string, Arranged]>([
    ['a key that is none', { storage: { key: undefined } }],
    ['an endpoint that is no address', { storage: { endpoint: undefined } }],
    ['a bucket that can’t be one', { storage: { bucket: undefined } }],
  ])('%s is left to the checks of the settings', async (_, arranged) => {
    const { found, s3 } = await examine(arranged)
    expect(troubles(found)).toEqual([])
    expect(wordsOf(found, 'storage-bucket')).toContain('(see settings)')
    expect(s3.calls).toEqual([])
  })

  it.each([
    ['s3-401', 'npx mastodon-r2 init'],
    ['s3-403', 's3-403.'],
    ['s3-404', 's3-404.'],
    ['s3-unreachable', 's3-unreachable.'],
  ])('%s', async (code, words) => {
    const { found } = await examine({ elsewhere: nowhere }, ({ s3 }) => {
      s3.refuse = (verb) => (verb === 'head' ? refusal(code) : undefined)
    })
    expect(troubles(found)).toEqual(['storage-bucket fault'])
    expect(wordsOf(found, 'storage-bucket')).toContain(words)
  })

  it.each(['s3-403', 's3-404'])('%s, and it opens in the jurisdiction eu', async (code) => {
    const eu = `https://${ACCOUNT}.eu.r2.cloudflarestorage.com`
    const elsewhere = { ...nowhere, [eu]: new FakeS3() }
    const { found } = await examine({ elsewhere }, ({ s3 }) => {
      s3.refuse = () => refusal(code)
    })
    const words = wordsOf(found, 'storage-bucket')
    expect(words).toContain(`not at ${ENDPOINT}; it is in the jurisdiction eu`)
    expect(words).toContain(`\n  S3_ENDPOINT=${eu}`)
  })
})

describe('S3_ENDPOINT with a path', () => {
  it('everything else is looked at without it', async () => {
    const endpoint = `${ENDPOINT}/${BUCKET}`
    const { found, asked } = await examine({ storage: { endpoint } })
    expect(troubles(found)).toEqual([])
    expect(new Set(asked)).toEqual(new Set([ENDPOINT]))
    expect(asked.length).toBeGreaterThan(0)
  })
})

describe('inside the bucket', () => {
  it.each<[string, Arranged, (fakes: Fakes) => void, string[], string]>([
    [
      'uploads are refused',
      {},
      ({ s3 }) => {
        s3.refuse = (verb) => (verb === 'put' ? refusal('s3-403') : undefined)
      },
      ['storage-upload'],
      's3-403',
    ],
    [
      'uploads are damaged',
      {},
      ({ s3 }) => {
        s3.alter = (object) => ({ ...object, contentType: 'text/html' })
      },
      ['storage-upload'],
      'text/html',
    ],
  ])('%s', async (_, arranged, arrange, ids, words) => {
    const fakes = bucketWorld(arranged)
    arrange(fakes)
    const checks = storageChecks(sharedLook(openDoor)).filter(({ id }) => ids.includes(id))
    await expect(verdictsOf(checks, fakes.world)).rejects.toThrow(words)
  })

  it.each<[string | undefined, string[], string]>([
    [undefined, ['storage-upload fault'], 'With S3_FORCE_SINGLE_REQUEST=true all works.'],
    ['false', ['storage-upload fault'], 'videos would stay "failed"'],
    ['true', [], 'each read is one request (S3_FORCE_SINGLE_REQUEST=true)'],
  ])('reads by part number are refused, S3_FORCE_SINGLE_REQUEST %o', async (value, ids, words) => {
    const settings = { S3_FORCE_SINGLE_REQUEST: value }
    const { found, s3 } = await examine({ settings }, ({ s3 }) => {
      s3.refuse = (verb) => (/-part$/.test(verb) ? refusal('s3-501') : undefined)
    })
    expect(troubles(found)).toEqual(ids)
    expect(wordsOf(found, 'storage-upload')).toContain(words)
    expect([...s3.objects.keys()]).toEqual([])
  })

  it.each<[string | undefined, string | undefined, string[], string]>([
    ['', undefined, [], 'no ACL is sent'],
    [undefined, undefined, ['storage-acl warning'], '"x-amz-acl: public-read"'],
    ['private', undefined, ['storage-acl warning'], '"x-amz-acl: private"'],
    [undefined, 's3-501', ['storage-acl fault'], 'R2 refuses it'],
    ["''", 's3-400', ['storage-acl fault'], `"x-amz-acl: ''"`],
    ['two words', undefined, [], 'skipped'],
  ])('S3_PERMISSION %o, R2 says %s', async (value, refuses, expected, words) => {
    const { found, s3 } = await examine({ settings: { S3_PERMISSION: value } }, ({ s3 }) => {
      s3.refuse = (verb, key) =>
        refuses && verb === 'put' && key.endsWith('-acl.txt') && isFirst(s3.calls, key)
          ? refusal(refuses)
          : undefined
    })
    expect(troubles(found)).toEqual(expected)
    expect(wordsOf(found, 'storage-acl')).toContain(words)
    expect([...s3.objects.keys()]).toEqual([])
  })

  it('a key that may not write at all is no matter of the ACL', async () => {
    const { world, s3 } = bucketWorld({ settings: { S3_PERMISSION: undefined } })
    s3.refuse = (verb) => (verb === 'put' ? refusal('s3-403') : undefined)
    const found = await verdictsOf(
      storageChecks(sharedLook(openDoor)).filter(({ id }) => id === 'storage-acl'),
      world,
    )
    expect(wordsOf(found, 'storage-acl')).toContain('uploads fail without it, too')
  })

  it.each<[string, string[], string[]]>([
    ['none', [`x/${BUCKET}/a.png`], []],
    ['one', [`${BUCKET}/accounts/a.png`], ['storage-misplaced warning']],
  ])('misplaced files: %s', async (_, keys, expected) => {
    const { found } = await examine({}, ({ s3 }) => {
      const object = { body: new Uint8Array(), contentType: 'image/png', cacheControl: '' }
      for (const key of keys) s3.objects.set(key, object)
    })
    expect(troubles(found)).toEqual(expected)
  })

  it('a bucket named like a folder of Mastodon’s can’t have misplaced files', async () => {
    const { found } = await examine({ storage: { bucket: 'cache' } })
    expect(wordsOf(found, 'storage-misplaced')).toContain('skipped')
  })

  it.each<[string[] | undefined, string[], string]>([
    [undefined, [], "can't list"],
    [[BUCKET], ['storage-key-reach warning'], 'make buckets.'],
    [[BUCKET, 'other'], ['storage-key-reach warning'], '1 other one included'],
  ])('the key lists %o', async (buckets, expected, words) => {
    const { found } = await examine({}, ({ s3 }) => {
      s3.buckets = buckets
    })
    expect(troubles(found)).toEqual(expected)
    expect(wordsOf(found, 'storage-key-reach')).toContain(words)
  })
})

describe('the clock', () => {
  it.each<[number, string[], string]>([
    [-59, [], 'right within a minute'],
    [70, ['storage-clock note'], '70 s fast'],
    [-400, ['storage-clock warning'], '7 min slow'],
    [1000, ['storage-clock fault'], '17 min fast'],
  ])('%i s off', async (seconds, expected, words) => {
    const { found } = await examine({}, ({ s3, clock }) => {
      s3.time = new Date(clock.now().getTime() - seconds * 1000)
    })
    expect(troubles(found)).toEqual(expected)
    expect(wordsOf(found, 'storage-clock')).toContain(words)
  })

  it('is looked at even where the bucket does not open, as that may be why', async () => {
    const { found } = await examine({ elsewhere: nowhere }, ({ s3, clock }) => {
      s3.refuse = (verb) => (verb === 'head' ? refusal('s3-403') : undefined)
      s3.time = new Date(clock.now().getTime() + 3_600_000)
    })
    expect(troubles(found)).toEqual(['storage-bucket fault', 'storage-clock fault'])
  })

  it('R2 tells no time', async () => {
    const { found } = await examine({}, ({ s3 }) => {
      s3.time = undefined
    })
    expect(wordsOf(found, 'storage-clock')).toContain('skipped')
  })
})

describe('latency', () => {
  it.each<[number[], string, string]>([
    [[10, 30, 20], 'ok', '3 requests: half within 20 ms, 95 % within 30 ms'],
    [[10, 20, 1500], 'note', 'that is slow'],
    [[10, 20, 2600], 'warning', 'that is slow'],
    [[...Array(19).fill(10), 9000], 'ok', '20 requests: half within 10 ms, 95 % within 10 ms'],
  ])('%j: %s', (times, severity, words) => {
    const verdict = latencyOf(times)
    expect(verdict.severity).toBe(severity)
    expect(verdict.saw).toContain(words)
    if (severity !== 'ok') expect(JSON.stringify(verdict)).toContain('object-storage')
  })
})
