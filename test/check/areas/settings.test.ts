import { describe, expect, it } from 'vitest'
import { settingsChecks } from '../../../src/check/areas/settings.ts'
import { ACCOUNT, ENDPOINT, ENV, lines, reading, SECRET } from './reading.ts'
import { troubles, verdictsOf, wordsOf } from './verdicts.ts'

const look = (...at: Parameters<typeof reading>) => verdictsOf(settingsChecks, reading(...at))
const ID = 'c'.repeat(32)

describe('a healthy file', () => {
  it.each(['dotenv', 'systemd', 'compose', 'raw'] as const)(
    'is all ok, read by %s',
    async (reader) => {
      const checked = await look(lines(), { reader })
      expect(checked.filter(({ verdict }) => verdict.severity !== 'ok')).toEqual([])
      expect(checked.map(({ id }) => id)).toEqual(settingsChecks.map(({ id }) => id))
    },
  )

  it('is ok on a stand-in, too, whose endpoint is not Cloudflare’s', async () => {
    const endpoint = 'http://127.0.0.1:4000'
    const text = lines({ S3_ENDPOINT: endpoint })
    expect(troubles(await look(text, { storage: { isR2: true } }))).toEqual([])
    const planted = lines({ S3_ENDPOINT: `${endpoint}/social-media` })
    const checked = await look(planted, { storage: { isR2: true } })
    expect(troubles(checked)).toEqual(['s3-endpoint fault'])
    expect(wordsOf(checked, 's3-endpoint')).toContain(`S3_ENDPOINT=${endpoint}`)
  })

  it.each([
    { S3_REGION: undefined, S3_PROTOCOL: undefined },
    { S3_REGION: '' },
    { S3_ENDPOINT: `${ENDPOINT}/` },
    { S3_ENDPOINT: `https://${ACCOUNT}.eu.r2.cloudflarestorage.com` },
    { S3_MULTIPART_THRESHOLD: '15728640', S3_OVERRIDE_PATH_STYLE: 'false' },
    { AWS_REQUEST_CHECKSUM_CALCULATION: 'when_required' },
    { AWS_RESPONSE_CHECKSUM_VALIDATION: 'WHEN_SUPPORTED' },
    { http_proxy: 'http://proxy.test:3128', https_proxy: 'http://proxy.test:3128' },
    { HTTP_PROXY: 'http://proxy.test:3128' },
    { EXTRA_MEDIA_HOSTS: 'https://old.social.test,https://files.social.test' },
    { CDN_HOST: 'https://assets.social.test' },
    { SMTP_PASSWORD: "'pa$$(x)'", LDAP_UID_CONVERSION_SEARCH: '"\\$a"' },
  ])('may have %o', async (changes) => {
    expect(troubles(await look(lines(changes)))).toEqual([])
  })

  it('a blank that quotes keep is a part of the address', async () => {
    const checked = await look(lines({ S3_ENDPOINT: `'${ENDPOINT} '` }))
    expect(troubles(checked)).toContain('s3-endpoint fault')
    expect(wordsOf(checked, 's3-endpoint')).toContain('.com "')
  })

  it('has unique ids', () => {
    const ids = settingsChecks.map(({ id }) => id)
    expect(ids).toEqual([...new Set(ids)])
  })
})

