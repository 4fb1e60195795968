import type { Check } from '../../plan/verdict.ts'
import { insideCheck, type Open } from './inside.ts'
import type { StorageAt } from './storage-door.ts'

/** Mastodon needs the objects of one bucket. A key that lists buckets can do far more. */
export function keyReachCheck(open: Open): Check<keyof StorageAt> {
  return insideCheck<never>(open, {
    id: 'storage-key-reach',
    title: 'Reach of the key',
    cost: 'look',
    async inside({ s3, bucket }) {
      const buckets = await s3.listBuckets()
      if (buckets === undefined) {
        return [{ severity: 'ok', saw: "it can't list or make buckets" }]
      }
      const others = buckets.filter((name) => name !== bucket).length
      const reach =
        others === 0 ? '' : `, ${others} other ${others === 1 ? 'one' : 'ones'} included`
      return [
        {
          severity: 'warning',
          saw: `Mastodon's key can list and make buckets${reach}.`,
          matters:
            'Whoever gets hold of it can delete far more than media. And with a typing error in S3_BUCKET, Mastodon makes a new bucket that nobody can see.',
          next: 'npx mastodon-r2 rotate (it puts a key for this bucket alone in its place)',
        },
      ]
    },
  })
}
