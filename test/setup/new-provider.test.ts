import { describe, expect, test } from 'vitest'
import { isSameBucket, newProvider } from '../../src/setup/new-provider.ts'

const base = {
  S3_BUCKET: 'next',
  AWS_ACCESS_KEY_ID: 'AKIA',
  AWS_SECRET_ACCESS_KEY: 'the-secret',
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
    [{ SECRET_KEY_BASE: 'x' }, 'new-provider-lines', 'SECRET_KEY_BASE'],
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
    expect(refused).not.toThrow(/the-secret/)
  })

  test('a slash at the end of an address makes no other bucket of it', () => {
    const provider = read({ S3_ENDPOINT: 'https://s3.example.net' })
    const same = { endpoint: 'https://S3.example.net/', bucket: 'next' }
    expect(isSameBucket(provider, same)).toBe(true)
    expect(isSameBucket(provider, { ...same, bucket: 'other' })).toBe(false)
    expect(isSameBucket(provider, { ...same, endpoint: undefined })).toBe(false)
  })
})
