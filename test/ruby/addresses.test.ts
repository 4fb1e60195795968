import { describe, expect, it } from 'vitest'
import { bucketUrl } from '../../src/setup/media-addresses.ts'
import { rubyMissing, runRuby } from './ruby.ts'

const base = {
  S3_ENABLED: 'true',
  S3_BUCKET: 'media',
  AWS_ACCESS_KEY_ID: 'id',
  AWS_SECRET_ACCESS_KEY: 'secret',
}
const own = { S3_ENDPOINT: 'https://s3.example.net', S3_HOSTNAME: 's3.example.net' }
const cases: readonly Readonly<Record<string, string>>[] = [
  {},
  { S3_REGION: 'eu-west-1' },
  { S3_HOSTNAME: 's3.eu-west-1.amazonaws.com' },
  own,
  { ...own, S3_OVERRIDE_PATH_STYLE: 'true' },
  { ...own, S3_OVERRIDE_PATH_STYLE: 'false' },
  { S3_ENDPOINT: 'https://s3.example.net' },
  { ...own, S3_PROTOCOL: 'http' },
  { ...own, S3_ALIAS_HOST: 'files.example.com' },
  { ...own, S3_ALIAS_HOST: 'files.example.com/of/media' },
  { ...own, S3_CLOUDFRONT_HOST: 'cdn.example.com' },
]

describe.skipIf(rubyMissing)(`where Mastodon names its media ${rubyMissing ?? ''}`, () => {
  it('is where kt-paperclip says', async () => {
    const all = cases.map((settings) => ({ ...base, ...settings }))
    const expected = await runRuby('address.rb', [JSON.stringify(all)])
    const found = all.map((settings) => {
      const entries = Object.entries(settings).map(([name, value]) => [name, { value }] as const)
      return `${bucketUrl(new Map(entries))}/key.png`
    })
    expect(found).toEqual(expected)
  }, 60_000)
})
