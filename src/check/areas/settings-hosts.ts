import { prose, type Text, toType } from '../../core/to-type.ts'
import { readR2Endpoint } from '../../flow/mastodon-here.ts'
import type { Verdict } from '../../plan/verdict.ts'
import type { Installation } from '../../services/mastodon/port.ts'
import { type StorageSettings, settingCheck, shown } from './setting-check.ts'

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
    const now = settings.value('S3_ENDPOINT') ?? ''
    if (now.trim() === '') return noEndpoint(settings)
    const url = asUrl(now)
    if (url === undefined) return noAddress(now, settings)
    const isCloudflares = url.hostname.endsWith('.r2.cloudflarestorage.com')
    const isOwn = storage.isR2 && !isCloudflares
    const inPath = url.pathname.replace(/^\/+|\/+$/g, '')
    const inHost = BUCKET_IN_HOST.exec(url.hostname)?.[1]
    const holdsBucket = inPath.split('/').includes(settings.value('S3_BUCKET') ?? '')
    if ((inPath !== '' && (!isOwn || holdsBucket)) || inHost !== undefined) {
      return bucketInside(now, url, inHost, settings)
    }
    if (/[@?#]/.test(now)) return moreThanAddress(now, url, settings)
    if (settings.kind === 'other') return otherProvider(url)
    if (isOwn) return { severity: 'ok', saw: `${shown(now)} (not Cloudflare's)` }
    if (url.hostname.endsWith('.r2.dev')) return publicAddress(url, settings)
    if (url.protocol !== 'https:') return insecure(now, url, settings)
    if (readR2Endpoint(now) === undefined) return unknownHost(url)
    return { severity: 'ok', saw: shown(now) }
  },
})

/** As Ruby's URI takes it: no blanks around it, and ASCII alone. */
function asUrl(text: string): URL | undefined {
  if (!/^https?:\/\/[!-~]*$/i.test(text) || !URL.canParse(text)) return undefined
  return new URL(text)
}

function noEndpoint(settings: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: 'S3_ENDPOINT is missing.',
    matters: "Without it Mastodon sends uploads to Amazon, which doesn't know your key.",
    next: prose`${toType('init')} puts it in; or by hand, with your account's id: ${settings.told(EXAMPLE)}`,
  }
}

function noAddress(now: string, settings: StorageSettings): Verdict {
  const visible = now.replace(/^[\p{Z}\p{Cf}\p{Cc}]+|[\p{Z}\p{Cf}\p{Cc}]+$/gu, '')
  const bare = visible
    .toLowerCase()
    .replace(/^["']+|["']+$/g, '')
    .replace(/^[a-z]*:?\/+/, '')
  const host = /^[a-z0-9.-]+\.r2\.cloudflarestorage\.com/.exec(bare)?.[0]
  const isAccountId = /^[0-9a-f]{32}$/.test(bare)
  const known = host ?? (isAccountId ? `${bare}.r2.cloudflarestorage.com` : undefined)
  const right = known === undefined ? asUrl(visible)?.origin : `https://${known}`
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT is "${shown(now)}".`,
    matters:
      'That is no address Mastodon could send uploads to: it begins with https://, and has no blank in it or around it.',
    ...(right === undefined ? { next: toType('init') } : settings.write('S3_ENDPOINT', right)),
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
    ...settings.write('S3_ENDPOINT', inHost === undefined ? originOf(url) : `https://${inHost}`),
  }
}

function moreThanAddress(now: string, url: URL, settings: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT holds more than an address: ${shown(now)}`,
    matters:
      'An address may be printed and logged. The key belongs into AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, and nothing behind a ? or a # belongs there.',
    ...settings.write('S3_ENDPOINT', originOf(url)),
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
    ...settings.write('S3_ENDPOINT', `https://${url.host}`),
  }
}