describe('one wrong setting', () => {
  it.each<[changes: Record<string, string | undefined>, expected: string, words: string[]]>([
    [{ S3_ENABLED: 'TRUE' }, 's3-enabled fault', ['"TRUE"', 'S3_ENABLED=true', ENV]],
    [{ S3_ENABLED: '1' }, 's3-enabled fault', ['S3_ENABLED=true']],
    [{ S3_ENABLED: 'yes' }, 's3-enabled fault', ['own disk']],
    [{ S3_ENABLED: undefined }, 's3-enabled fault', ['is missing', 'S3_ENABLED=true']],
    [{ S3_ENABLED: 'false' }, 's3-enabled note', ['prepared', 'npx mastodon-r2 migrate']],
    [{ S3_BUCKET: undefined }, 's3-bucket fault', ['missing']],
    [{ S3_BUCKET: 'Social-Media' }, 's3-bucket fault', ['S3_BUCKET=social-media']],
    [{ S3_BUCKET: 'files.social.test' }, 's3-bucket fault', ['no dots', 'dash.cloudflare.com']],
    [{ S3_ENDPOINT: undefined }, 's3-endpoint fault', ['missing', 'Amazon']],
    [
      { S3_ENDPOINT: `${ENDPOINT}/social-media` },
      's3-endpoint fault',
      [`S3_ENDPOINT=${ENDPOINT}`, '404'],
    ],
    [
      { S3_ENDPOINT: ENDPOINT.replace('https://', 'https://social-media.') },
      's3-endpoint fault',
      [`S3_ENDPOINT=${ENDPOINT}`],
    ],
    [
      { S3_ENDPOINT: ENDPOINT.replace('https', 'http') },
      's3-endpoint fault',
      ['begins with http:', `S3_ENDPOINT=${ENDPOINT}`],
    ],
    [
      { S3_ENDPOINT: ENDPOINT.replace('https://', '') },
      's3-endpoint fault',
      [`S3_ENDPOINT=${ENDPOINT}`],
    ],
    [{ S3_ENDPOINT: ACCOUNT }, 's3-endpoint fault', [`S3_ENDPOINT=${ENDPOINT}`]],
    // Pasted from a page: Ruby's URI takes none of these, and a person sees none of them.
    [
      { S3_ENDPOINT: `${ENDPOINT}\u00a0` },
      's3-endpoint fault',
      ['.com<U+00A0>"', `S3_ENDPOINT=${ENDPOINT}`],
    ],
    [
      { S3_ENDPOINT: `\u200b${ENDPOINT}` },
      's3-endpoint fault',
      ['"<U+200B>https', `S3_ENDPOINT=${ENDPOINT}`],
    ],
    [
      { S3_ENDPOINT: 'https://s3.other.test\u00a0' },
      's3-endpoint fault',
      ['S3_ENDPOINT=https://s3.other.test'],
    ],
    [{ S3_BUCKET: 'social-media\u00a0' }, 's3-bucket fault', ['"social-media<U+00A0>"']],
    [{ S3_ENABLED: 'true\ufeff' }, 's3-enabled fault', ['"true<U+FEFF>"']],
    [{ S3_ENDPOINT: 'https://pub-1.r2.dev' }, 's3-endpoint fault', ['public address']],
    [{ S3_ENDPOINT: 'https://s3.wasabisys.com' }, 's3-endpoint warning', ['not R2']],
    [
      { S3_ENDPOINT: ENDPOINT.replace('//', '//id:a-secret@') },
      's3-endpoint fault',
      ['//••••@', `S3_ENDPOINT=${ENDPOINT}`],
    ],
    [
      { S3_ENDPOINT: `${ENDPOINT}?signature=a-secret` },
      's3-endpoint fault',
      ['?••••', `S3_ENDPOINT=${ENDPOINT}`],
    ],
    [{ S3_REGION: 'eu-central-1' }, 's3-region warning', ['S3_REGION=auto']],
    [{ S3_PROTOCOL: 'http' }, 's3-protocol fault', ['S3_PROTOCOL=https', 'http://']],
    [
      { S3_PERMISSION: undefined },
      's3-permission fault',
      ['there and empty', `Add this line in ${ENV}:\n  S3_PERMISSION=`],
    ],
    [{ S3_PERMISSION: 'private' }, 's3-permission warning', ['"private"', 'S3_PERMISSION=']],
    [
      { S3_PERMISSION: 'none' },
      's3-permission fault',
      ['no ACL', `Change the line S3_PERMISSION in ${ENV} to:\n  S3_PERMISSION=`],
    ],
    [{ S3_ALIAS_HOST: undefined }, 's3-alias-host fault', ['missing', 'S3_ALIAS_HOST=']],
    [{ S3_ALIAS_HOST: '' }, 's3-alias-host fault', ['missing']],
    [
      { S3_ALIAS_HOST: 'https://files.social.test/' },
      's3-alias-host fault',
      ['S3_ALIAS_HOST=files.social.test', 'https://https://'],
    ],
    [
      { S3_ALIAS_HOST: 'files.social.test/media' },
      's3-alias-host fault',
      ['S3_ALIAS_HOST=files.social.test', 'bare host'],
    ],
    [{ S3_ALIAS_HOST: 'pub-1.r2.dev' }, 's3-alias-host warning', ['throttled']],
    [
      { S3_ALIAS_HOST: `${ACCOUNT}.r2.cloudflarestorage.com` },
      's3-alias-host fault',
      ['S3 address'],
    ],
    [{ S3_ALIAS_HOST: 'social.test' }, 's3-alias-host fault', ['--media-host files.social.test']],
    [{ S3_ALIAS_HOST: 'files.example.com' }, 's3-alias-host fault', ['sample']],
    [
      { S3_ALIAS_HOST: undefined, S3_CLOUDFRONT_HOST: 'files.social.test' },
      's3-alias-host note',
      ['S3_ALIAS_HOST=files.social.test'],
    ],
    [{ AWS_ACCESS_KEY_ID: undefined }, 'access-key fault', ['AWS_ACCESS_KEY_ID is missing']],
    [
      { AWS_ACCESS_KEY_ID: SECRET, AWS_SECRET_ACCESS_KEY: ID },
      'access-key fault',
      ['swapped', '32 characters'],
    ],
    [{ AWS_ACCESS_KEY_ID: 'AKIAIOSFODNN7EXAMPLE' }, 'access-key fault', ['Amazon']],
    [{ AWS_SECRET_ACCESS_KEY: `cfat_${'x'.repeat(40)}` }, 'access-key fault', ['API token']],
    [{ AWS_SECRET_ACCESS_KEY: 'D'.repeat(64) }, 'access-key fault', ['capital letters']],
    [{ AWS_ACCESS_KEY_ID: 'x'.repeat(40) }, 'access-key fault', ['has 40 characters', 'be 32']],
    [{ S3_MULTIPART_THRESHOLD: '15' }, 's3-multipart-threshold fault', ['5242880', 'Remove']],
    [{ S3_MULTIPART_THRESHOLD: '15MB' }, 's3-multipart-threshold fault', ['5242880']],
    [{ S3_READ_TIMEOUT: '' }, 's3-read-timeout fault', ['set to nothing', 'each upload', 'Remove']],
    [{ S3_READ_TIMEOUT: '0.5' }, 's3-read-timeout fault', ['counts as 0']],
    [{ S3_BATCH_DELETE_LIMIT: 'all' }, 's3-batch-delete-limit fault', ['in batches']],
    [{ S3_KEY_PREFIX: 'media/' }, 's3-key-prefix warning', ['tootctl']],
    [{ S3_SIGNATURE_VERSION: 's3' }, 's3-signature-version fault', ['version 4']],
    [{ S3_STORAGE_CLASS: 'STANDARD_IA' }, 's3-storage-class warning', ['Remove']],
    [{ S3_OVERRIDE_PATH_STYLE: 'true' }, 's3-path-style warning', ['Remove']],
    [{ AWS_REQUEST_CHECKSUM_CALCULATION: 'never' }, 'checksums fault', ['WHEN_REQUIRED']],
    [
      { AWS_RESPONSE_CHECKSUM_VALIDATION: '' },
      'checksums fault',
      ['AWS_RESPONSE_CHECKSUM_VALIDATION is ""', 'WHEN_REQUIRED', 'Remove'],
    ],
    [
      { https_proxy: 'http://name:hunter2@proxy.test:3128' },
      'proxy note',
      ['https_proxy', 'http_proxy alone', 'other servers'],
    ],
    [{ HTTPS_PROXY: 'http://proxy.test:3128', http_proxy: '' }, 'proxy note', ['HTTPS_PROXY']],
    [{ S3_DISABLE_CHECKSUM_MODE: 'true' }, 'leftovers note', ['no effect']],
    [{ S3_KEY_PREFIX: '' }, '', []],
    [{ CDN_HOST: 'https://files.social.test' }, 'cdn-host fault', ['blank', 'Remove']],
    [
      { EXTRA_MEDIA_HOSTS: 'old.social.test' },
      'extra-media-hosts note',
      ['EXTRA_MEDIA_HOSTS=https://old.social.test'],
    ],
    [
      { EXTRA_MEDIA_HOSTS: 'https://a.social.test;https://b.social.test' },
      'extra-media-hosts fault',
      ['every page may fail', 'EXTRA_MEDIA_HOSTS=https://a.social.test,https://b.social.test'],
    ],
    [
      { EXTRA_MEDIA_HOSTS: 'https://a.social.test;' },
      'extra-media-hosts fault',
      ['=https://a.social.test'],
    ],
    [{ EXTRA_MEDIA_HOSTS: ';' }, 'extra-media-hosts fault', ['Remove the line']],
    // Ruby's \s has no part in this blank, and Rails raises for it (findings/rails-policy-blanks.sh).
    [
      { EXTRA_MEDIA_HOSTS: 'https://a.test,\u00a0https://b.test' },
      'extra-media-hosts fault',
      ['<U+00A0>', 'every page', 'EXTRA_MEDIA_HOSTS=https://a.test,https://b.test'],
    ],
    [
      { EXTRA_MEDIA_HOSTS: 'https://a.test\u200b' },
      'extra-media-hosts note',
      ['<U+200B>', 'EXTRA_MEDIA_HOSTS=https://a.test'],
    ],
  ])('%o is %s', async (changes, expected, words) => {
    const checked = await look(lines(changes))
    expect(troubles(checked)).toEqual(expected === '' ? [] : [expected])
    const said = wordsOf(checked, expected.split(' ')[0] ?? '')
    for (const word of words) expect(said).toContain(word)
  })
})

