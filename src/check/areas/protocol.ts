import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

/** The scheme of the links to media; https unless told (mastodon#24235). */
export const protocol = settingCheck({
  id: 's3-protocol',
  title: 'S3_PROTOCOL',
  judge({ value, write }) {
    const now = value('S3_PROTOCOL')
    if (now === undefined || now === 'https') return { severity: 'ok', saw: 'https' }
    return {
      severity: 'fault',
      saw: `S3_PROTOCOL is "${shown(now)}".`,
      matters:
        now === 'http'
          ? 'Links to media begin with http://, and browsers refuse those on a https page.'
          : 'It becomes the first part of every link to media; only https works.',
      next: write('S3_PROTOCOL=https'),
    }
  },
})
