import { describe, expect, test } from 'vitest'
import { Problem } from '../../src/core/problem.ts'
import { type OldProviderOptions, oldProvider } from '../../src/setup/old-provider.ts'
import { reachableFromOutside } from '../../src/setup/slurper-source.ts'

const ACCOUNT = '0123456789abcdef0123456789abcdef'
const r2 = `https://${ACCOUNT}.r2.cloudflarestorage.com`
const to = { endpoint: r2, bucket: 'media', accountId: ACCOUNT }
const base = {
  S3_ENABLED: 'true',
  S3_BUCKET: 'old',
  AWS_ACCESS_KEY_ID: 'AKIA',
  AWS_SECRET_ACCESS_KEY: 'the-secret',
}

function read(more: Record<string, string>, options: Partial<OldProviderOptions> = {}) {
  const entries = Object.entries({ ...base, ...more }).filter(([, value]) => value !== '-')
  const settings = new Map(entries.map(([name, value]) => [name, { value }]))
  return oldProvider(settings, { to, ...options })
}

test.each<[string, Record<string, string>, object, string]>([
  [
    'AWS by its region',
    { S3_REGION: 'eu-west-1' },
    { endpoint: 'https://s3.eu-west-1.amazonaws.com', region: 'eu-west-1', provider: 'AWS' },
    'https://s3-eu-west-1.amazonaws.com/old',
  ],
  [
    'AWS by its host name alone',
    { S3_HOSTNAME: 's3.eu-central-1.amazonaws.com' },
    { endpoint: 'https://s3.eu-central-1.amazonaws.com', region: 'eu-central-1' },
    'https://s3.eu-central-1.amazonaws.com/old',
  ],
  [
    'AWS by its older host name',
    { S3_HOSTNAME: 's3-us-west-2.amazonaws.com' },
    { region: 'us-west-2' },
    'https://s3-us-west-2.amazonaws.com/old',
  ],
  [
    'AWS with nothing said',
    {},
    { endpoint: 'https://s3.us-east-1.amazonaws.com' },
    'https://s3-us-east-1.amazonaws.com/old',
  ],
  [
    'AWS in China',
    { S3_REGION: 'cn-north-1' },
    { endpoint: 'https://s3.cn-north-1.amazonaws.com.cn', provider: 'AWS' },
    'https://s3-cn-north-1.amazonaws.com/old',
  ],
  [
    'Wasabi, with an alias host',
    {
      S3_ENDPOINT: 'https://s3.eu-central-1.wasabisys.com/',
      S3_REGION: 'eu-central-1',
      S3_ALIAS_HOST: 'files.example.com',
    },
    { endpoint: 'https://s3.eu-central-1.wasabisys.com', provider: 'Wasabi' },
    'https://files.example.com',
  ],
  [
    'DigitalOcean, older name of the alias',
    { S3_ENDPOINT: 'https://fra1.digitaloceanspaces.com', S3_CLOUDFRONT_HOST: 'cdn.example.com' },
    { provider: 'DigitalOcean', region: 'us-east-1' },
    'https://cdn.example.com',
  ],
  [
    'Scaleway, virtual host',
    {
      S3_ENDPOINT: 'https://s3.fr-par.scw.cloud',
      S3_OVERRIDE_PATH_STYLE: 'true',
      S3_HOSTNAME: 's3.fr-par.scw.cloud',
    },
    { provider: 'Scaleway', virtualHost: true },
    'https://s3.fr-par.scw.cloud/old',
  ],
  [
    'Backblaze, path style',
    {
      S3_ENDPOINT: 'https://s3.us-west-004.backblazeb2.com',
      S3_HOSTNAME: 's3.us-west-004.backblazeb2.com',
    },
    { provider: 'Other' },
    'https://s3.us-west-004.backblazeb2.com/old',
  ],
  [
    'MinIO at home',
    { S3_ENDPOINT: 'http://minio:9000', S3_PROTOCOL: 'http', S3_HOSTNAME: 'minio:9000' },
    { provider: 'Minio', endpoint: 'http://minio:9000' },
    'http://minio:9000/old',
  ],
  [
    'Ceph',
    { S3_ENDPOINT: 'https://rgw.example.org', S3_HOSTNAME: 'rgw.example.org' },
    { provider: 'Ceph' },
    'https://rgw.example.org/old',
  ],
  [
    'R2',
    { S3_ENDPOINT: r2, S3_ALIAS_HOST: 'f.example' },
    { provider: 'Cloudflare' },
    'https://f.example',
  ],
])('%s', (_, settings, place, mediaUrl) => {
  const found = read(settings)
  expect(found.place).toMatchObject({ kind: 'bucket', bucket: 'old', ...place })
  expect(found.place.key.secretAccessKey.reveal()).toBe('the-secret')
  expect(found.mediaUrl).toBe(mediaUrl)
  expect(found.name).toBe(`old at ${new URL(found.place.endpoint).host}`)
  expect(JSON.stringify(found)).not.toContain('the-secret')
})

