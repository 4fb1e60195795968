import { settingCheck } from './setting-check.ts'
import { shown } from './shown.ts'

const ACL =
  /^(private|public-read|public-read-write|authenticated-read|aws-exec-read|bucket-owner-(read|full-control))$/

/** Absent means `public-read` to Mastodon; only "there and empty" sends no ACL (mastodon#20416). */
export const permission = settingCheck({
  id: 's3-permission',
  title: 'S3_PERMISSION',
  judge({ value, write }) {
    const now = value('S3_PERMISSION')
    const next = write('S3_PERMISSION=')
    if (now === '') return { severity: 'ok', saw: 'there and empty' }
    if (now === undefined) {
      return {
        severity: 'fault',
        saw: 'S3_PERMISSION is missing.',
        matters:
          'It must be there and empty: without the line, Mastodon asks for the ACL public-read with each upload. R2 has no ACLs, so uploads can fail (error 501, NotImplemented).',
        next,
      }
    }
    if (now === "''" || now === '""') {
      return {
        severity: 'fault',
        saw: `S3_PERMISSION arrives as two quote characters (${now}), not as nothing.`,
        matters: 'The quotes are sent to R2 as the name of an ACL, and the upload is refused.',
        next,
      }
    }
    if (!ACL.test(now)) {
      return {
        severity: 'fault',
        saw: `S3_PERMISSION is "${shown(now)}".`,
        matters:
          'That is no ACL at all, and it is sent with each upload; the line has to be empty.',
        next,
      }
    }
    return {
      severity: 'warning',
      saw: `S3_PERMISSION is "${shown(now)}"; it should be empty.`,
      matters:
        'R2 has no ACLs: it protects nothing, costs a request per file, and can make uploads fail.',
      next,
    }
  },
})
