import { prose, toType } from '../../core/to-type.ts'
import { readR2Endpoint } from '../../flow/mastodon-here.ts'
import type { Verdict } from '../../plan/verdict.ts'
import type { StorageSettings } from './setting-check.ts'
import { settingCheck, shown } from './setting-check.ts'

/** `bucket.account.r2…`: the bucket as a part of the host. */
const BUCKET_IN_HOST = /^[^.]+\.([0-9a-f]{32}(?:\.[a-z-]+)?\.r2\.cloudflarestorage\.com)$/
const EXAMPLE = 'S3_ENDPOINT=https://ACCOUNT_ID.r2.cloudflarestorage.com'

/** https, the account's host, and nothing behind it: Mastodon adds the bucket itself. */
export const endpoint = settingCheck({
  id: 's3-endpoint',
  title: 'S3_ENDPOINT',
  always: true,
  judge(settings, { storage }) {
    if (settings.kind === 'none') return { severity: 'skipped', saw: 'no storage is set up' }
    const now = (settings.value('S3_ENDPOINT') ?? '').trim()
    if (now === '') return missing(settings)
    const url = asUrl(now)
    if (url === undefined) return unreadable(now, settings)
    const isCloudflares = url.hostname.endsWith('.r2.cloudflarestorage.com')
    const isOwn = storage.isR2 && !isCloudflares
    const inPath = url.pathname.replace(/^\/+|\/+$/g, '')
    const inHost = BUCKET_IN_HOST.exec(url.hostname)?.[1]
    const holdsBucket = inPath.split('/').includes(settings.value('S3_BUCKET') ?? '')
    if ((inPath !== '' && (!isOwn || holdsBucket)) || inHost !== undefined) {
      return bucketInside(now, url, inHost, settings)
    }
    if (settings.kind === 'other') return otherProvider(url)
    if (isOwn) return { severity: 'ok', saw: `${shown(now)} (not Cloudflare's)` }
    if (url.hostname.endsWith('.r2.dev')) return publicAddress(url, settings)
    if (url.protocol !== 'https:') return insecure(now, url, settings)
    if (readR2Endpoint(now) === undefined) return unknownHost(url)
    return { severity: 'ok', saw: shown(now) }
  },
})

function asUrl(text: string): URL | undefined {
  if (!/^https?:\/\//i.test(text) || /\s/.test(text) || !URL.canParse(text)) return undefined
  return new URL(text)
}

function missing(settings: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: 'S3_ENDPOINT is missing.',
    matters: "Without it Mastodon sends uploads to Amazon, which doesn't know your key.",
    next: prose`${toType('init')} puts it in; or by hand, with your account's id: ${settings.write(EXAMPLE)}`,
  }
}

function unreadable(now: string, settings: StorageSettings): Verdict {
  const bare = now
    .toLowerCase()
    .replace(/^["'\s]+|["'\s]+$/g, '')
    .replace(/^[a-z]*:?\/+/, '')
  const host = /^[a-z0-9.-]+\.r2\.cloudflarestorage\.com/.exec(bare)?.[0]
  const isAccountId = /^[0-9a-f]{32}$/.test(bare)
  const right = host ?? (isAccountId ? `${bare}.r2.cloudflarestorage.com` : undefined)
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT is "${shown(now)}".`,
    matters: 'That is no address Mastodon could send uploads to: it begins with https://.',
    next: right === undefined ? toType('init') : settings.write(`S3_ENDPOINT=https://${right}`),
  }
}

function bucketInside(
  now: string,
  url: URL,
  inHost: string | undefined,
  settings: StorageSettings,
): Verdict {
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT holds more than the account's address: ${shown(now)}`,
    matters:
      'Mastodon adds the bucket itself. With the bucket in there too, files land in a folder named like the bucket: uploads look fine, and visitors get 404.',
    next: settings.write(
      `S3_ENDPOINT=${inHost === undefined ? originOf(url) : `https://${inHost}`}`,
    ),
  }
}

function originOf({ host, hostname, origin }: URL): string {
  return hostname.endsWith('.r2.cloudflarestorage.com') ? `https://${host}` : origin
}

function insecure(now: string, url: URL, settings: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT begins with http: ${shown(now)}`,
    matters: 'Private files would cross the internet unencrypted; R2 takes uploads by https only.',
    next: settings.write(`S3_ENDPOINT=https://${url.host}`),
  }
}

function publicAddress(url: URL, settings: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT is the public address ${url.host}.`,
    matters: 'That address only hands files out; uploads need the address of the account.',
    next: prose`${toType('init')} puts it right; or by hand, with your account's id: ${settings.write(EXAMPLE)}`,
  }
}

function otherProvider(url: URL): Verdict {
  return {
    severity: 'warning',
    saw: `Mastodon stores media at ${url.host}, which is not R2.`,
    matters: 'The checks of R2 are left out; most of them would not be true there.',
    next: prose`To prepare R2 beside it:\n  ${toType('init', { existingMedia: 'prepare' })}`,
  }
}

function unknownHost(url: URL): Verdict {
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT is ${shown(url.host)}, which is no account's address.`,
    matters:
      "R2's address is the account's id (32 characters of 0-9 and a-f), perhaps .eu or another region, then .r2.cloudflarestorage.com.",
    next: toType('init'),
  }
}
