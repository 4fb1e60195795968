import { classOf } from '../plan/media-classes.ts'
import type { MediaFile } from '../services/media/port.ts'
import { isClosed } from './usual-modes.ts'

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

export const leftOutReasons = ['cache', 'skipped', 'private', 'suspended', 'unfinished'] as const
export type LeftOut = (typeof leftOutReasons)[number]

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
