import { setClock } from '../../core/clock.ts'
import type { ProblemDetails } from '../../core/problem.ts'
import { prose } from '../../core/to-type.ts'

/** Whose bucket is asked: refusals carry its name, and advice that fits it. */
export interface S3Service {
  /** As the person calls it: `R2`, `Wasabi`, or the host of the endpoint. */
  readonly name: string
  /**
   * `target`: the R2 bucket that this tool sets up. `source`: where media is only read, at another
   * provider or in an older bucket; new keys of ours would not help there. `next`: another provider
   * that Mastodon goes on to.
   */
  readonly role: 'target' | 'source' | 'next'
  /** The file that its lines stand in; Mastodon's env file unless told. */
  readonly file?: string
}

export type Hint = Pick<ProblemDetails, 'what' | 'why' | 'next'>

export interface S3Place {
  readonly service: S3Service
  readonly bucket: string
  readonly endpoint: string
  readonly region: string
}

/** What was asked for: the bucket and its listing, or one object. */
export type Asked = 'bucket' | 'object'

/** A refusal as the hints need it. */
export interface Refused extends S3Place {
  readonly asked: Asked
  /** The error's name, e.g. `NoSuchBucket`; `Unknown` and the like for answers without a body. */
  readonly name: string
  readonly status: number
  /** The service's own words. */
  readonly said: string
  /** Where the bucket really is, as 301 and 400 tell it. */
  readonly told: { readonly region: string | undefined; readonly endpoint: string | undefined }
}

/** Whatever it was, it was refused for its time. */
export function clockHint({ service }: Pick<Refused, 'service'>): Hint {
  return {
    what: "This machine's clock is wrong.",
    why: `${service.name} refuses requests that are some minutes off.`,
    next: prose`Set the clock, and run this again:\n  ${setClock}`,
  }
}

export const R2: S3Service = { name: 'R2', role: 'target' }

/** rclone's names of providers, by the end of the endpoint's host (all known to 1.59), and people's. */
const providers: readonly (readonly [end: RegExp, rclone: string, name: string])[] = [
  [/\.amazonaws\.com(\.cn)?$/, 'AWS', 'Amazon S3'],
  [/\.r2\.cloudflarestorage\.com$/, 'Cloudflare', 'R2'],
  [/\.wasabisys\.com$/, 'Wasabi', 'Wasabi'],
  [/\.digitaloceanspaces\.com$/, 'DigitalOcean', 'DigitalOcean Spaces'],
  [/\.scw\.cloud$/, 'Scaleway', 'Scaleway'],
  [/\.dream\.io$/, 'Dreamhost', 'DreamHost'],
  [/\.ionoscloud\.com$/, 'IONOS', 'IONOS'],
  [/\.storjshare\.io$/, 'Storj', 'Storj'],
  [/\.idrivee2(-\d+)?\.com$/, 'IDrive', 'IDrive e2'],
  [/\.aliyuncs\.com$/, 'Alibaba', 'Alibaba Cloud OSS'],
  [/\.arvanstorage\.(com|ir)$/, 'ArvanCloud', 'ArvanCloud'],
  [/\.myqcloud\.com$/, 'TencentCOS', 'Tencent COS'],
  [/\.backblazeb2\.com$/, 'Other', 'Backblaze B2'],
  [/\.your-objectstorage\.com$/, 'Other', 'Hetzner Object Storage'],
  [/\.linodeobjects\.com$/, 'Other', 'Linode Object Storage'],
  [/\.vultrobjects\.com$/, 'Other', 'Vultr Object Storage'],
  [/\.cloud\.ovh\.(net|us)$/, 'Other', 'OVHcloud'],
  [/(^|\.)storage\.googleapis\.com$/, 'Other', 'Google Cloud Storage'],
  [/(^|\.)minio(\.|$)/, 'Minio', ''],
  [/(^|\.)(ceph|rgw|radosgw)(\.|$)/, 'Ceph', ''],
]

/** rclone's name for what answers at an endpoint; `Other` where it has none. */
export function rcloneProvider(endpoint: string): string {
  return known(endpoint)?.[1] ?? 'Other'
}

/** The service at an endpoint to which Mastodon goes on, with its lines in that file. */
export function nextService(endpoint: string, file: string): S3Service {
  return { ...sourceService(endpoint), role: 'next', file }
}

/** The service at an endpoint, to be read from. */
export function sourceService(endpoint: string): S3Service {
  return { name: known(endpoint)?.[2] || new URL(endpoint).host, role: 'source' }
}

function known(endpoint: string) {
  const { hostname } = new URL(endpoint)
  return providers.find(([end]) => end.test(hostname))
}
