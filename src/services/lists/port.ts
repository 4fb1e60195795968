import type { KeyPack } from '../../core/key-pack.ts'
import type { KeyBatches } from '../../core/sorted-keys.ts'

/**
 * What a bucket held at earlier moments, in `$XDG_STATE_HOME/mastodon-r2/`: the newest list, and what
 * went between one list and the next. It holds keys alone. Losing it loses no media, and the knowledge
 * of what was deleted.
 */
export interface ListsPort {
  /** Undefined when no list was kept yet. Problem `lists-unreadable`. */
  read(): Promise<KeptLists | undefined>
  /** Whole or not at all. Problem `list-not-kept`. */
  keep(next: NextList): Promise<void>
  /** For words: where they are. */
  readonly path: string
}

export interface KeptLists {
  /** When the newest list was begun. */
  readonly at: Date
  /** What it holds, in the order of the keys. Problem `lists-unreadable`. */
  keys(): KeyBatches
  /** Back from the newest list without a gap, the latest first. */
  readonly gone: readonly GoneKeys[]
}

/** What the list `from` had and that of `to` did not. */
export interface GoneKeys {
  readonly from: Date
  /** `copy`: no list, but what `migrate` had copied until then. */
  readonly first: Beginning
  readonly to: Date
  keys(): KeyBatches
}

export interface NextList {
  readonly at: Date
  /** In the order of the keys, as all of these. */
  readonly keys: KeyPack
  /** Since what was known before; undefined where nothing was. */
  readonly gone:
    | { readonly from: Date; readonly first: Beginning; readonly keys: KeyPack }
    | undefined
}

export type Beginning = 'list' | 'copy'
