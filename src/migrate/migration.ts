import type { CommandFlags, Text, ToType } from '../core/to-type.ts'
import type { Run } from '../flow/run.ts'
import type { Report } from '../plan/report.ts'
import { classOf, type LeftOut, type MediaSurvey } from '../plan/report-schema.ts'
import type { PlaceWorld, StepIn } from '../plan/step.ts'
import type { Checkpoint, CheckpointPort } from '../services/checkpoint/port.ts'
import type { Installation, TootctlPort } from '../services/mastodon/port.ts'
import type { BringBackPort, MediaFile, MediaSource } from '../services/media/port.ts'
import type { StreamPort } from '../services/process/port.ts'
import type { CopyPlace, RclonePort } from '../services/rclone/port.ts'
import type { S3Port } from '../services/s3/port.ts'
import type { Stage } from '../settings/stages.ts'
import type { OldProvider } from '../setup/old-provider.ts'
import type { MigrationTarget } from '../setup/target.ts'
import type { migrateCatalog } from './settings.ts'

/**
 * Milliseconds that a clock may be off: that of a file server, or of the other provider, which S3
 * signatures hold within 15 minutes.
 */
export const CLOCK_MARGIN_MS = 900_000

/** Nobody but its owner may read it: `chmod 0600`, as Mastodon does to media of suspended users. */
function isClosed(mode: number | undefined): boolean {
  return mode !== undefined && (mode & 0o077) === 0
}

/**
 * How a tree's files are usually readable. `closed`: all of them are 0600, which is the umask then and
 * no suspension. It takes the whole tree to know that, and one closed file that no suspension touches
 * (suspend_account_service.rb closes media attachments only). In doubt `open`: closed files are left out.
 */
export class UsualModes {
  #open = false
  #umask = false

  see({ key, mode }: Pick<MediaFile, 'key' | 'mode'>): void {
    if (this.#open) return
    const { name, closable } = classOf(key)
    // What was put there by hand tells nothing about Mastodon.
    if (name === 'other' || name === 'cachedOther') return
    if (!isClosed(mode)) this.#open = true
    else if (!closable) this.#umask = true
  }

  /** Nothing that is seen later changes it. */
  get isCertain(): boolean {
    return this.#open
  }

  get result(): 'open' | 'closed' {
    return !this.#open && this.#umask ? 'closed' : 'open'
  }
}

/** Reads as far as the first open file: one batch, nearly always. */
export async function usualModes(
  source: MediaSource,
  signal?: AbortSignal,
): Promise<'open' | 'closed'> {
  if (source.kind === 's3') return 'open'
  const modes = new UsualModes()
  for await (const files of source.files({ few: true, ...(signal && { signal }) })) {
    for (const file of files) modes.see(file)
    if (modes.isCertain) break
  }
  return modes.result
}

/** What a migration copies. Everything, unless something is left out for a reason that is told. */
export interface Selection {
  /** Leave out `cache/`: media of other servers, which can be fetched again. */
  readonly onlyLocal: boolean
  /** Prefixes left out because the person said so. */
  readonly skip: readonly string[]
  /** Copy `backups/` and `imports/` too, which everyone who has the address could read. */
  readonly withPrivate: boolean
  /** Copy media of suspended users too, which publishes it. */
  readonly withSuspended: boolean
}

export interface TreeHabits {
  /** From usualModes(). */
  readonly usualModes: 'open' | 'closed'
  /** Milliseconds since the epoch; without it a file that is being stored counts as suspended. */
  readonly now?: number
}

/** Milliseconds in which Mastodon opens a file that it has put in its place. */
const STORING_MS = 10 * 60_000

/** Why a file is left out; undefined when it is copied. */
export function leftOut(
  file: MediaFile,
  { onlyLocal, skip, withPrivate, withSuspended }: Selection,
  { usualModes, now }: TreeHabits,
): LeftOut | undefined {
  const { key, mode, changedAt } = file
  if (skip.some((prefix) => key.startsWith(prefix))) return 'skipped'
  if (onlyLocal && key.startsWith('cache/')) return 'cache'
  if (!withPrivate && classOf(key).private) return 'private'
  if (withSuspended || usualModes === 'closed' || !isClosed(mode)) return undefined
  // kt-paperclip moves a closed temporary file into place, then opens it (storage/filesystem.rb).
  // Opening it changes its ctime, so that a later copy sees it as new.
  return now !== undefined && now - changedAt < STORING_MS ? 'unfinished' : 'suspended'
}

/** Whether nothing below a folder is copied; its path ends with `/`, any other is none. */
export function isFolderLeftOut(path: string, selection: Selection): boolean {
  const folder = { key: path, size: 0, changedAt: 0, mode: undefined }
  return path.endsWith('/') && leftOut(folder, selection, { usualModes: 'open' }) !== undefined
}

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
  /** Mastodon stores its media in that bucket already; `at` asks the env file's backups since when. */
  readonly switched?: { at(): Promise<Date | undefined> } | undefined
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
  /** Characters that fit into the line of `tell`. */
  readonly width: number
  /**
   * What to type for a stage of this same migration: it repeats where Mastodon and its media are.
   */
  lineFor(stage: Stage, more?: CommandFlags['migrate']): ToType
  /** A line that takes the place of the one before: where a long work stands. */
  tell(state: string): void
  /** A line that stays, such as what another program printed. */
  say(line: Text): void
}

export interface MigrationWishes {
  /** Undefined: as many as turn out to be best. */
  readonly transfers: number | undefined
  readonly bwlimit: string | undefined
  /** Copy also what Mastodon has removed from the bucket since the switch. */
  readonly withRemoved?: boolean
}

export interface MigrateRun extends Run<typeof migrateCatalog> {
  /** What the surveys of this run found, for the questions that follow. */
  readonly surveys: { last: MediaSurvey | undefined }
  /** PEM of a certificate authority to trust besides the usual ones; in a rehearsal. */
  readonly ca?: string
}

export interface PreparedMigration {
  readonly installation: Installation
  readonly target: MigrationTarget
  readonly world: PlaceWorld
  readonly migration: Migration
  readonly stream: StreamPort
  /** The S3 provider that the media comes from. */
  readonly old: OldProvider | undefined
  /** Where the media is a folder: what puts some of it back. */
  readonly bringBack?: BringBackPort | undefined
  /** As it was read at the start; undefined before the first run. */
  readonly checkpoint: Checkpoint | undefined
  /** Mastodon stores its media in that bucket already. */
  readonly switchedOn: boolean
}

/** A stage, ready to be carried out. */
export interface PreparedStage {
  readonly steps: readonly StepIn<PlaceWorld>[]
  /** What the report holds besides the steps, and the same as tables for the screen. */
  found(): StageFound
  /** Notes what came of it, once it has ended well. */
  done(): Promise<void>
}

export interface StageFound {
  readonly report: Partial<Report>
  readonly tables: readonly { readonly title: string; readonly lines: readonly string[] }[]
}

export type PrepareStage = (run: MigrateRun, prepared: PreparedMigration) => Promise<PreparedStage>
