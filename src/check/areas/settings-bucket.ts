import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

/** R2's rule for bucket names (Cloudflare docs, r2/buckets/create-buckets). */
const NAME = /^[a-z0-9][a-z0-9-]{1,61}[a-z0-9]$/

export const bucket = settingCheck({
  id: 's3-bucket',
  title: 'S3_BUCKET',
  judge({ value, write }) {
    const now = value('S3_BUCKET') ?? ''
    if (NAME.test(now)) return { severity: 'ok', saw: shown(now) }
    const tidy = now
      .replace(/\s+#.*$/s, '')
      .replace(/^["'\s]+|["'\s]+$/g, '')
      .toLowerCase()
      .replace(/^https?:\/\//, '')
      .replace(/^\/+|\/+$/g, '')
    const last = tidy.split('/').at(-1) ?? ''
    return {
      severity: 'fault',
      saw: now === '' ? 'S3_BUCKET is missing.' : `S3_BUCKET is "${shown(now)}".`,
      matters:
        "It has to be the bucket's bare name: 3 to 63 small letters, digits and hyphens (R2 has no dots in them). Nothing can be stored like this.",
      next: NAME.test(last)
        ? write(`S3_BUCKET=${last}`)
        : 'Look up the name at https://dash.cloudflare.com/?to=/:account/r2, or let this tool set it up: npx mastodon-r2 init',
    }
  },
})
