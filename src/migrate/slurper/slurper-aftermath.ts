import { count, counted } from '../../core/amounts.ts'
import { MEDIA_CACHE_CONTROL } from '../../flow/storage-block.ts'
import type { SlurperFailure } from '../../services/cloudflare/slurper-port.ts'
import type { S3Port } from '../../services/s3/port.ts'
import { lookAtHeaders } from '../compare/headers.ts'
import type { SlurperTotal } from './jobs.ts'

const NAMED = 10
/** Log entries that are read for their reasons. */
const READ = 100
const SAMPLED = 10

/** What the jobs did not copy, with their log's reasons: one warning each, the first ones alone. */
export async function leftBehind(
  ids: readonly string[],
  { failed }: SlurperTotal,
  failures: (id: string, limit: number) => Promise<readonly SlurperFailure[]>,
): Promise<string[]> {
  const logs = await Promise.all(ids.map((id) => failures(id, READ)))
  const entries = logs.flat()
  if (entries.length === 0 && failed === 0) return []
  const named = entries.slice(0, NAMED).map(({ key, reason }) => `${key ?? 'a job'}: ${reason}`)
  const skipped = entries.filter((entry) => entry.skipped).length
  const all = [
    ...(failed > 0 ? [`${counted(failed, 'object')} failed`] : []),
    ...(skipped > 0 ? [`${skipped >= READ ? 'many' : count(skipped)} passed over`] : []),
  ]
  const what = all.length > 0 ? all.join(', ') : 'A job had trouble'
  return [`Super Slurper: ${what}. The copy with rclone after it brings what is missing.`, ...named]
}

/**
 * Whether copies have the Cache-Control that Mastodon gives its objects; Cloudflare does not say whether
 * Super Slurper keeps it. One LIST and a few HEAD requests.
 */
export async function sampleCacheControl(bucket: S3Port): Promise<string[]> {
  const keys = await bucket.list('', SAMPLED)
  const expected = { contentType: undefined, cacheControl: MEDIA_CACHE_CONTROL }
  const { sampled, wrong } = await lookAtHeaders(bucket, keys, () => expected)
  if (wrong.objects === 0) return []
  return [
    `Of ${counted(sampled, 'copied object')} looked at, ${count(wrong.objects)} lack the Cache-Control that Mastodon sets: browsers would ask for them again and again.`,
    'To put it right for all of them at once, make a Cache Rule for the media host in the dashboard (Caching > Cache Rules): Edge TTL and Browser TTL of a year, overriding the origin.',
  ]
}
