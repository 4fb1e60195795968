import type { ToType } from '../core/to-type.ts'
import type { BringBackPort, LandingPort, MediaSource } from '../services/media/port.ts'
import type { BucketPlace, CopyPlace, RclonePort } from '../services/rclone/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import type { LeaveStage } from './settings.ts'

/** What the steps of `leave` know besides the world. */
export interface Leaving {
  /** The bucket, with the key that Mastodon has. */
  bucket(): S3Port
  readonly from: BucketPlace
  /** Mastodon's folder as it is, and what is put into it. */
  readonly disk: MediaSource
  readonly landing: LandingPort
  readonly bringBack: BringBackPort
  /** Where rclone fetches to. */
  readonly stage: Extract<CopyPlace, { kind: 'folder' }>
  readonly rclone: RclonePort
  readonly transfers: number | undefined
  /** Keys of media that Mastodon hides, as its users are suspended; asked for once. */
  hidden(): Promise<ReadonlySet<string>>
  /** Aborted by Ctrl-C, and when the run ends. */
  readonly signal: AbortSignal
  lineFor(stage: LeaveStage): ToType
  /** A line that takes the place of the one before. */
  tell(state: string): void
  say(line: string): void
}
