import type { CommandFlags, ToType } from '../core/to-type.ts'
import type { Facts } from '../plan/step.ts'
import type { Installation } from '../services/mastodon/port.ts'
import type { HiddenFiles, MediaSource } from '../services/media/port.ts'
import type { BucketPlace, CopyPlace, RclonePort } from '../services/rclone/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import type { LeaveStage } from './settings.ts'

/** Where the media goes: Mastodon's folder on this machine, or a bucket of another provider. */
export interface Destination {
  readonly kind: 'disk' | 's3'
  /** In sentences: `the disk`, `the new bucket`. */
  readonly it: string
  /** In full: the folder, or `bucket at host`. */
  readonly name: string
  /** What a copy does there. */
  readonly words: { readonly fetch: string; readonly fetched: string; readonly on: string }
  /** What is there, as it is. */
  readonly source: MediaSource
  /** For nobody but who stores it, as Mastodon would put it there; `hidden`: of suspended users. */
  isClosed(key: string, hidden: ReadonlySet<string>): boolean
  /** Closed media is put there by itself. */
  readonly closedApart: boolean
  /** Where rclone puts it. */
  to(isClosed: boolean): CopyPlace
  /** Before and after a pass. */
  open(): Promise<void>
  close(): Promise<void>
  /** Bytes; undefined where nobody can tell. */
  free(): Promise<number | undefined>
  /** Files that rclone has brought get their names. Gives those that could not. */
  place(files: readonly ClosableFile[]): Promise<readonly Failed[]>
  /** A name that rclone can't be told of. */
  add(file: ClosableFile, body: Uint8Array): Promise<void>
  /** By the clock that tells when something was stored there; undefined where it is not told. */
  time(): Promise<Date | undefined>
  /**
   * Takes from the public what Mastodon hides: media of suspended users that was brought before they
   * were. What is not there is passed over.
   */
  hide(keys: readonly string[]): Promise<HiddenFiles>
  /** What was brought outlives a power failure. */
  settle(): Promise<void>
  /** Mastodon's own settings for it. */
  lines(facts: Partial<Facts>): ReadonlyMap<string, string>
  /** Settings that must not be in force there. */
  readonly retired: readonly string[]
  /** The text of the env file with its comments as they are true there. */
  commented(text: string): string
}

export interface ClosableFile {
  readonly key: string
  readonly isClosed: boolean
  /** `changedAt` of the file there that gives way to it. */
  readonly replaces?: number | undefined
}

export interface Failed {
  readonly key: string
  readonly reason: string
}

/** What is known of the times of a way out; milliseconds. */
export interface Complete {
  /**
   * What R2 held before (by its clock) was all brought: what is missing of that, Mastodon has removed
   * since. Undefined while nothing is known to be complete.
   */
  until: number | undefined
  /** What is younger at the destination (by its clock) was not there before the switch. */
  switchedAt?: number | undefined
  /** When a run before this one switched, by the clock of this machine. */
  readonly switchedHere?: number | undefined
  /** When this run began to bring, by R2's clock. */
  begunAt?: number | undefined
}

/** What the steps of `leave` know besides the world. */
export interface Leaving {
  /** The bucket on R2, with the key that Mastodon has or had. */
  bucket(): S3Port
  readonly from: BucketPlace
  readonly there: Destination
  /** As Mastodon is at the start. */
  readonly installation: Installation
  /** Its settings name the destination already. */
  readonly isSwitched: boolean
  readonly complete: Complete
  readonly rclone: RclonePort
  readonly transfers: number | undefined
  /** Keys of media that Mastodon hides, as its users are suspended; asked for once, or `anew`. */
  hidden(how?: 'anew'): Promise<ReadonlySet<string>>
  /** Aborted by Ctrl-C, and when the run ends. */
  readonly signal: AbortSignal
  lineFor(stage: LeaveStage, more?: CommandFlags['leave']): ToType
  /** A line that takes the place of the one before. */
  tell(state: string): void
  say(line: string): void
  /** For --verbose and the log alone. */
  note(line: string): void
}
