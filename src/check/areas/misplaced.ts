import type { Check } from '../../plan/verdict.ts'
import { insideCheck, type Open } from './inside.ts'
import type { StorageAt } from './storage-door.ts'

/** First parts of Mastodon's own object keys; a bucket of such a name can't be told apart. */
const OWN = /^(accounts|backups|cache|custom_emojis|imports|media_attachments|site_uploads)$/
const PAGE = 1000

/** A path in S3_ENDPOINT puts every object one folder too deep (mastodon issue 27015). */
export function misplacedCheck(open: Open): Check<keyof StorageAt> {
  return insideCheck<never>(open, {
    id: 'storage-misplaced',
    title: 'Misplaced files',
    cost: 'look',
    async inside({ s3, bucket }) {
      if (OWN.test(bucket)) {
        return [{ severity: 'skipped', saw: `can't be told: ${bucket} is a folder of Mastodon's` }]
      }
      const found = (await s3.list(`${bucket}/`, PAGE)).length
      if (found === 0) return [{ severity: 'ok', saw: `nothing below ${bucket}/` }]
      const count = `${found >= PAGE ? 'At least ' : ''}${found} ${found === 1 ? 'file is' : 'files are'}`
      return [
        {
          severity: 'warning',
          saw: `${count} in the folder ${bucket}/ of the bucket.`,
          matters:
            "They were uploaded while S3_ENDPOINT ended in the bucket's name, so visitors get 404 for them.",
          next: `Make sure that S3_ENDPOINT has no path, restart Mastodon, then move them up with rclone (R2: your remote):\n  rclone move R2:${bucket}/${bucket} R2:${bucket}`,
        },
      ]
    },
  })
}