describe('a proxy that this run goes through', () => {
  const behindProxy = 'proxy.test:3128'

  it('is not the way of Mastodon, where no http_proxy is set', async () => {
    const checked = await look(lines(), { behindProxy })
    expect(troubles(checked)).toEqual(['proxy warning'])
    expect(wordsOf(checked, 'proxy')).toContain(behindProxy)
  })

  it.each([
    ['r2.cloudflarestorage.com', true],
    ['localhost, .cloudflareStorage.com:443', true],
    ['*.cloudflarestorage.com', false],
    ['r2.cloudflarestorage.com:80', false],
    ['storage.com', false],
  ])('nor where no_proxy names the bucket: %s', async (no_proxy, isNamed) => {
    const text = lines({ http_proxy: 'http://proxy.test:3128', no_proxy })
    const checked = await look(text, { behindProxy })
    expect(troubles(checked)).toEqual(isNamed ? ['proxy warning'] : [])
    if (isNamed) expect(wordsOf(checked, 'proxy')).toContain('take that out of no_proxy')
    expect(troubles(await look(text))).toEqual([])
  })

  it('is nothing to tell where http_proxy is set, whose value is never shown', async () => {
    const http_proxy = 'http://name:hunter2@proxy.test:3128'
    const checked = await look(lines({ http_proxy }), { behindProxy })
    expect(troubles(checked)).toEqual([])
    expect(JSON.stringify(checked)).not.toContain('hunter2')
  })
})

