import type { JobGetResponse } from 'cloudflare/resources/r2/super-slurper/jobs/jobs'
import type { LogListResponse } from 'cloudflare/resources/r2/super-slurper/jobs/logs'

export type SlurperStatus = NonNullable<JobGetResponse['status']>
type LogType = NonNullable<LogListResponse['logType']>

/** A bucket as a job is given it. */
export interface SlurperPlace {
  readonly vendor: 's3' | 'r2'
  readonly bucket: string
  readonly accessKeyId: string
  /** Never told. */
  readonly secretAccessKey: string
  /** Of an S3 source; undefined: AWS. */
  readonly endpoint: string | undefined
  /** Of a bucket on R2. */
  readonly jurisdiction: string
  readonly pathPrefix: string | undefined
  readonly keys: readonly string[] | undefined
}

export interface SlurperJob {
  readonly id: string
  readonly accountId: string
  readonly source: SlurperPlace
  readonly target: SlurperPlace
  readonly overwrite: boolean
  /** Milliseconds since the epoch. */
  readonly createdAt: number
  finishedAt: number | undefined
  status: SlurperStatus
  objects: number
  transferred: number
  skipped: number
  failed: number
  readonly log: SlurperLogEntry[]
}

export interface SlurperLogEntry {
  readonly at: number
  readonly logType: LogType
  readonly message?: string
  readonly objectKey?: string
}

/** What Cloudflare may or may not do; a test or a rehearsal says which. They hold for jobs under way. */
export interface SlurperSwitches {
  /** Sources at `http://` of this machine are taken; Cloudflare takes `https://` alone. */
  plainHttp: boolean
  /** Copies keep Cache-Control; Cloudflare does not say whether its own do. */
  keepsCacheControl: boolean
  /** Jobs under way at the same time; Cloudflare's own number is not known. */
  maxJobs: number
  /** Milliseconds that each object takes longer. */
  objectMs: number
  /** A job pauses by itself, once, after so many objects. */
  pauseAfter: number | undefined
}
