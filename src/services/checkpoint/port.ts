/**
 * What `migrate` remembers between runs, in `$XDG_STATE_HOME/mastodon-r2/` (by default
 * `~/.local/state`), one folder for each pair of source and bucket. Losing it loses no media: the
 * next run lists the bucket again. It holds no secret.
 */
export interface CheckpointPort {
  /**
   * Undefined when there is none yet, and when it is damaged: that is told, and the next write puts
   * it aside. Problem `checkpoint-unreadable` when it may not be read.
   */
  read(): Promise<Checkpoint | undefined>
  /** Whole or not at all. Problem `checkpoint-not-writable`, which says when the disk is full. */
  write(checkpoint: Checkpoint): Promise<void>
  /** Appends what this migration has put into the bucket, or found there. Same Problem. */
  record(puts: readonly (string | StoredVersion)[]): Promise<void>
  /** Which of these keys this migration has put there; reads the record without keeping it. */
  recorded(keys: ReadonlySet<string>): Promise<ReadonlySet<string>>
  /** The versions that are there and came to the source after `since` (milliseconds). */
  versions(since: number): Promise<KnownVersions>
  /** All keys that this migration has put there, in the order of its copies, some several times. */
  keys(): AsyncIterable<readonly string[]>
  /** When it last put something there; undefined where it never did. */
  lastPut(): Promise<Date | undefined>
  /** For words: where it is. */
  readonly path: string
}

/** For each key, the `changedAt` of its last version. */
export type KnownVersions = Pick<ReadonlyMap<string, number>, 'get' | 'size'>

/** Which state of a file was copied; both as the source told them. */
export interface StoredVersion {
  readonly key: string
  readonly changedAt: number
  /** Its content was there already: it counts as a version, and not as put there. */
  readonly isFound?: true
}

/** Times are RFC 3339 with milliseconds. */
export interface Checkpoint {
  readonly version: 1
  /** Start of the last copy that saw everything: files changed later are new. */
  readonly completeSince: string | undefined
  /** A copy that began and has not ended well; it may be gone on with by listing the bucket. */
  readonly begunAt: string | undefined
  /** What the last copies left, key and reason; tried again by the next one. */
  readonly failed: readonly { readonly key: string; readonly reason: string }[]
  /** Keys that were gone from the source when their turn came; looked at by compare. */
  readonly vanished: readonly string[]
  /** What was left out on purpose, as the rules of that run: a change of them is a new first copy. */
  readonly selection: string
  /** The last survey: what would be copied. Bytes. */
  readonly surveyed?: { readonly at: string; readonly objects: number; readonly bytes: number }
  /** When the media host was first seen in the Content-Security-Policy of the instance. */
  readonly announcedAt: string | undefined
  /** Objects and bytes that the migration has put there so far. */
  readonly copied: { readonly objects: number; readonly bytes: number }
  /** When Mastodon was switched to R2, or has been at the latest. */
  readonly switchedAt: string | undefined
  /** When a cut-over had seen that all of Mastodon runs with R2. */
  readonly runsSince?: string | undefined
  /** Super Slurper's jobs of this migration, by id. */
  readonly slurperJobs?: readonly string[]
  /** When old addresses were last seen to lead to the media host. */
  readonly redirectedAt?: string | undefined
  /** The last comparison that found both sides equal. */
  readonly equalAt: string | undefined
}

/** What is known before the first run. */
export const blankCheckpoint: Checkpoint = {
  version: 1,
  completeSince: undefined,
  begunAt: undefined,
  failed: [],
  vanished: [],
  selection: '',
  announcedAt: undefined,
  copied: { objects: 0, bytes: 0 },
  switchedAt: undefined,
  equalAt: undefined,
}

/** What others note than a copy, also while one goes on. */
const NOTED = [
  'announcedAt',
  'switchedAt',
  'runsSince',
  'equalAt',
  'redirectedAt',
  'surveyed',
  'slurperJobs',
] as const

type NotedFacts = Pick<Checkpoint, (typeof NOTED)[number]>

/** These facts as they stand there; of `known` where nothing can be read. Never rejects. */
export async function notedFacts(
  checkpoint: Pick<CheckpointPort, 'read'>,
  known: Checkpoint,
): Promise<Partial<NotedFacts>> {
  const held = (await checkpoint.read().catch(() => undefined)) ?? known
  return Object.fromEntries(NOTED.map((name) => [name, held[name]]))
}

/** Writes some of a checkpoint's facts and leaves the others. The port's Problems. */
export async function noted(checkpoint: CheckpointPort, facts: Partial<NotedFacts>): Promise<void> {
  await checkpoint.write({ ...blankCheckpoint, ...(await checkpoint.read()), ...facts })
}