describe('placeholders', () => {
  it('of the tutorial are faults', async () => {
    const checked = await look(lines({ S3_BUCKET: '{{YOUR_BUCKET}}' }))
    expect(troubles(checked)).toContain('leftovers fault')
    expect(wordsOf(checked, 'leftovers')).toContain('{{YOUR_BUCKET}}')
  })
})

describe('nothing set up', () => {
  const text = lines(Object.fromEntries(Object.keys(lineNames()).map((name) => [name, undefined])))

  it.each([text, `${text}S3_ENABLED=false\n`])(
    'is one fault that names init: %j',
    async (plain) => {
      const checked = await look(plain)
      expect(troubles(checked)).toEqual(['s3-enabled fault'])
      expect(wordsOf(checked, 's3-enabled')).toContain('npx mastodon-r2 init')
    },
  )

  it('beside a backup of ours is a reset', async () => {
    const backup = {
      path: `${ENV}.mastodon-r2-20261122T100000Z.bak`,
      at: new Date('2026-11-22T10:00:00Z'),
    }
    const changedAt = new Date('2026-11-23T10:00:00Z')
    const checked = await look(`${text}S3_ENABLED=false\n`, { backups: [backup], changedAt })
    expect(troubles(checked)).toContain('env-reset fault')
    expect(wordsOf(checked, 'env-reset')).toContain(backup.path)
    expect(troubles(await look(lines(), { backups: [backup], changedAt }))).toEqual([])
    const undone = { backups: [backup], changedAt: new Date('2026-11-22T10:00:01Z') }
    expect(troubles(await look(text, undone))).not.toContain('env-reset fault')
  })

  it('the sample lines of upstream are faults, not a setup', async () => {
    const sample =
      'LOCAL_DOMAIN=social.test\nS3_ENABLED=true\nS3_BUCKET=files.example.com\nAWS_ACCESS_KEY_ID=\nAWS_SECRET_ACCESS_KEY=\nS3_ALIAS_HOST=files.example.com\n'
    expect(troubles(await look(sample))).toEqual([
      's3-bucket fault',
      's3-endpoint fault',
      's3-permission fault',
      's3-alias-host fault',
      'access-key fault',
      'access-key fault',
    ])
  })
})

