import { bytesOf, count } from '../core/amounts.ts'
import { type KeyBatches, sortedKeys } from '../core/sorted-keys.ts'
import { stateHome } from '../core/state-home.ts'
import type { Finding, StepIn } from '../plan/step.ts'
import type { Beginning, ListsPort, NextList } from '../services/lists/port.ts'
import type { Here, PurgeRun } from './places.ts'

/** What is known of the bucket from earlier moments. */
export interface KnownBefore {
  /** Where the knowledge begins. */
  readonly from: Date
  readonly first: Beginning
  /** Every moment that is known, the latest first; of one that can't be right, what it was at the latest. */
  readonly moments: readonly Date[]
  /** What the latest of them bears, by which the next list hangs on it. */
  readonly at: Date
  /** What the latest of them had. */
  latest(): Promise<KeyBatches>
  /** What went before it, by when it was missed. */
  readonly gone: readonly { readonly to: Date; keys(): KeyBatches }[]
}

/** Lists of this bucket below the folder for state. */
export async function listsOf(
  { host }: Pick<PurgeRun, 'host'>,
  { target: { endpoint, bucket } }: Pick<Here, 'target'>,
): Promise<ListsPort> {
  const { openLists } = await import('../services/lists/lists.ts')
  return openLists({ stateHome: stateHome(host.environment), endpoint, bucket })
}

/**
 * The lists; where there is none yet, what `migrate` noted of the media that it copied here. Undefined
 * where there is neither. Problems: `lists-unreadable`, `checkpoint-unreadable`.
 */
export async function knownBefore(
  run: PurgeRun,
  here: Here,
  lists: ListsPort,
): Promise<KnownBefore | undefined> {
  const kept = await lists.read()
  const now = run.clock.now()
  if (!kept) return await copiedBefore(run, here, now)
  const { at, gone } = kept
  const moments = atTheLatest([at, ...gone.map(({ from }) => from)], now)
  return {
    from: moments.at(-1) ?? at,
    first: gone.at(-1)?.first ?? 'list',
    moments,
    at,
    latest: async () => kept.keys(),
    gone: gone.map(({ keys }, nth) => ({ to: moments[nth] ?? at, keys })),
  }
}

/**
 * Times that follow one another, the latest first, as a clock told them that may have been set meanwhile.
 * One that is still to come, or earlier than one before it, tells nothing: it counts as the one after it,
 * so that nothing is taken for older than it is.
 */
export function atTheLatest(told: readonly Date[], now: Date): Date[] {
  const times = told.map((at) => at.getTime())
  let last = now.getTime()
  return times.map((time, nth) => {
    const before = times.slice(nth + 1).filter((one) => one <= now.getTime())
    if (time <= last && before.every((one) => one <= time)) last = time
    return new Date(last)
  })
}

async function copiedBefore(
  { host, ui }: PurgeRun,
  { installation, target: { endpoint, bucket } }: Here,
  now: Date,
): Promise<KnownBefore | undefined> {
  const { root } = installation.media
  if (root === undefined) return undefined
  const { openCheckpoint, checkpointId } = await import('../services/checkpoint/checkpoint.ts')
  const checkpoint = openCheckpoint({
    notice: (line) => ui.warn(line),
    stateHome: stateHome(host.environment),
    id: checkpointId(root, endpoint, bucket),
  })
  const at = await checkpoint.lastPut()
  if (at === undefined) return undefined
  const moments = atTheLatest([at], now)
  return {
    from: moments[0] ?? at,
    first: 'copy',
    moments,
    at,
    latest: () => sortedKeys(checkpoint.keys()),
    gone: [],
  }
}

/** What the bucket holds now, for a later run to see what has gone. */
export function keepList(
  lists: ListsPort,
  next: NextList,
  warnings: readonly string[],
): StepIn<unknown> {
  let isKept = false
  return {
    id: 'keep-list',
    title: 'List of the bucket',

    async look(): Promise<Finding> {
      if (isKept) return { is: 'ready', note: `kept in ${lists.path}` }
      const { keys } = next
      const what = `keep the list of what the bucket holds now, ${count(keys.keys)} names (${bytesOf(keys.bytes)}), in ${lists.path}`
      return { is: 'change', changes: [{ what, risk: 'safe' }], warnings }
    },

    async change() {
      await lists.keep(next)
      isKept = true
      return {}
    },
  }
}
