import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { isSameBucket, newProvider } from '../../src/setup/new-provider.ts'

const base = {
  S3_BUCKET: 'next',
  AWS_ACCESS_KEY_ID: 'AKIA',
  AWS_SECRET_ACCESS_KEY: 'the-secret',
}

function thrown(work: () => unknown): Problem {
  try {
    work()
  } catch (error) {
    if (error instanceof Problem) return error
  }
  throw new Error('No Problem was thrown.')
}

function read(more: Readonly<Record<string, string>>) {
  const entries = Object.entries({ ...base, ...more }).filter(([, value]) => value !== '-')
  return newProvider(new Map(entries), '/root/next.env')
}

describe('the provider that Mastodon goes on to', () => {
  test.each<[string, Record<string, string>, object, string]>([
    [
      'AWS by its region',
      { S3_REGION: 'eu-west-1' },
      { endpoint: 'https://s3.eu-west-1.amazonaws.com', region: 'eu-west-1', provider: 'AWS' },
      'https://s3-eu-west-1.amazonaws.com/next',
    ],
    [
      'an endpoint and a host of its own',
      { S3_ENDPOINT: 'https://s3.wasabisys.com/', S3_ALIAS_HOST: 'files.example.com' },
      { endpoint: 'https://s3.wasabisys.com', provider: 'Wasabi', region: 'us-east-1' },
      'https://files.example.com',
    ],
    [
      'virtual hosts',
      {
        S3_ENDPOINT: 'https://fra1.digitaloceanspaces.com',
        S3_HOSTNAME: 'fra1.digitaloceanspaces.com',
        S3_OVERRIDE_PATH_STYLE: 'true',
      },
      { provider: 'DigitalOcean', virtualHost: true },
      'https://fra1.digitaloceanspaces.com/next',
    ],
    [
      'the bucket in the path',
      { S3_ENDPOINT: 'https://minio.example.net:9000', S3_HOSTNAME: 'minio.example.net:9000' },
      { endpoint: 'https://minio.example.net:9000' },
      'https://minio.example.net:9000/next',
    ],
  ])('is read as Mastodon does: %s', (_, more, place, mediaUrl) => {
    const provider = read(more)
    expect(provider.place).toMatchObject(place)
    expect(provider.mediaUrl).toBe(mediaUrl)
  })

  test.each<[string, string | undefined]>([
    ['-', 'public-read'],
    ['', undefined],
    ['private', 'private'],
  ])('S3_PERMISSION=%s is the ACL %s, and is written', (permission, acl) => {
    const provider = read({ S3_PERMISSION: permission })
    expect([provider.acl, provider.place.acl]).toEqual([acl, acl])
    expect(provider.lines.get('S3_PERMISSION')).toBe(acl ?? '')
  })

  test.each<[Record<string, string>, string, string]>([
    [{ S3_BUCKET: '-' }, 'new-provider-lines', 'S3_BUCKET'],
    [{ AWS_SECRET_ACCESS_KEY: '' }, 'new-provider-lines', 'AWS_SECRET_ACCESS_KEY'],
    [{ S3_ENDPOINT: 's3.example.net' }, 'new-provider-lines', 'S3_ENDPOINT'],
    [{ S3_ENABLED: 'false' }, 'new-provider-lines', 'S3_ENABLED'],
    [{ S3_PROTOCOL: 'http' }, 'new-provider-lines', 'S3_PROTOCOL'],
    [{ S3_SIGNATURE_VERSION: 's3' }, 'new-provider-lines', 'S3_SIGNATURE_VERSION'],
    [{ S3_KEY_PREFIX: 'media' }, 'new-provider-lines', 'S3_KEY_PREFIX'],
    [{ S3_BUCKET: 'next/media' }, 'new-provider-lines', 'S3_BUCKET'],
    [{ S3_REGION: 'eu west' }, 'new-provider-lines', 'S3_REGION'],
    [{ S3_REGION: 'evil.example/' }, 'new-provider-lines', 'S3_REGION'],
    [{ S3_ENDPOINT: 'https://id:the-secret@s3.example.net' }, 'new-provider-lines', 'S3_ENDPOINT'],
    [{ S3_ENDPOINT: 'id:the-secret@s3.example.net' }, 'new-provider-lines', 'S3_ENDPOINT'],
    [{ S3_ENDPOINT: 'https://s3.example.net?key=the-secret' }, 'new-provider-lines', 'S3_ENDPOINT'],
    [{ S3_ENDPOINT: 'https://s3.example.net#the-secret' }, 'new-provider-lines', 'S3_ENDPOINT'],
    [{ S3_ENDPOINT: 'https://s3.example.net/next' }, 'new-provider-lines', 'S3_ENDPOINT'],
    [{ S3_ALIAS_HOST: 'https://files.example.com' }, 'new-provider-lines', 'S3_ALIAS_HOST'],
    [{ S3_ALIAS_HOST: 'files.example.com/' }, 'new-provider-lines', 'S3_ALIAS_HOST'],
    [{ S3_ALIAS_HOST: 'id:the-secret@f.example' }, 'new-provider-lines', 'S3_ALIAS_HOST'],
    [{ S3_CLOUDFRONT_HOST: 'f.example?the-secret' }, 'new-provider-lines', 'S3_CLOUDFRONT_HOST'],
    [{ S3_HOSTNAME: 's3.example.net:99999' }, 'new-provider-lines', 'S3_HOSTNAME'],
    [{ AWS_SECRET_ACCESS_KEY: 'the-secret!' }, 'new-provider-lines', 'AWS_SECRET_ACCESS_KEY'],
    [{ AWS_SECRET_ACCESS_KEY: 'the-secret\nmore' }, 'new-provider-lines', 'AWS_SECRET_ACCESS_KEY'],
    [{ S3_PERMISSION: "'private'" }, 'new-provider-lines', 'S3_PERMISSION'],
    [{ S3_STORAGE_CLASS: 'DEEP_ARCHIVE' }, 'new-provider-lines', 'S3_STORAGE_CLASS'],
    [{ S3_MULTIPART_THRESHOLD: '15' }, 'new-provider-lines', 'S3_MULTIPART_THRESHOLD'],
    [{ S3_READ_TIMEOUT: '15s' }, 'new-provider-lines', 'S3_READ_TIMEOUT'],
    [{ S3_FORCE_SINGLE_REQUEST: 'TRUE' }, 'new-provider-lines', 'S3_FORCE_SINGLE_REQUEST'],
    [{ AWS_REQUEST_CHECKSUM_CALCULATION: 'never' }, 'new-provider-lines', 'AWS_REQUEST_CHECKSUM'],
    [
      { S3_ENDPOINT: `https://${'a'.repeat(32)}.eu.r2.cloudflarestorage.com` },
      'new-provider-is-r2',
      'R2',
    ],
  ])('%j is refused, and the secret is not told', (more, code, name) => {
    const refused = () => read(more)
    expect(refused).toThrow(
      expect.objectContaining({ code, exit: 2, what: expect.stringContaining(name) }),
    )
    const text = (problem: Problem) => JSON.stringify([problem.what, problem.why, problem.next])
    expect(text(thrown(refused))).not.toContain('the-secret')
  })

  test('all that Mastodon reads of a provider is obeyed, and written', () => {
    const more = {
      S3_STORAGE_CLASS: 'GLACIER_IR',
      S3_MULTIPART_THRESHOLD: '52428800',
      S3_FORCE_SINGLE_REQUEST: 'true',
      S3_OPEN_TIMEOUT: '10',
      S3_READ_TIMEOUT: '15',
      S3_RETRY_LIMIT: '1',
      S3_BATCH_DELETE_LIMIT: '100',
      S3_BATCH_DELETE_RETRY: '3',
      S3_ENABLE_CHECKSUM_MODE: 'true',
      AWS_REQUEST_CHECKSUM_CALCULATION: 'WHEN_REQUIRED',
      AWS_RESPONSE_CHECKSUM_VALIDATION: 'when_required',
    }
    const provider = read({ ...more, S3_REGION: 'eu-1', S3_ENDPOINT: 'https://s3.example.net' })
    expect(Object.fromEntries(provider.lines)).toMatchObject(more)
    expect(provider.place.storageClass).toBe('GLACIER_IR')
    expect(provider.keeping).toEqual({ acl: 'public-read', storageClass: 'GLACIER_IR' })
  })

  test('a slash at the end of an address makes no other bucket of it', () => {
    const provider = read({ S3_ENDPOINT: 'https://s3.example.net' })
    const same = { endpoint: 'https://S3.example.net/', bucket: 'next' }
    expect(isSameBucket(provider, same)).toBe(true)
    expect(isSameBucket(provider, { ...same, bucket: 'other' })).toBe(false)
    expect(isSameBucket(provider, { ...same, endpoint: undefined })).toBe(false)
  })
})
