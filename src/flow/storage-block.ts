import type { Setup } from '../plan/step.ts'
import type { S3Key } from '../services/s3/port.ts'

/** What Mastodon sends with every upload (its config/initializers/paperclip.rb). */
export const MEDIA_CACHE_CONTROL = 'public, max-age=315576000, immutable'

/**
 * The lines that Mastodon needs for R2 (its config/initializers/paperclip.rb). S3_PERMISSION has to
 * be there and empty: absent means `public-read`, an ACL that R2 does not have.
 */
export function storageBlock(setup: Setup, key: S3Key): ReadonlyMap<string, string> {
  return new Map([
    ['S3_ENABLED', setup.storage === 'switch' ? 'true' : 'false'],
    ['S3_BUCKET', setup.at.bucket],
    ['S3_REGION', 'auto'],
    ['S3_ENDPOINT', setup.s3Endpoint],
    ['S3_PROTOCOL', 'https'],
    ['S3_PERMISSION', ''],
    ['S3_ALIAS_HOST', setup.mediaHost],
    ['AWS_ACCESS_KEY_ID', key.accessKeyId],
    ['AWS_SECRET_ACCESS_KEY', key.secretAccessKey.reveal()],
  ])
}

/**
 * Settings of another provider that break R2, with the reason; they are commented out. Everything
 * else that is harmless stays.
 */
export function hindrances(
  settings: ReadonlyMap<string, { readonly value: string }>,
): ReadonlyMap<string, string> {
  const found = new Map<string, string>()
  const judge = (name: string, breaks: (value: string) => boolean, reason: string) => {
    const setting = settings.get(name)
    if (setting && breaks(setting.value)) found.set(name, reason)
  }
  judge('S3_SIGNATURE_VERSION', (v) => v !== '' && v !== 'v4', 'R2 takes signature version 4 only')
  judge('S3_STORAGE_CLASS', (v) => v !== '', "R2 refuses other providers' storage classes")
  judge('S3_OVERRIDE_PATH_STYLE', (v) => v === 'true', 'path style is the tested one on R2')
  judge('S3_MULTIPART_THRESHOLD', (v) => asRubyReads(v) < 5_242_880, 'bytes; parts start at 5 MiB')
  judge('S3_KEY_PREFIX', (v) => v !== '', 'tootctl expects media at the top of the bucket')
  return found
}

/** Ruby's `to_i`: the digits in front, underscores between them allowed, else 0. */
function asRubyReads(text: string): number {
  return Number.parseInt(text.replaceAll('_', ''), 10) || 0
}

/** R2's S3 endpoint for a bucket's account and jurisdiction (Cloudflare docs, r2/api/s3). */
export function r2Endpoint(accountId: string, jurisdiction: string): string {
  const place = jurisdiction === 'default' ? '' : `.${jurisdiction}`
  return `https://${accountId}${place}.r2.cloudflarestorage.com`
}

/** Account and jurisdiction back out of S3_ENDPOINT; undefined when it is not R2's. */
export function readR2Endpoint(
  endpoint: string,
): { accountId: string; jurisdiction: string } | undefined {
  const match =
    /^https?:\/\/([0-9a-f]{32})(?:\.(eu|us|fedramp|fedramp-high))?\.r2\.cloudflarestorage\.com(?:[:/]|$)/.exec(
      endpoint,
    )
  if (!match?.[1]) return undefined
  return { accountId: match[1], jurisdiction: match[2] ?? 'default' }
}
