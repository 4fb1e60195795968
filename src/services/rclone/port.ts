import type { Secret } from '../../core/secret.ts'
import type { Account } from '../process/port.ts'

/** A bucket that rclone reads or writes. */
export type BucketPlace = Extract<CopyPlace, { kind: 'bucket' }>

/** rclone, which carries the media: the real program, 1.59 or later. */
export interface RclonePort {
  /** Problems: `rclone-missing`, `rclone-too-old`. */
  version(): Promise<string>
  /** Whether rclone can be told of this key and leaves it as it is. */
  canCarry(key: string): boolean
  /** The Content-Type that every copied object of this name gets, as Mastodon stores it. */
  contentType(key: string): string
  /**
   * The canned ACL that every file carries that is copied there: `acl` of the place, else the one that
   * this release can't do without; undefined: none.
   */
  acl(to: BucketPlace): Promise<string | undefined>
  /**
   * Copies exactly the keys of a batch, without looking at what is there. A file that fails is a
   * result, also one that a source bucket refuses (its owner is another, or it is archived); Problems
   * are what stops everything: `rclone-refused` (a run of 401, 403 or 404), `rclone-cut-off` (nothing
   * gets through), `rclone-failed` and `rclone-stopped` (it ended without doing its work). Where a
   * service refuses some because they come too fast, the rate that it grants is found and kept to:
   * `rclone-slowed-down` when it grants nothing. Rejects with Cancelled when aborted, once rclone has
   * ended and what it had copied was told.
   */
  copy(batch: CopyBatch, listener: CopyListener, signal?: AbortSignal): Promise<void>
}

export interface CopyBatch {
  /** One of the two is a bucket, or both are. */
  readonly from: CopyPlace
  readonly to: CopyPlace
  /** All of them exist at `from`. Names that rclone can't be told are refused: see `canCarry`. */
  readonly keys: readonly string[]
  /** Files under way at the same time; undefined: as many as turn out to be best. */
  readonly transfers?: number | undefined
  /** Milliseconds of one small request to the bucket, where it was measured. */
  readonly latencyMs?: number | undefined
  /** Files so large that they are sent in parts: few at a time, with memory for their parts. */
  readonly isLarge?: boolean
  /** Bytes of a key; unknown unless told. */
  readonly size?: (key: string) => number
  /** Objects of the source bucket were read before: what is refused now is refused for itself. */
  readonly hasRead?: boolean
  /** As rclone's --bwlimit takes it, e.g. `8M`; no limit unless told. */
  readonly bwlimit?: string | undefined
}

export type CopyPlace =
  | {
      readonly kind: 'folder'
      readonly path: string
      /** Whose rights it is read or written with; this process's unless told. */
      readonly as?: Account
      /** As that account: what `stat` says of a key, the system's error code; undefined: it is there. */
      readonly look?: (key: string) => Promise<string | undefined>
    }
  | {
      readonly kind: 'bucket'
      readonly endpoint: string
      readonly bucket: string
      readonly region: string
      readonly key: { readonly accessKeyId: string; readonly secretAccessKey: Secret }
      /** rclone's name of the provider: `Cloudflare` for R2, `Other` where it is not known. */
      readonly provider: string
      /** As the person calls it, e.g. `Wasabi`; R2 unless told. */
      readonly service?: string
      /** virtual-host addressing, where the provider needs it. */
      readonly virtualHost?: boolean
      /** The canned ACL of what is written there, e.g. `public-read`; what is sent unless told: see `acl`. */
      readonly acl?: string | undefined
      /** What is written there is stored in this class; the provider's usual one unless told. */
      readonly storageClass?: string | undefined
    }

export interface CopyListener {
  copied(key: string): void
  /** `reason` in a few words, e.g. `403 AccessDenied`; told once for a key. */
  failed(key: string, reason: string): void
  /** Gone from the source when its turn came. */
  vanished(key: string): void
  /** A service asked for it: a pause of so many seconds (or none), then so many requests a second. */
  slower?(service: string, seconds: number, perSecond: number): void
  /** About once a second: bytes sent so far in this batch, and bytes a second. */
  moving(bytes: number, bytesPerSecond: number): void
}

/** Bytes above which a file is sent in parts. */
export const SENT_IN_PARTS = 200 * 1_048_576

const UNREADABLE = 'not readable at the source'

/** The reason of a failed object that the source lists and does not give out. */
export function unreadable(said: string): string {
  return `${UNREADABLE}: ${said}`
}

/** Whether a noted reason is of that kind. */
export function isUnreadable(reason: string): boolean {
  return reason.startsWith(UNREADABLE)
}

/** The reason of a file whose name the storage refuses, while it takes others. */
export const NAME_REFUSED = 'R2 takes no object of this name'
