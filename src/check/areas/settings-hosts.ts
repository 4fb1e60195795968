import { prose, toType } from '../../core/to-type.ts'
import type { Verdict } from '../../plan/verdict.ts'
import type { Installation } from '../../services/mastodon/port.ts'
import { type StorageSettings, settingCheck, shown } from './setting-check.ts'

const BARE = /^(?=.*\.)[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/

/** The bare host that visitors load media from (mastodon#20347, #21382). */
export const aliasHost = settingCheck({
  id: 's3-alias-host',
  title: 'S3_ALIAS_HOST',
  judge(settings, { installation }) {
    const now = settings.value('S3_ALIAS_HOST')
    const old = settings.value('S3_CLOUDFRONT_HOST')
    if (now === undefined && old) return oldName(old, settings)
    if (now === undefined || now.trim() === '') return missing(settings)
    if (!BARE.test(now)) return notBare(now, settings)
    return wrongHost(now, settings, installation) ?? { severity: 'ok', saw: now }
  },
})

function missing(settings: StorageSettings): Verdict {
  return {
    severity: 'fault',
    saw: 'S3_ALIAS_HOST is missing.',
    matters:
      'Mastodon then links to the S3 address, which never answers visitors: every new image is broken.',
    next: prose`${toType('init')} sets a host up; or, when the bucket has one: ${settings.write('S3_ALIAS_HOST=files.example.com')}`,
  }
}

function notBare(now: string, settings: StorageSettings): Verdict {
  const host = now
    .trim()
    .toLowerCase()
    .replace(/^["']+|["']+$/g, '')
    .replace(/^[a-z]+:\/*/, '')
    .replace(/^\/+|[/:?#\s].*$/gs, '')
    .replace(/\.+$/, '')
  return {
    severity: 'fault',
    saw: `S3_ALIAS_HOST is "${shown(now)}".`,
    matters: /:\/\//.test(now)
      ? 'Mastodon puts https:// before it, so links begin with https://https:// and nothing loads.'
      : 'Mastodon puts https:// before it and the name of the file behind it, so it has to be a bare host.',
    next: BARE.test(host)
      ? settings.write(`S3_ALIAS_HOST=${host}`)
      : settings.write('S3_ALIAS_HOST=files.example.com'),
  }
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
    next: settings.write(`S3_ALIAS_HOST=files.${localDomain}`),
  }
}

function oldName(old: string, settings: StorageSettings): Verdict {
  return {
    severity: 'note',
    saw: `The media host stands under its old name: S3_CLOUDFRONT_HOST=${shown(old)}`,
    matters: 'Mastodon still reads it; other tools and newer guides know only S3_ALIAS_HOST.',
    next: settings.write(`S3_ALIAS_HOST=${shown(old)}`),
  }
}

/** CDN_HOST is for scripts and styles, which are not in the bucket. */
export const cdnHost = settingCheck({
  id: 'cdn-host',
  title: 'CDN_HOST',
  judge({ value, remove }) {
    const now = value('CDN_HOST') ?? ''
    if (now === '') return { severity: 'ok', saw: 'not set' }
    const host = now
      .trim()
      .toLowerCase()
      .replace(/^[a-z]*:?\/\//, '')
      .replace(/[/:].*$/, '')
    const isMedia =
      host === value('S3_ALIAS_HOST') || /\.r2\.(dev|cloudflarestorage\.com)$/.test(host)
    if (!isMedia) return { severity: 'ok', saw: shown(now) }
    return {
      severity: 'fault',
      saw: `CDN_HOST points at the media host (${shown(now)}).`,
      matters:
        "Mastodon's own scripts and styles are loaded from there, and the bucket has none: the site stays blank.",
      next: remove('CDN_HOST'),
    }
  },
})

/** Full URLs between commas or blanks, since Mastodon 4.4.0. */
export const extraMediaHosts = settingCheck({
  id: 'extra-media-hosts',
  title: 'EXTRA_MEDIA_HOSTS',
  always: true,
  judge({ value, write }) {
    const now = value('EXTRA_MEDIA_HOSTS') ?? ''
    if (now.trim() === '') return { severity: 'ok', saw: 'not set' }
    const entries = now.split(/[,\s|]+/).filter((entry) => entry !== '')
    const isRight = (entry: string) => /^https:\/\/[a-z0-9.-]+(:\d+)?$/.test(entry)
    if (entries.every(isRight) && !now.includes('|')) return { severity: 'ok', saw: shown(now) }
    const tidy = entries.map((entry) => {
      const host = entry
        .toLowerCase()
        .replace(/^["']|["']$/g, '')
        .replace(/^[a-z]*:?\/\//, '')
      return `https://${host.replace(/\/.*$/, '')}`
    })
    return {
      severity: 'note',
      saw: `EXTRA_MEDIA_HOSTS is "${shown(now)}".`,
      matters:
        'It takes full addresses, https:// and a host, with commas between them; browsers may refuse images from the others.',
      next: tidy.every(isRight)
        ? write(`EXTRA_MEDIA_HOSTS=${tidy.join(',')}`)
        : write('EXTRA_MEDIA_HOSTS=https://files.example.com'),
    }
  },
})