function publicAddress(url: URL, settings: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: `S3_ENDPOINT is the public address ${url.host}.`,
    matters: 'That address only hands files out; uploads need the address of the account.',
    next: prose`${toType('init')} puts it right; or by hand, with your account's id: ${settings.told(EXAMPLE)}`,
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

const BARE = /^(?=.*\.)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/

/** The bare host that visitors load media from (mastodon#20347, #21382). */
export const aliasHost = settingCheck({
  id: 's3-alias-host',
  title: 'S3_ALIAS_HOST',
  judge(settings, { installation }) {
    const now = settings.value('S3_ALIAS_HOST')
    const old = settings.value('S3_CLOUDFRONT_HOST')
    if (now === undefined && old) return oldName(old, settings, installation)
    if (now === undefined || now.trim() === '') return noAlias(settings, installation)
    if (!BARE.test(now)) return notBare(now, settings, installation)
    return wrongHost(now, settings, installation) ?? { severity: 'ok', saw: now }
  },
})

/** The host in what may be an address, quoted, or with more behind it. */
function bareHost(text: string): string {
  return text
    .trim()
    .toLowerCase()
    .replace(/^["']+|["']+$/g, '')
    .replace(/^[a-z]+:\/*/, '')
    .replace(/^\/+|[/:?#\s].*$/gs, '')
    .replace(/\.+$/, '')
}

/** A line that a person may take over as it is: never a sample. */
function aliasLine(settings: StorageSettings, { localDomain }: Installation): Text {
  return settings.told(`S3_ALIAS_HOST=files.${localDomain ?? 'YOUR-DOMAIN'}`)
}

function noAlias(settings: StorageSettings, installation: Installation): Verdict {
  return {
    severity: 'fault',
    saw: 'S3_ALIAS_HOST is missing.',
    matters:
      'Mastodon then links to the S3 address, which never answers visitors: every new image is broken.',
    next: prose`${toType('init')} sets a host up; or, when the bucket has one: ${aliasLine(settings, installation)}`,
  }
}

function notBare(now: string, settings: StorageSettings, installation: Installation): Verdict {
  const host = bareHost(now)
  // What is proposed has to be right itself.
  const still = BARE.test(host) ? wrongHost(host, settings, installation) : undefined
  if (still && 'matters' in still)
    return { ...still, severity: 'fault', saw: `S3_ALIAS_HOST is "${shown(now)}".` }
  return {
    severity: 'fault',
    saw: `S3_ALIAS_HOST is "${shown(now)}".`,
    matters: /:\/\//.test(now)
      ? 'Mastodon puts https:// before it, so links begin with https://https:// and nothing loads.'
      : 'Mastodon puts https:// before it and the name of the file behind it, so it has to be a bare host.',
    ...cureOfAlias(now, host, settings, installation),
  }
}

/** No mend where a path goes: media may be served below it, by something between. */
function cureOfAlias(
  now: string,
  host: string,
  settings: StorageSettings,
  installation: Installation,
) {
  if (!BARE.test(host)) return { next: aliasLine(settings, installation) }
  const cure = settings.write('S3_ALIAS_HOST', host)
  const isPlaced = /[^/:]\/+[^/\s"']/.test(now)
  return isPlaced ? { next: cure.next } : cure
}

function wrongHost(
  host: string,
  settings: StorageSettings,
  { localDomain, webDomain }: Installation,
): Verdict | undefined {
  if (host.endsWith('.r2.cloudflarestorage.com')) {
    return {
      severity: 'fault',
      saw: `S3_ALIAS_HOST is the S3 address (${host}).`,
      matters: 'That address never answers visitors: every image is broken.',
      next: toType('init'),
    }
  }
  if (host.endsWith('.r2.dev')) {
    return {
      severity: 'warning',
      saw: `S3_ALIAS_HOST is Cloudflare's test address (${host}).`,
      matters: 'It is throttled and not cached; Cloudflare means it for trying things out.',
      next: prose`Put a host of your own before the bucket: ${toType('init')}`,
    }
  }
  if (host === localDomain || host === webDomain) {
    return {
      severity: 'fault',
      saw: `S3_ALIAS_HOST is the instance's own host (${host}).`,
      matters: 'Visitors would ask Mastodon for the files, and they are in the bucket.',
      next: prose`Choose another host:\n  ${toType('init', { mediaHost: `files.${localDomain ?? host}` })}`,
    }
  }
  const isSample = host === 'files.example.com' && localDomain && !/\bexample\./.test(localDomain)
  if (!isSample) return undefined
  return {
    severity: 'fault',
    saw: `S3_ALIAS_HOST is ${host}, left over from the sample file.`,
    matters: "That host isn't yours: every image is broken.",
    // No mend: whether the bucket has that host is not known.
    next: settings.told(`S3_ALIAS_HOST=files.${localDomain}`),
  }
}

function oldName(old: string, settings: StorageSettings, installation: Installation): Verdict {
  if (!BARE.test(old)) return notBare(old, settings, installation)
  const wrong = wrongHost(old, settings, installation)
  if (wrong) return wrong
  return {
    severity: 'note',
    saw: `The media host stands under its old name: S3_CLOUDFRONT_HOST=${shown(old)}`,
    matters: 'Mastodon still reads it; other tools and newer guides know only S3_ALIAS_HOST.',
    ...settings.write('S3_ALIAS_HOST', old),
  }
}

/** CDN_HOST is for scripts and styles, which are not in the bucket. */
export const cdnHost = settingCheck({
  id: 'cdn-host',
  title: 'CDN_HOST',
  judge({ value, remove }) {
    const now = value('CDN_HOST') ?? ''
    if (now === '') return { severity: 'ok', saw: 'not set' }
    const host = bareHost(now)
    const media = value('S3_ALIAS_HOST') || value('S3_CLOUDFRONT_HOST') || ''
    const isMedia = host === bareHost(media) || /\.r2\.(dev|cloudflarestorage\.com)$/.test(host)
    if (!isMedia) return { severity: 'ok', saw: shown(now) }
    return {
      severity: 'fault',
      saw: `CDN_HOST points at the media host (${shown(now)}).`,
      matters:
        "Mastodon's own scripts and styles are loaded from there, and the bucket has none: the site stays blank.",
      ...remove('CDN_HOST'),
    }
  },
})

/** Mastodon splits at the blanks of ASCII (Ruby's \s) alone, and Rails refuses any other. */
const OTHER_BLANK = /(?! )[\p{Z}\u0085]/u

/** Full URLs between commas or blanks, since Mastodon 4.4.0. */
export const extraMediaHosts = settingCheck({
  id: 'extra-media-hosts',
  title: 'EXTRA_MEDIA_HOSTS',
  always: true,
  judge({ value, write, remove }) {
    const now = value('EXTRA_MEDIA_HOSTS') ?? ''
    if (now.trim() === '') return { severity: 'ok', saw: 'not set' }
    const entries = now.split(/[,;|\p{Z}\p{Cc}\p{Cf}]+/u).filter((entry) => entry !== '')
    const isRight = (entry: string) => /^https:\/\/[a-z0-9.-]+(:\d+)?$/.test(entry)
    const isBroken = now.includes(';') || OTHER_BLANK.test(now)
    if (entries.every(isRight) && !/[|\p{Cf}]/u.test(now) && !isBroken)
      return { severity: 'ok', saw: shown(now) }
    const tidy = entries.map((entry) => {
      const host = entry
        .toLowerCase()
        .replace(/^["']|["']$/g, '')
        .replace(/^[a-z]*:?\/\//, '')
      return `https://${host.replace(/\/.*$/, '')}`
    })
    return {
      severity: isBroken ? 'fault' : 'note',
      saw: `EXTRA_MEDIA_HOSTS is "${shown(now)}".`,
      // Rails raises InvalidDirectiveError for a source with one of these.
      matters: isBroken
        ? `With ${now.includes(';') ? 'a semicolon' : 'a blank of another kind'} in it Rails can't build the pages' security policy: every page may fail. Hosts have commas between them.`
        : 'It takes full addresses, https:// and a host, with commas between them; browsers may refuse images from the others.',
      ...cureOfHosts(tidy.length > 0 && tidy.every(isRight) ? tidy : undefined),
    }

    /** No mend where a word is no host of the web, or all of them would go. */
    function cureOfHosts(hosts: readonly string[] | undefined) {
      if (hosts === undefined) return { next: remove('EXTRA_MEDIA_HOSTS').next }
      const cure = write('EXTRA_MEDIA_HOSTS', hosts.join(','))
      return hosts.every((host) => /\.[a-z]/.test(host)) ? cure : { next: cure.next }
    }
  },
})
