import type { Secret } from '../../core/secret.ts'
import type { Jurisdiction } from './port.ts'

/**
 * Super Slurper, Cloudflare's own engine that copies a bucket of another provider into one of R2
 * (Cloudflare docs, r2/data-migration/super-slurper). Refusals are Problems as in port.ts.
 */
export interface SlurperPort {
  /** Can Cloudflare read the source with this key? It does not say why when it can't. */
  canRead(accountId: string, source: SlurperSource): Promise<boolean>
  /** Can it write the target with this key? */
  canWrite(accountId: string, target: SlurperTarget): Promise<boolean>
  /**
   * Starts a job that leaves alone what is there already; returns its id. Sent once: a job whose answer
   * got lost is found again among the account's jobs. Problem `slurper-too-many-jobs`.
   */
  createJob(accountId: string, wish: SlurperWish): Promise<string>
  /** Every job between these two places, whatever its prefix; ended ones too. */
  listJobs(accountId: string, between: SlurperPlaces): Promise<SlurperJob[]>
  /** Undefined when there is no such job. */
  progress(accountId: string, jobId: string): Promise<SlurperProgress | undefined>
  pause(accountId: string, jobId: string): Promise<void>
  resume(accountId: string, jobId: string): Promise<void>
  /** What is under way is finished, nothing new begun. */
  abort(accountId: string, jobId: string): Promise<void>
  /** What its log says that was not copied, in its order, at most `limit`. */
  failures(accountId: string, jobId: string, limit: number): Promise<SlurperFailure[]>
}

export type SlurperStatus = 'running' | 'paused' | 'aborted' | 'completed'

interface SlurperKey {
  readonly accessKeyId: string
  readonly secretAccessKey: Secret
}

export type SlurperSource =
  | {
      readonly vendor: 's3'
      readonly bucket: string
      readonly key: SlurperKey
      /** `https://`; undefined: AWS itself. */
      readonly endpoint: string | undefined
      readonly region: string | undefined
    }
  /** A bucket on R2, of whichever account the key is. */
  | {
      readonly vendor: 'r2'
      readonly bucket: string
      readonly key: SlurperKey
      readonly jurisdiction: Jurisdiction
    }

export interface SlurperTarget {
  readonly bucket: string
  readonly jurisdiction: Jurisdiction
  readonly key: SlurperKey
}

export interface SlurperPlaces {
  readonly source: SlurperSource
  readonly target: SlurperTarget
}

export interface SlurperWish extends SlurperPlaces {
  /** Only keys that begin so; all of them unless told. */
  readonly prefix?: string | undefined
}

export interface SlurperJob {
  readonly id: string
  readonly status: SlurperStatus
  /** RFC 3339. */
  readonly createdAt: string
  readonly from: {
    readonly bucket: string
    readonly endpoint: string | undefined
    readonly prefix: string
  }
  readonly to: { readonly bucket: string; readonly jurisdiction: string }
}

/** Counts of objects; bytes are not told. */
export interface SlurperProgress {
  readonly status: SlurperStatus
  /** Found so far at the source: it grows while the job lists it. */
  readonly objects: number
  readonly transferred: number
  /** There already, or of a kind that it does not take. */
  readonly skipped: number
  readonly failed: number
}

export interface SlurperFailure {
  /** Undefined: about the job itself. */
  readonly key: string | undefined
  readonly reason: string
  /** It was passed over by a rule of Super Slurper, not refused. */
  readonly skipped: boolean
}