function lineNames(): Record<string, string> {
  return Object.fromEntries(
    [...lines().matchAll(/^((?:S3|AWS)_\w+)=/gm)].map(([, name]) => [name, '']),
  )
}

/** Lines that `check` proposes, taken over as they stand. */
describe('every correction is right itself', () => {
  it.each([
    { S3_ALIAS_HOST: `${ACCOUNT}.r2.cloudflarestorage.com/social-media` },
    { S3_ALIAS_HOST: `https://${ACCOUNT}.eu.r2.cloudflarestorage.com` },
    { S3_ALIAS_HOST: 'https://social.test/system' },
    { S3_ALIAS_HOST: 'https://files.example.com/' },
    { S3_ALIAS_HOST: 'not a host' },
    { S3_ALIAS_HOST: undefined },
    { S3_ALIAS_HOST: 'https://files.social.test/' },
    { S3_ALIAS_HOST: undefined, S3_CLOUDFRONT_HOST: 'https://files.social.test' },
    { S3_ALIAS_HOST: undefined, S3_CLOUDFRONT_HOST: `${ACCOUNT}.r2.cloudflarestorage.com` },
    { S3_ENDPOINT: `http://${ACCOUNT}.r2.cloudflarestorage.com/social-media` },
    { S3_ENDPOINT: ACCOUNT },
    { S3_ENDPOINT: `https://social-media.${ACCOUNT}.r2.cloudflarestorage.com` },
    { S3_PROTOCOL: 'http' },
    { S3_PERMISSION: undefined },
    { S3_REGION: 'eu-1' },
    { EXTRA_MEDIA_HOSTS: 'a.social.test;http://b.social.test/x' },
    { EXTRA_MEDIA_HOSTS: 'https://a.social.test|b' },
    { S3_ENABLED: 'TRUE' },
  ])('%o', async (changes: Readonly<Record<string, string | undefined>>) => {
    const before = await look(lines(changes))
    const proposed = before.flatMap(({ verdict }) => {
      const next = 'next' in verdict ? String(verdict.next) : ''
      return [...next.matchAll(/^ {2}([A-Z][A-Z0-9_]*)=(.*)$/gm)].map(([, name, value]) => [
        name,
        value,
      ])
    })
    const corrected = { ...changes, ...Object.fromEntries(proposed) }
    const known = new Set(troubles(before))
    const after = await look(lines(corrected))
    const fresh = troubles(after).filter((trouble) => !known.has(trouble))
    expect(fresh.filter((trouble) => trouble.endsWith('fault'))).toEqual([])
    const touched = new Set(proposed.map(([name]) => name))
    if (touched.has('S3_ALIAS_HOST')) expect(troubles(after)).not.toContain('s3-alias-host fault')
    if (touched.has('EXTRA_MEDIA_HOSTS')) {
      expect(troubles(after).join()).not.toContain('extra-media-hosts')
    }
  })
})
