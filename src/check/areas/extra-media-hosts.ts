import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

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
