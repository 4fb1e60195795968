import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

const WORDS = /^when_(supported|required)$/i

/** What the AWS SDK inside Mastodon reads by itself; another word stops Mastodon. */
export const checksums = settingCheck({
  id: 'checksums',
  title: 'Checksum settings',
  judge({ value, remove }) {
    const name = 'AWS_REQUEST_CHECKSUM_CALCULATION'
    const now = value(name)
    if (now === undefined || WORDS.test(now)) return { severity: 'ok', saw: now ?? 'not set' }
    return {
      severity: 'fault',
      saw: `${name} is "${shown(now)}".`,
      matters: 'It may be WHEN_SUPPORTED or WHEN_REQUIRED; anything else makes each upload fail.',
      next: remove(name),
    }
  },
})
