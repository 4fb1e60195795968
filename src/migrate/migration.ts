import type { CheckpointPort } from '../services/checkpoint/port.ts'
import type { TootctlPort } from '../services/mastodon/tootctl-port.ts'
import type { MediaSource } from '../services/media/port.ts'
import type { CopyPlace, RclonePort } from '../services/rclone/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import type { Stage } from '../settings/stages.ts'
import type { Selection } from './selection.ts'

/** What the steps of `migrate` know besides the world. */
export interface Migration {
  readonly source: MediaSource
  /** What is copied and what is left out. */
  readonly selection: Selection
  readonly checkpoint: CheckpointPort
  readonly rclone: RclonePort
  readonly tootctl: TootctlPort
  /** The bucket, with the key that Mastodon has or will have. */
  bucket(): S3Port
  readonly from: CopyPlace
  readonly to: Extract<CopyPlace, { kind: 'bucket' }>
  readonly wishes: MigrationWishes
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** Characters that fit into the line of `tell`. */
  readonly width: number
  /**
   * What to type for a stage of this same migration: it repeats where Mastodon and its media are.
   * `flags` come behind it, as in ` --remove-extras`.
   */
  lineFor(stage: Stage, flags?: string): string
  /** A line that takes the place of the one before: where a long work stands. */
  tell(state: string): void
  /** A line that stays, such as what another program printed. */
  say(line: string): void
}

export interface MigrationWishes {
  readonly transfers: number
  readonly bwlimit: string | undefined
}

/** What came of a copy, for words and for the report. */
export interface CopySummary {
  readonly objects: number
  readonly bytes: number
  readonly failed: readonly { readonly key: string; readonly reason: string }[]
  /** Gone from the source when their turn came. */
  readonly vanished: number
  /** Left out by the selection. */
  readonly leftOut: number
}
