import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

/** Mastodon compares S3_ENABLED with `true`, letter by letter (config/initializers/paperclip.rb). */
export const enabled = settingCheck({
  id: 's3-enabled',
  title: 'S3_ENABLED',
  always: true,
  judge({ kind, value, write }) {
    const now = value('S3_ENABLED')
    if (kind === 'none') {
      return {
        severity: 'fault',
        saw: 'No storage is set up; Mastodon keeps media on its own disk.',
        matters: 'There is nothing of R2 to look at yet.',
        next: 'npx mastodon-r2 init',
      }
    }
    if (now === 'true') return { severity: 'ok', saw: 'true' }
    if (now === 'false') {
      return {
        severity: 'note',
        saw: 'S3_ENABLED=false: storage is prepared, and not switched on.',
        matters: 'New uploads go where they went before.',
        next: 'To copy the media and switch:\n  npx mastodon-r2 migrate',
      }
    }
    const what = now === undefined || now === '' ? 'is missing' : `is "${shown(now)}"`
    return {
      severity: 'fault',
      saw: `S3_ENABLED ${what}.`,
      matters:
        'Only the word true, in small letters, switches it on; Mastodon uses its own disk now.',
      next: write('S3_ENABLED=true'),
    }
  },
})
