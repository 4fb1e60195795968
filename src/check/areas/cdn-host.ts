import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

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
