import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

/** `auto`; us-east-1 and empty mean the same to R2 (Cloudflare docs, r2/api/s3/api). */
export const region = settingCheck({
  id: 's3-region',
  title: 'S3_REGION',
  judge({ value, write }) {
    const now = value('S3_REGION') ?? 'us-east-1'
    if (['auto', 'us-east-1', ''].includes(now)) return { severity: 'ok', saw: now || 'empty' }
    return {
      severity: 'warning',
      saw: `S3_REGION is "${shown(now)}".`,
      matters:
        'R2 has no such regions and can refuse the signature; where the bucket is, it knows itself.',
      next: write('S3_REGION=auto'),
    }
  },
})