test.each<[string, Record<string, string>, string]>([
  ['not in use', { S3_ENABLED: 'false' }, 'no-old-provider'],
  ['TRUE is not true', { S3_ENABLED: 'TRUE' }, 'no-old-provider'],
  ['no key', { AWS_ACCESS_KEY_ID: '-' }, 'old-provider-incomplete'],
  ['an empty secret', { AWS_SECRET_ACCESS_KEY: '' }, 'old-provider-incomplete'],
  ['a key prefix', { S3_KEY_PREFIX: '/mastodon/' }, 'old-provider-prefix'],
  ['no bucket', { S3_BUCKET: ' ' }, 'old-provider-incomplete'],
  ['no scheme', { S3_ENDPOINT: 's3.example.com' }, 'old-provider-endpoint'],
  ['not an address', { S3_ENDPOINT: 'https://' }, 'old-provider-endpoint'],
  [
    'a key in the address',
    { S3_ENDPOINT: 'https://id:the-secret@s3.example.com' },
    'old-provider-endpoint',
  ],
  ['a key before a host', { S3_ENDPOINT: 'id:the-secret@s3.example.com' }, 'old-provider-endpoint'],
  ['a signature', { S3_ENDPOINT: 'https://s3.example.com/?the-secret' }, 'old-provider-endpoint'],
  ['a region of two words', { S3_REGION: 'eu west' }, 'old-provider-endpoint'],
  ['the target itself', { S3_ENDPOINT: `${r2}/`, S3_BUCKET: 'media' }, 'old-provider-is-target'],
])('a Problem: %s', (_, settings, code) => {
  try {
    read(settings)
    expect.unreachable()
  } catch (error) {
    expect(error).toMatchObject({ code, exit: 2 })
    const { what, why, next } = error as Problem
    expect(JSON.stringify([what, why, next])).not.toContain('the-secret')
  }
})

test.each<[string, Record<string, string>, object]>([
  [
    'an https endpoint',
    { S3_ENDPOINT: 'https://s3.example.com' },
    { endpoint: 'https://s3.example.com' },
  ],
  ['AWS', { S3_REGION: 'eu-west-1' }, { vendor: 's3', endpoint: undefined, region: 'eu-west-1' }],
  [
    'AWS by its endpoint',
    { S3_ENDPOINT: 'https://s3.eu-west-1.amazonaws.com', S3_REGION: 'eu-west-1' },
    { endpoint: undefined },
  ],
  ['China', { S3_REGION: 'cn-north-1' }, { endpoint: 'https://s3.cn-north-1.amazonaws.com.cn' }],
  [
    'R2, same account',
    { S3_ENDPOINT: r2.replace('.r2', '.eu.r2') },
    { vendor: 'r2', jurisdiction: 'eu' },
  ],
  [
    'R2, another account',
    { S3_ENDPOINT: r2.replace('0', 'f') },
    { vendor: 's3', endpoint: r2.replace('0', 'f') },
  ],
  ['plain http', { S3_ENDPOINT: 'http://s3.example.com' }, { code: 'slurper-needs-https' }],
  ['a name at home', { S3_ENDPOINT: 'https://nas.local' }, { code: 'slurper-out-of-reach' }],
  ['a private address', { S3_ENDPOINT: 'https://10.0.0.7:9000' }, { code: 'slurper-out-of-reach' }],
])('Super Slurper and %s', (_, settings, expected) => {
  const { slurper } = read(settings)
  expect(slurper).toMatchObject(expected)
  expect(slurper instanceof Problem).toBe('code' in expected)
})

test('a rehearsal takes http of this machine', () => {
  const endpoint = 'http://127.0.0.1:4000'
  expect(read({ S3_ENDPOINT: endpoint }, { rehearsal: true }).slurper).toMatchObject({ endpoint })
})

test('what is special is said', () => {
  expect(read({ S3_SIGNATURE_VERSION: 's3' }).notes).toHaveLength(1)
  expect(read({ S3_SIGNATURE_VERSION: 'v4' }).notes).toEqual([])
})

describe('reachable from outside', () => {
  test.each<[string, boolean]>([
    ['s3.example.com', true],
    ['S3.EXAMPLE.COM.', true],
    ['203.0.113.7', true],
    ['[2001:db8::1]', true],
    ['minio', false],
    ['localhost', false],
    ['nas.lan', false],
    ['s3.internal', false],
    ['192.168.1.4', false],
    ['172.20.0.2', false],
    ['172.40.0.2', true],
    ['[::1]', false],
    ['[fd00::1]', false],
    ['100.64.1.1', false],
  ])('%s: %s', (host, expected) => {
    expect(reachableFromOutside(host)).toBe(expected)
  })
})
