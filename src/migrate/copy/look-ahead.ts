import type { Clock } from '../../plan/step.ts'
import type { Checkpoint } from '../../services/checkpoint/port.ts'
import { Probe } from '../latency.ts'
import type { Migration } from '../migration.ts'
import { Batching } from './batching.ts'
import type { WantedFile } from './touched.ts'
import { type CopyKind, type CopyList, openCopyList, type Unread } from './work.ts'

/** Files that a look keeps for the copy; of more it keeps the count. */
const MOST_KEPT = 20_000

/** What a look found of what is to be copied. */
export interface NewFiles {
  readonly kind: CopyKind
  readonly startedAt: Date
  /** Objects and bytes; undefined where there is something, and how much is still looked for. */
  readonly amount: { readonly objects: number; readonly bytes: number } | undefined
  /** Of these, the files whose content may be in the bucket already, as far as they were counted. */
  readonly touched: number
  /** What is to be copied; undefined when it is nothing, or too much to keep. */
  readonly list: CopyList | undefined
  /** What could not be read, as far as it was looked for. */
  readonly unread: readonly Unread[]
  readonly probe?: Probe | undefined
  /** Ends what is still being read. */
  end(): void
}

export interface NewFilesOptions {
  readonly checkpoint: Checkpoint
  readonly clock: Pick<Clock, 'now' | 'sleep'>
  /** All are counted; or it is enough to know that there are some, and the rest is found meanwhile. */
  readonly counts: boolean
}

/** One walk, or one listing of the other provider, and no request to R2. */
export async function findNewFiles(
  migration: Migration,
  { checkpoint, clock, counts }: NewFilesOptions,
): Promise<NewFiles> {
  const looking = beginLooking(migration, clock)
  const { signal } = looking
  const found = { kind: 'delta', startedAt: looking.startedAt, end: looking.end } as const
  const list = await openCopyList(migration, { read: checkpoint, kind: 'delta', clock, signal })
  if (!counts && (await list.files.any())) {
    return { ...found, amount: undefined, touched: 0, list, unread: [] }
  }
  let files: WantedFile[] | undefined = []
  for await (const batch of list.files.batches()) {
    if (files && files.length + batch.length <= MOST_KEPT) files.push(...batch)
    else files = undefined
  }
  const unread = await list.unread()
  const amount = list.files.total ?? { objects: 0, bytes: 0 }
  const kept = files && new Batching([files], { clock, signal })
  return {
    ...found,
    amount,
    touched: list.touched(),
    list: kept && { ...list, files: kept, unread: async () => unread },
    unread,
  }
}

/** A first copy that nobody reads the plan of: both sides are read from now on, and nothing is counted. */
export async function beginFirst(
  migration: Migration,
  { checkpoint, clock }: Omit<NewFilesOptions, 'counts'>,
): Promise<NewFiles> {
  const { startedAt, signal, end } = beginLooking(migration, clock)
  const isMeasured = migration.wishes.transfers === undefined
  const probe = isMeasured ? new Probe(migration, clock) : undefined
  const list = await openCopyList(migration, { read: checkpoint, kind: 'first', clock, signal })
  return { kind: 'first', startedAt, amount: undefined, touched: 0, list, unread: [], probe, end }
}

function beginLooking(migration: Migration, clock: Pick<Clock, 'now'>) {
  const over = new AbortController()
  const signal = AbortSignal.any([migration.signal, over.signal])
  return { startedAt: clock.now(), signal, end: () => over.abort() }
}
