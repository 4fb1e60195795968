import type { EnvFileOnDisk } from '../services/mastodon/port.ts'
import type { EnvRestoration } from './env-restoration.ts'

/** What the steps of `undo` know besides the world. */
export interface Undo {
  readonly wishes: UndoWishes
  /** Mastodon stores media in this bucket, and there is media in it. */
  readonly inUse: boolean
  /** Every env file of Mastodon as it is on disk now, with what is to happen to it. */
  traces(): Promise<readonly EnvTrace[]>
  /** What needs the media host to be attached, as it is now. */
  redirects(): Promise<Redirected>
  /** Puts the whole file aside as a backup. Returns the backup's path. */
  removeFile(file: EnvFileOnDisk): Promise<{ backup: string }>
}

/** Redirects of the media host as a stranger sees them. */
export interface Redirected {
  /** Old addresses that lead to it. */
  readonly to: readonly Led[]
  /** Its own addresses, which lead elsewhere. */
  readonly from: readonly Led[]
  /** Sentences without a full stop, of what could not be asked. */
  readonly unseen: readonly string[]
}

interface Led {
  readonly from: string
  readonly to: string
}

/** What only a flag of its own allows. */
export interface UndoWishes {
  readonly detachDomain: boolean
  readonly deleteEmptyBucket: boolean
  readonly evenIfInUse: boolean
  readonly dropEdgeRules: boolean
}

export interface EnvTrace {
  /** `main`: the file that holds the settings. `aside`: the one `init` prepared beside it. */
  readonly role: 'main' | 'aside' | 'other'
  readonly file: EnvFileOnDisk
  readonly restoration: EnvRestoration
}

/** Rules at Cloudflare with these ids were made by `init`. */
export const ownCorsRule = 'mastodon-r2'
export const ownLifecycleRule = 'mastodon-r2: abort broken uploads'

/** A part that is left alone in this run, with the flag that would allow it. */
export function stays(reason: string, flag?: keyof typeof undoFlags) {
  const how = flag === undefined ? '' : `; add ${undoFlags[flag]} to remove it`
  return { is: 'later' as const, note: `stays: ${reason}${how}`, next: '' }
}

/** `; 1 of others stays`, `; 2 of others stay`; nothing where there are none. */
export function othersStay(others: number): string {
  return others === 0 ? '' : `; ${others} of others ${others === 1 ? 'stays' : 'stay'}`
}

export const undoFlags = {
  detachDomain: '--detach-domain',
  deleteEmptyBucket: '--delete-empty-bucket',
  evenIfInUse: '--even-if-in-use',
  dropEdgeRules: '--drop-edge-rules',
} as const satisfies Record<keyof UndoWishes, string>

/** What the notes of `stays` ask for. */
export function wishesIn(notes: readonly string[]): (keyof UndoWishes)[] {
  const names = Object.keys(undoFlags) as (keyof UndoWishes)[]
  return names.filter((name) => notes.some((note) => note.includes(`add ${undoFlags[name]} to`)))
}

/** An env file's text as it will be once the plan has been carried out. */
export function textAfter({ file, restoration }: EnvTrace): string {
  if (restoration.is === 'write') return restoration.text
  return restoration.is === 'remove' ? '' : file.text
}
